package tls_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ours "github.com/raftctl/raftctl/decode/stream/tls"
)

// piece is what one end wrote at once.
type piece struct {
	dir   int
	bytes []byte
}

// wiretap records what both ends of a connection write.
type wiretap struct {
	mu     sync.Mutex
	pieces []piece
}

type tapped struct {
	net.Conn
	w   *wiretap
	dir int
}

func (c tapped) Write(b []byte) (int, error) {
	c.w.mu.Lock()
	c.w.pieces = append(c.w.pieces, piece{c.dir, bytes.Clone(b)})
	c.w.mu.Unlock()
	return c.Conn.Write(b)
}

// certificates, by the kind of their keys.
func certificate(t *testing.T, isRSA bool) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"m1"}}
	if isRSA {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

const (
	asked = "GET / HTTP/1.1\r\n\r\n"
	parts = 40
)

func answer(i int) string { return strings.Repeat(fmt.Sprint("part ", i, "; "), 30*i) }

// talk lets a client and a server talk, and returns what went over the wire and the key log.
func talk(t *testing.T, version, suite uint16, isRSA bool) (pieces []piece, log string) {
	t.Helper()
	var keyLog bytes.Buffer
	a, b := net.Pipe()
	w := new(wiretap)
	c := tls.Client(tapped{a, w, 0}, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version,
		CipherSuites: []uint16{suite}, KeyLogWriter: &keyLog})
	s := tls.Server(tapped{b, w, 1}, &tls.Config{Certificates: []tls.Certificate{certificate(t, isRSA)}})
	done := make(chan error, 1)
	go func() {
		if _, err := io.ReadFull(s, make([]byte, len(asked))); err != nil {
			done <- err
			return
		}
		for i := range parts {
			if _, err := s.Write([]byte(answer(i))); err != nil {
				done <- err
				return
			}
		}
		done <- s.Close()
	}()
	if _, err := c.Write([]byte(asked)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := c.ConnectionState(); got.Version != version || version == tls.VersionTLS12 && got.CipherSuite != suite {
		t.Fatalf("version %x, suite %x", got.Version, got.CipherSuite)
	}
	return w.pieces, keyLog.String()
}

func want() string {
	var b strings.Builder
	for i := range parts {
		b.WriteString(answer(i))
	}
	return b.String()
}

func read(t *testing.T, log string, pieces []piece, step int, flip int) (got [2]string, err error) {
	t.Helper()
	keys, err := ours.ReadKeys(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	c := keys.NewConn(func(dir int, plain []byte) { got[dir^flip] += string(plain) })
	for _, p := range pieces {
		for b := range slices.Chunk(p.bytes, step) {
			if err := c.Data(p.dir^flip, b); err != nil {
				return got, err
			}
		}
	}
	return got, nil
}

var versions = []struct {
	name           string
	version, suite uint16
	isRSA          bool
}{
	{"1.3", tls.VersionTLS13, 0, false},
	{"1.2 RSA AES-128-GCM", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true},
	{"1.2 RSA AES-256-GCM", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, true},
	{"1.2 RSA ChaCha20", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, true},
	{"1.2 ECDSA AES-128-GCM", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, false},
	{"1.2 ECDSA AES-256-GCM", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, false},
	{"1.2 ECDSA ChaCha20", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, false},
}

// What Go's own TLS sends is read, in each version and suite, in pieces of any size.
func TestRead(t *testing.T) {
	for _, v := range versions {
		pieces, log := talk(t, v.version, v.suite, v.isRSA)
		for _, step := range []int{1, 1000, 1 << 20} {
			for flip := range 2 {
				got, err := read(t, log, pieces, step, flip)
				if err != nil || got[0] != asked || got[1] != want() {
					t.Errorf("%s, pieces of %d: %v, %q and %d bytes, want %d", v.name, step, err, got[0], len(got[1]), len(want()))
				}
			}
		}
		if _, err := read(t, "# nothing\n", pieces, 1000, 0); err == nil {
			t.Errorf("%s: read without secrets", v.name)
		}
		testLost(t, v.name, log, pieces)
		testFlipped(t, log, pieces)
	}
}

// testLost takes bytes out behind the handshake: what is read then is part of what was sent, and its end.
func testLost(t *testing.T, name, log string, pieces []piece) {
	t.Helper()
	keys, err := ours.ReadKeys(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range []int{3, 10, 20} { // of the last pieces
		got := ""
		c := keys.NewConn(func(dir int, plain []byte) {
			if dir == 1 {
				got += string(plain)
			}
		})
		at := len(pieces) - 1 - missing
		for i, p := range pieces {
			b := p.bytes
			if i == at && p.dir == 1 { // its second half, and the whole next one
				b = b[:len(b)/2]
			}
			if i == at+1 {
				c.Lost(1)
				b = b[len(b)/3:]
			}
			if err := c.Data(p.dir, b); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !strings.HasSuffix(got, answer(parts-1)) || len(got) >= len(want()) {
			t.Errorf("%s, %d before the end lost: %d bytes of %d, to %.20q", name, missing, len(got), len(want()), got[max(len(got)-20, 0):])
		}
	}
}

// testFlipped flips bytes: nothing that was never sent is read.
func testFlipped(t *testing.T, log string, pieces []piece) {
	t.Helper()
	whole := want()
	for i := 0; i < len(pieces); i += 3 {
		for at := 0; at < len(pieces[i].bytes); at += 1 + len(pieces[i].bytes)/20 {
			b := slices.Clone(pieces)
			b[i].bytes = bytes.Clone(b[i].bytes)
			b[i].bytes[at] ^= 0x40
			got, _ := read(t, log, b, 1<<20, 0)
			if !strings.HasPrefix(whole, got[1]) || !strings.HasPrefix(asked, got[0]) {
				t.Fatalf("piece %d, byte %d: %q", i, at, got)
			}
		}
	}
}

func TestReadKeys(t *testing.T) {
	random, secret := strings.Repeat("ab", 32), strings.Repeat("cd", 48)
	keys, err := ours.ReadKeys(strings.NewReader("# by hand\n\nCLIENT_RANDOM " + random + " " + secret + "\nEXPORTER_SECRET " + random + " " + secret + "\n"))
	if err != nil || keys.Len() != 1 {
		t.Errorf("%v, %v", keys, err)
	}
	for _, line := range []string{"CLIENT_RANDOM", "CLIENT_RANDOM ab " + secret, "CLIENT_RANDOM " + random + " xy", "CLIENT_RANDOM " + random + " " + strings.Repeat("ab", 65)} {
		if _, err := ours.ReadKeys(strings.NewReader("\n" + line + "\n")); err == nil || !strings.Contains(err.Error(), "line 2: ") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// FuzzConn reads anything.
func FuzzConn(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05hello"), []byte("\x16\x03\x03\x00\x05hello"))
	f.Fuzz(func(_ *testing.T, a, b []byte) {
		keys, err := ours.ReadKeys(strings.NewReader("CLIENT_RANDOM " + strings.Repeat("00", 32) + " 00\n"))
		if err != nil {
			return
		}
		c := keys.NewConn(func(int, []byte) {})
		_ = c.Data(0, a)
		_ = c.Data(1, b)
		c.Lost(1)
		_ = c.Data(1, a)
	})
}
