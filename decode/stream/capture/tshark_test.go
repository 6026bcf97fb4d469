package capture_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/internal/archive"
)

// TestTshark has Wireshark's tshark count connections, and the bytes that they carried.
func TestTshark(t *testing.T) {
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		packed, err := os.Open(filepath.Join("..", "..", "..", "testdata", "peers-"+version+".pcap.zst"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = packed.Close() }() // it is only read
		plain, err := archive.Unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		var data bytes.Buffer
		if _, err := data.ReadFrom(plain); err != nil {
			t.Fatal(err)
		}
		want := tshark(t, data.Bytes())
		c, err := capture.Open(&data, capture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range c.Events() {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := c.Counts(); got != want {
			t.Errorf("%s: counted %+v, tshark %+v", version, got, want)
		}
	}
}

// tshark returns what tshark counts in a capture.
func tshark(t *testing.T, data []byte) (n capture.Counts) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "tshark", "-r", "-", "-T", "fields", "-e", "tcp.stream", "-e", "tcp.len", "-e", "tcp.analysis.retransmission")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("`make debian` installs tshark: %v", err)
	}
	conns := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		n.Packets++
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if f[0] == "" {
			continue
		}
		n.TCP++
		conns[f[0]] = true
		if f[2] == "" {
			n.Bytes += number(t, f[1])
		}
	}
	n.Conns = int64(len(conns))
	return n
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
