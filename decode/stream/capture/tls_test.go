package capture_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	gotls "crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/decode/stream/tls"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// written lets a connection capture what is written to it.
type written struct {
	net.Conn
	capture func([]byte)
}

func (w written) Write(b []byte) (int, error) {
	w.capture(bytes.Clone(b))
	return w.Conn.Write(b)
}

// hiddenStream is stream60 under TLS, with its key log.
func hiddenStream(t *testing.T) (w *capturetest.Wire, keyLog string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := capturetest.Frames(wire.ChannelAppend, raftpb.FlavorGogo, wire.Link{From: capturetest.M1, To: capturetest.M3},
		capturetest.Appends(60, 18, "value"))
	if err != nil {
		t.Fatal(err)
	}
	w = &capturetest.Wire{TB: t}
	c := w.Dial(client, server)
	var log bytes.Buffer
	a, b := net.Pipe()
	said := make(chan []byte, 1000) // by either end, in turn: the pipe has no buffer
	dialer := gotls.Client(written{a, c.Request}, &gotls.Config{InsecureSkipVerify: true, KeyLogWriter: &log})
	dialled := gotls.Server(written{b, func(b []byte) { said <- b }}, &gotls.Config{Certificates: []gotls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	done := make(chan error, 1)
	ask := capturetest.StreamRequest(wire.ChannelAppend, capturetest.M3, capturetest.M1)
	go func() {
		_, err := io.ReadFull(dialled, make([]byte, len(ask)))
		for _, b := range append([][]byte{[]byte(capturetest.StreamResponse)}, frames...) {
			if err != nil {
				break
			}
			if !bytes.HasPrefix(b, []byte("HTTP")) {
				b = capturetest.Chunk(b)
			}
			_, err = dialled.Write(b)
		}
		done <- err
		_ = b.Close()
	}()
	if err := dialer.Handshake(); err != nil {
		t.Fatal(err)
	}
	flush := func() {
		for {
			select {
			case b := <-said:
				c.Respond(b)
			default:
				return
			}
		}
	}
	// The server's part of the handshake went before the client's second message, which the capture has already.
	first := len(w.Packets)
	flush()
	w.Packets = slices.Concat(w.Packets[:5], w.Packets[first:], w.Packets[5:first])
	if _, err := dialer.Write(ask); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, dialer) // which ends as the pipe is closed
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	flush()
	return w, log.String()
}

// What goes over TLS is read with a key log, and else told once and counted.
func TestTLS(t *testing.T) {
	w, log := hiddenStream(t)
	keys, err := tls.ReadKeys(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, "with the key log", tell(t, w.PCAP(), capture.Options{Keys: keys}))
	r := tell(t, w.PCAP(), capture.Options{})
	if !slices.Equal(r.gaps, []string{"TLS, without a key log", "TLS, without a key log: 1 connection"}) || len(r.entries)+r.others > 0 {
		t.Errorf("without: %+v", r)
	}
	others, err := tls.ReadKeys(strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r = tell(t, w.PCAP(), capture.Options{Keys: others})
	if len(r.gaps) != 2 || !strings.HasPrefix(r.gaps[0], "TLS, of which the key log doesn't have") {
		t.Errorf("with another key log: %+v", r)
	}
}
