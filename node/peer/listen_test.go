package peer

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// door is a listener, with what became of the connections to it.
type door struct {
	net.Listener
	opened  chan net.Conn
	refused chan error
	done    sync.WaitGroup
}

// newDoor opens a listener: ours, or etcd's.
func newDoor(t *testing.T, ours bool, info transport.TLSInfo, keyLog *bytes.Buffer) *door {
	t.Helper()
	d := &door{opened: make(chan net.Conn), refused: make(chan error, 1)}
	info.HandshakeFailure = func(_ *tls.Conn, err error) { d.refused <- err }
	var err error
	if ours {
		d.Listener, err = Listen(&url.URL{Scheme: "https", Host: "127.0.0.1:0"}, &info, keyLog)
	} else {
		d.Listener, err = transport.NewListenerWithOpts("127.0.0.1:0", "https", transport.WithTLSInfo(&info))
	}
	if err != nil {
		t.Fatal(err)
	}
	d.done.Go(func() {
		for {
			c, err := d.Accept()
			if err != nil {
				return
			}
			d.opened <- c
		}
	})
	t.Cleanup(func() {
		_ = d.Close()
		d.done.Wait()
	})
	return d
}

// knock connects, and returns why the connection was refused. What the server showed is told where it was not.
func (d *door) knock(t *testing.T, config *tls.Config) (state tls.ConnectionState, refused error) {
	t.Helper()
	raw, err := net.Dial("tcp", d.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if config == nil {
		if _, err := raw.Write([]byte("GET / HTTP/1.1\r\nHost: here\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		return state, <-d.refused
	}
	c := tls.Client(raw, config)
	shaken := make(chan error, 1)
	go func() { shaken <- c.Handshake() }()
	select {
	case err := <-d.refused:
		return state, err
	case other := <-d.opened:
		defer func() { _ = other.Close() }()
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
		return c.ConnectionState(), nil
	}
}

// dialer is the other side of TLS, with a certificate if there is one.
func dialer(t *testing.T, ca, certFile, keyFile string) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: etcdtest.ServerName}
	c.RootCAs.AppendCertsFromPEM(pem)
	if certFile == "" {
		return c
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return c
}

// hosts makes a certificate be for these.
func hosts(addresses []net.IP, names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = addresses, names }
}

// The peers' port takes whom etcd's takes, and refuses others with the same words.
func TestListenBesideEtcd(t *testing.T) {
	certs, strangers := etcdtest.NewCerts(t), etcdtest.NewCerts(t)
	elsewhere := []net.IP{net.IPv4(127, 0, 0, 9)}
	crl := certs.Revoke(7)
	for _, tc := range []struct {
		name   string
		server func(*transport.TLSInfo)
		leaf   func(*x509.Certificate) // of the one who connects; nil: has none
		by     *etcdtest.Certs         // who signed it; nil: the authority
		want   string                  // in the refusal; empty: is taken
		differ bool                    // the refusal is worded by the system's resolver
	}{
		{name: "for its address", leaf: hosts([]net.IP{net.IPv4(127, 0, 0, 1)})},
		{name: "no certificate", want: "didn't provide a certificate"},
		{name: "no certificate is asked for", server: func(i *transport.TLSInfo) { i.ClientCertAuth, i.TrustedCAFile = false, "" }},
		{name: "a stranger's", leaf: hosts(nil), by: strangers, want: "unknown authority"},
		{name: "for any host", leaf: hosts(nil)},
		{name: "for another address", leaf: hosts(elsewhere), want: "valid for 127.0.0.9, not 127.0.0.1"},
		{name: "for its name", leaf: hosts(nil, "localhost")},
		{name: "for its name and another address", leaf: hosts(elsewhere, "localhost")},
		{name: "for another name", leaf: hosts(nil, "nowhere.invalid"), differ: true,
			want: `tls: "127.0.0.1" does not match any of DNSNames ["nowhere.invalid"]`},
		{name: "for another host, not looked at", leaf: hosts(elsewhere, "nowhere.invalid"),
			server: func(i *transport.TLSInfo) { i.SkipClientSANVerify = true }},
		{name: "a list of revoked ones", leaf: hosts(nil), server: func(i *transport.TLSInfo) { i.CRLFile = crl }},
		{name: "revoked", server: func(i *transport.TLSInfo) { i.CRLFile = crl }, want: "serial 07 revoked",
			leaf: func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) }},
		{name: "no list of revoked ones", leaf: hosts(nil), want: "no such file",
			server: func(i *transport.TLSInfo) { i.CRLFile = crl + ".gone" }},
		{name: "a name that is allowed", leaf: hosts(nil),
			server: func(i *transport.TLSInfo) { i.AllowedCNs = []string{"nobody", "somebody"} }},
		{name: "a name that isn't", leaf: hosts(nil), want: "client certificate authentication failed",
			server: func(i *transport.TLSInfo) { i.AllowedCNs = []string{"nobody"} }},
		{name: "a host that is allowed", leaf: func(*x509.Certificate) {},
			server: func(i *transport.TLSInfo) { i.AllowedHostnames = []string{etcdtest.ServerName} }},
		{name: "a host that isn't", leaf: func(*x509.Certificate) {}, want: "client certificate authentication failed",
			server: func(i *transport.TLSInfo) { i.AllowedHostnames = []string{"nobody.test"} }},
	} {
		info := transport.TLSInfo{
			CertFile: certs.ServerCert, KeyFile: certs.ServerKey, TrustedCAFile: certs.CA, ClientCertAuth: true,
		}
		if tc.server != nil {
			tc.server(&info)
		}
		config := dialer(t, certs.CA, "", "")
		if tc.leaf != nil {
			by := certs
			if tc.by != nil {
				by = tc.by
			}
			cert, key := by.Issue("leaf", tc.leaf)
			config = dialer(t, certs.CA, cert, key)
		}
		var text [2]string
		for i, ours := range []bool{true, false} {
			if _, err := newDoor(t, ours, info, new(bytes.Buffer)).knock(t, config); err != nil {
				text[i] = err.Error()
			}
		}
		if (text[0] == "") != (tc.want == "") || !strings.Contains(text[0], tc.want) || text[0] != text[1] && !tc.differ {
			t.Errorf("%s: %q, and etcd %q, want %q", tc.name, text[0], text[1], tc.want)
		}
	}
}

// Bounds of TLS versions hold, and who doesn't speak it is refused.
func TestListenVersions(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	info := transport.TLSInfo{CertFile: certs.ServerCert, KeyFile: certs.ServerKey, MaxVersion: tls.VersionTLS12}
	config := dialer(t, certs.CA, "", "")
	for _, ours := range []bool{true, false} {
		d := newDoor(t, ours, info, new(bytes.Buffer))
		if state, err := d.knock(t, config); err != nil || state.Version != tls.VersionTLS12 {
			t.Errorf("ours %v: version %x, %v, want %x", ours, state.Version, err, tls.VersionTLS12)
		}
		if _, err := d.knock(t, nil); err == nil || !strings.Contains(err.Error(), "does not look like a TLS handshake") {
			t.Errorf("ours %v: plain text: %v", ours, err)
		}
	}
}

// A certificate that is replaced is the one that the next connection is shown.
func TestListenReloads(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	cert, key := certs.Issue("own", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(11) })
	config := dialer(t, certs.CA, "", "")
	d := newDoor(t, true, transport.TLSInfo{CertFile: cert, KeyFile: key}, new(bytes.Buffer))
	for _, want := range []int64{11, 12} {
		certs.Issue("own", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(want) })
		state, err := d.knock(t, config)
		if err != nil {
			t.Fatal(err)
		}
		if got := state.PeerCertificates[0].SerialNumber.Int64(); got != want {
			t.Errorf("certificate %d, want %d", got, want)
		}
	}
}

// A connection that says nothing keeps no other from being served, and goes when the port does.
func TestListenHanging(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	d := newDoor(t, true, transport.TLSInfo{CertFile: certs.ServerCert, KeyFile: certs.ServerKey}, new(bytes.Buffer))
	silent, err := net.Dial("tcp", d.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	if _, err := d.knock(t, dialer(t, certs.CA, "", "")); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if n, err := silent.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes for who says nothing", n)
	}
	if _, err := d.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after it was closed: %v", err)
	}
	select {
	case err := <-d.refused:
		t.Errorf("refused for want of a port: %v", err)
	default:
	}
}

// The secrets of sessions are told to who wants them, and those of each session but once.
func TestListenKeyLog(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	var server, client bytes.Buffer
	d := newDoor(t, true, transport.TLSInfo{CertFile: certs.ServerCert, KeyFile: certs.ServerKey}, &server)
	config := dialer(t, certs.CA, "", "")
	config.KeyLogWriter = &client
	for range 2 {
		if _, err := d.knock(t, config); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(client.String()) {
		if strings.Count(server.String(), line) != 1 {
			t.Errorf("%q, want in it once %q", server.String(), line)
		}
	}
	if n := strings.Count(client.String(), "\n"); n < 8 {
		t.Errorf("%d secrets of two sessions, want 8", n)
	}
}

func TestListenRefuses(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	for _, info := range []transport.TLSInfo{{}, {CertFile: gone, KeyFile: gone}} {
		if l, err := Listen(&url.URL{Scheme: "https", Host: "127.0.0.1:0"}, &info, nil); err == nil {
			t.Errorf("%v is taken", info)
			_ = l.Close()
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		name, host string
		want       bool
	}{
		{"a.test", "a.test", true},
		{"a.test", "b.a.test", false},
		{"*.a.test", "b.a.test", true},
		{"*.a.test", "a.test", false},
		{"*.a.test", "b.c.test", false},
	} {
		if got := covers(tc.name, tc.host); got != tc.want {
			t.Errorf("%s covers %s: %v, want %v", tc.name, tc.host, got, tc.want)
		}
	}
}
