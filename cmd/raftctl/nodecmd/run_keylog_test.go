package nodecmd

import (
	"bytes"
	gotls "crypto/tls"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream/tls"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// The secrets of clients' and of peers' sessions are added to the file, which only its owner reads; the log warns of it.
func TestRunKeyLog(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keys.log")
	sessions := 0
	for range 2 {
		client, peer := etcdtest.FreeAddr(t), etcdtest.FreeAddr(t)
		r := startMember(t, dir, "--auto-tls", "--peer-auto-tls", "--tls-keylog", "keys.log", "--force-new-cluster",
			"--listen-client-urls", "https://"+client, "--listen-peer-urls", "https://"+peer)
		for _, address := range []string{client, peer} {
			sessions++
			own := hello(t, address)
			if text := readFile(t, file); !strings.Contains(text, own) {
				t.Errorf("%s\nwant in it\n%s", text, own)
			}
		}
		want := `"level":"warn","caller":"nodecmd/run_keylog.go`
		if !strings.Contains(r.log.String(), want) || !strings.Contains(r.log.String(), `"tls-keylog":"`+file+`"`) {
			t.Errorf("the log, want in it %s\n%s", want, r.log)
		}
		r.end(t, errTerminated, ui.StatusOK)
	}
	keys, err := tls.ReadKeys(strings.NewReader(readFile(t, file)))
	if err != nil || keys.Len() < sessions {
		t.Errorf("%v, or secrets of fewer than %d sessions", err, sessions)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v, want %o", info.Mode(), err, 0o600)
	}
}

// hello begins a TLS session, and returns its secrets.
func hello(t *testing.T, address string) string {
	t.Helper()
	var log bytes.Buffer
	c, err := gotls.Dial("tcp", address, &gotls.Config{InsecureSkipVerify: true, KeyLogWriter: &log})
	if err != nil {
		t.Fatal(err)
	}
	// What the member sends behind its half of the handshake shows that it has all secrets.
	if _, err := io.WriteString(c, "GET /version HTTP/1.1\r\nHost: "+address+"\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
	_ = c.Close() // the answer is there
	return log.String()
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A key log that can't be opened is told before anything is begun; one that can't be written costs a line in the log.
func TestKeyLogFails(t *testing.T) {
	dir := t.TempDir()
	_, text, status := runNode(t, "run", "--log-level", "fatal", "--tls-keylog", filepath.Join(dir, "no", "keys.log"), "--data-dir", dir)
	if status != ui.StatusError || !strings.Contains(text, "no such file") {
		t.Errorf("exit status %d, %s", status, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "member")); err == nil {
		t.Error("a member was begun")
	}
	var log written
	s := settings{keyLog: filepath.Join(dir, "keys.log")}
	closer, err := s.openKeyLog(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n, err := s.node.KeyLog.Write([]byte("a line\n")); n != 7 || err != nil {
			t.Errorf("%d, %v, want 7 bytes: a connection must not fail", n, err)
		}
	}
	if n := strings.Count(log.String(), "can't be written"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, &log)
	}
}
