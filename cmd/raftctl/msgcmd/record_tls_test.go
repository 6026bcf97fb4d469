package msgcmd

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// secured is a cluster's TLS: what its members are given, which a test changes.
type secured struct {
	certs *etcdtest.Certs
	flags []string          // of the relay
	to    transport.TLSInfo // of the member behind it
	from  transport.TLSInfo // of who dials it
}

func newSecured(t *testing.T) *secured {
	t.Helper()
	c := etcdtest.NewCerts(t)
	info := transport.TLSInfo{CertFile: c.ServerCert, KeyFile: c.ServerKey, TrustedCAFile: c.CA, ClientCertAuth: true}
	return &secured{certs: c, flags: c.PeerFlags(), to: info, from: info}
}

// instead gives the relay another value for a flag, or for "" none.
func (s *secured) instead(flag, value string) {
	for i := 0; i < len(s.flags); i++ {
		if s.flags[i] == flag {
			s.flags[i+1] = value
			if value == "" {
				s.flags = append(s.flags[:i], s.flags[i+2:]...)
			}
			return
		}
	}
	s.flags = append(s.flags, flag, value)
}

// leaf makes a certificate of the cluster's authority.
func (s *secured) leaf(i *transport.TLSInfo, name string, change func(*x509.Certificate)) {
	i.CertFile, i.KeyFile = s.certs.Issue(name, change)
}

// serve answers as a member does, and returns where.
func (s *secured) serve(t *testing.T) string {
	t.Helper()
	scheme := "https"
	if s.to.Empty() {
		scheme = "http"
	}
	l, err := transport.NewListener("127.0.0.1:0", scheme, &s.to)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"etcdserver":"3.6.14","etcdcluster":"3.6.0"}`)
	})}
	go func() { _ = server.Serve(l) }() // until it is closed
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// ask asks a member for its version.
func (s *secured) ask(t *testing.T, at string) error {
	t.Helper()
	config, err := s.from.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	scheme := "https://"
	if s.from.Empty() && s.from.TrustedCAFile == "" {
		scheme = "http://"
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, Timeout: time.Minute}
	resp, err := client.Get(scheme + at + "/version")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// expired makes a certificate be one of yesterday.
func expired(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) }

// somewhere makes a certificate be for another address.
func somewhere(c *x509.Certificate) {
	c.IPAddresses, c.DNSNames = []net.IP{net.IPv4(127, 0, 0, 9)}, nil
}

// Who is not what the flags want is refused by the relay, on either side, and who refuses the relay is told of too.
func TestRecordTLSRefused(t *testing.T) {
	strangers := etcdtest.NewCerts(t)
	const (
		dialler  = `127\.0\.0\.1, which dialled 127\.0\.0\.1:\d+, is refused: `
		behind   = `the member at 127\.0\.0\.1:\d+ is refused: `
		dialler2 = `127\.0\.0\.1, which dialled 127\.0\.0\.1:\d+, refuses .*server.crt: `
		behind2  = `the member at 127\.0\.0\.1:\d+ refuses .*server.crt: `
	)
	for name, tc := range map[string]struct {
		change func(*secured)
		want   string // that is told; "": it works
	}{
		"all as it should be": {func(*secured) {}, ""},

		"who dials has no certificate": {func(s *secured) { s.from = transport.TLSInfo{TrustedCAFile: s.certs.CA} },
			dialler + `tls: client didn't provide a certificate; want TLS and a certificate by .*ca.crt`},
		"who dials is a stranger": {func(s *secured) { s.from.CertFile, s.from.KeyFile = strangers.ServerCert, strangers.ServerKey },
			dialler + `tls: failed to verify certificate: x509: certificate signed by unknown authority.*; want TLS and a certificate by .*ca.crt`},
		"who dials has an old certificate": {func(s *secured) { s.leaf(&s.from, "old", expired) },
			dialler + `the certificate expired at 20.*; want TLS and`},
		"who dials speaks plain text": {func(s *secured) { s.from = transport.TLSInfo{} },
			dialler + `tls: first record does not look like a TLS handshake; want TLS and`},
		"who dials has another's certificate": {func(s *secured) { s.leaf(&s.from, "far", somewhere) },
			dialler + `x509: certificate is valid for 127\.0\.0\.9, not 127\.0\.0\.1`},
		"who dials has another's certificate, which isn't looked at": {func(s *secured) {
			s.leaf(&s.from, "far", somewhere)
			s.flags = append(s.flags, "--peer-skip-client-san-verification")
		}, ""},
		"who dials is revoked": {func(s *secured) {
			s.leaf(&s.from, "revoked", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) })
			s.instead("--peer-crl-file", s.certs.Revoke(7))
		}, dialler + `transport: certificate serial 07 revoked`},
		"who dials has another name": {func(s *secured) { s.instead("--peer-cert-allowed-cn", "nobody,anybody") },
			dialler + `client certificate authentication failed`},
		"who dials has another host": {func(s *secured) { s.instead("--peer-cert-allowed-hostname", "a.test") },
			dialler + `client certificate authentication failed`},
		"names that are allowed": {func(s *secured) { s.instead("--peer-cert-allowed-cn", "nobody,somebody") }, ""},
		"hosts that are allowed": {func(s *secured) { s.instead("--peer-cert-allowed-hostname", etcdtest.ServerName) }, ""},
		"a certificate is wanted of who dials, by the system's authorities": {func(s *secured) {
			s.from = transport.TLSInfo{TrustedCAFile: s.certs.CA}
			s.instead("--peer-trusted-ca-file", "")
		}, dialler + `tls: client didn't provide a certificate; want TLS and a certificate by an authority of the system's`},
		"none is wanted": {func(s *secured) {
			s.from = transport.TLSInfo{TrustedCAFile: s.certs.CA}
			s.instead("--peer-trusted-ca-file", "")
			s.flags = s.flags[:len(s.flags)-1] // --peer-client-cert-auth
		}, behind + `tls: failed to verify certificate: x509: certificate signed by unknown authority; ` +
			`want TLS and a certificate for 127\.0\.0\.1 by an authority of the system's, as --peer-trusted-ca-file names none`},
		"who dials doesn't trust the relay": {func(s *secured) { s.from.TrustedCAFile = strangers.CA },
			dialler2 + `remote error: tls: bad certificate; want one for the host that it dialled, by an authority that it trusts`},

		"the member is a stranger": {func(s *secured) { s.to.CertFile, s.to.KeyFile = strangers.ServerCert, strangers.ServerKey },
			behind + `tls: failed to verify certificate: x509: certificate signed by unknown authority.*; ` +
				`want TLS and a certificate for 127\.0\.0\.1 by .*ca.crt`},
		"the member's certificate is old": {func(s *secured) { s.leaf(&s.to, "old", expired) },
			behind + `the certificate expired at 20.*; want TLS and`},
		"the member's certificate is another's": {func(s *secured) { s.leaf(&s.to, "far", somewhere) },
			behind + `tls: failed to verify certificate: x509: certificate is valid for 127\.0\.0\.9, not 127\.0\.0\.1`},
		"the member speaks plain text": {func(s *secured) { s.to = transport.TLSInfo{} },
			behind + `tls: first record does not look like a TLS handshake`},
		"the member doesn't trust the relay": {func(s *secured) { s.to.TrustedCAFile = strangers.CA },
			behind2 + `remote error: tls: .*; want one for the address that the relay dials from, by an authority that it trusts`},
		"the member takes the relay's certificate to be another's": {func(s *secured) {
			cert, key := s.certs.Issue("server", somewhere) // over the one that there is
			s.leaf(&s.to, "member", func(*x509.Certificate) {})
			s.from.CertFile, s.from.KeyFile = s.to.CertFile, s.to.KeyFile
			s.from.InsecureSkipVerify = true
			s.instead("--peer-cert-file", cert)
			s.instead("--peer-key-file", key)
		}, behind2 + `it ended the connection without a word`},
		"the relay has another certificate for the member": {func(s *secured) {
			cert, key := s.certs.Issue("relay", func(c *x509.Certificate) { c.Subject.CommonName = "relay" })
			s.flags = append(s.flags, "--peer-client-cert-file", cert, "--peer-client-key-file", key)
			s.to.AllowedCNs = []string{"relay"}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSecured(t)
			tc.change(s)
			dir := t.TempDir()
			args := append([]string{"record", "--listen", "127.0.0.1:0", "--to", s.serve(t), "-o", "talk"}, s.flags...)
			c := begin(t, dir, args...)
			at := c.says(t, `what (127.0.0.1:\d+) passes on to 127.0.0.1:\d+, in TLS; Ctrl-C`)
			err := s.ask(t, at)
			if (err == nil) != (tc.want == "") {
				t.Errorf("%v, want %q", err, tc.want)
			}
			count := " on 1 connection\n"
			if tc.want != "" {
				c.says(t, `(?m)^(`+tc.want+`.*)$`)
				count = "; TLS failed "
			}
			c.cancel()
			if err := <-c.done; err != nil {
				t.Error(err)
			}
			if s := c.err.String(); !strings.Contains(s, count) || strings.Contains(s, "PRIVATE") {
				t.Errorf("it says %q, want %q", s, count)
			}
		})
	}
}

// A certificate that is replaced is what the next connection is shown, and one that has become old is told of.
func TestRecordTLSReloads(t *testing.T) {
	s := newSecured(t)
	s.leaf(&s.to, "member", func(*x509.Certificate) {})
	c := begin(t, t.TempDir(), append([]string{"record", "--listen", "127.0.0.1:0", "--to", s.serve(t), "-o", "talk"}, s.flags...)...)
	at := c.says(t, `what (127.0.0.1:\d+) passes on to `)
	s.from.CertFile, s.from.KeyFile = s.to.CertFile, s.to.KeyFile
	if err := s.ask(t, at); err != nil {
		t.Fatal(err)
	}
	s.certs.Issue("server", expired)
	if err := s.ask(t, at); err == nil {
		t.Error("an old certificate is taken")
	}
	c.says(t, `refuses \S*server.crt (\(the certificate expired at 20.*\)): remote error: `)
	s.certs.Issue("server", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(77) })
	config, err := s.from.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", at, config)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); got != 77 {
		t.Errorf("certificate %d, want 77", got)
	}
	_ = conn.Close()
	c.cancel()
	if err := <-c.done; err != nil {
		t.Error(err)
	}
}

// Members try again ten times a second: a refusal is told once a minute, and others meanwhile.
func TestRefusalsTold(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	r := &refusals{a: &ui.App{Err: &out, Now: func() time.Time { return now }}}
	for range 10 {
		r.tell("one")
		r.tell("two")
		now = now.Add(10 * time.Second)
	}
	if out.String() != "one\ntwo\none\ntwo\n" || r.count() != 20 {
		t.Errorf("%d are counted, and told:\n%s", r.count(), out.String())
	}
}

// Three etcds speak TLS through relays of one process, over a restart of a member and one of the relays: what they
// said is in the recording, with their names, and nothing is missing that a relay passed on.
func TestRecordTLSReal(t *testing.T) {
	certs, peers, dir := etcdtest.NewCerts(t), etcdtest.Peers(t, 3), t.TempDir()
	args := append([]string{"record", "-o", "talk"}, certs.PeerFlags()...)
	var servers []*etcdtest.Server
	var flags [][]string
	for i := range peers {
		at := etcdtest.FreeAddr(t)
		to := strings.TrimPrefix(peers[i].URL, "http://")
		args = append(args, "--listen", at, "--to", to)
		peers[i].URL, peers[i].DataDir = "https://"+at, filepath.Join(t.TempDir(), "data")
		flags = append(flags, append(certs.PeerFlags(), "--listen-peer-urls", "https://"+to))
	}
	launch := func(i int) *etcdtest.Server {
		return peers[i].Launch(t, "3.6", append(append(flags[i], "--initial-cluster", etcdtest.InitialCluster(peers)), etcdtest.Quick...)...)
	}
	c := begin(t, dir, args...)
	c.says(t, `(in TLS)`)
	for i := range peers {
		servers = append(servers, launch(i))
	}
	healthy := func() {
		t.Helper()
		for _, s := range servers {
			if err := s.WaitHealthy(); err != nil {
				t.Fatalf("%v\n%s\n%s", err, s.Log(), c.err.String())
			}
		}
	}
	healthy()
	servers[0].Ctl("put", "first", "value")
	servers[2].Stop() // hands leadership over if it leads: what is proposed to a dead leader is lost
	servers[0].Ctl("put", "without-one", "value")
	servers[2] = launch(2)
	healthy()
	c.cancel()
	if err := <-c.done; err != nil {
		t.Fatal(err)
	}
	c = begin(t, dir, args...)
	c.says(t, `(in TLS)`)
	healthy()
	servers[1].Ctl("put", "another-relay", "value")
	servers[2].Ctl("get", "another-relay") // linearizable: it has it
	c.cancel()
	if err := <-c.done; err != nil {
		t.Fatal(err)
	}
	out, errs, err := runs(t, dir, "dump", "talk", "--type", "app,prop")
	for _, key := range []string{"first", "without-one", "another-relay"} {
		if !regexp.MustCompile(`m[123]→m[123] +App .*put ` + key).MatchString(out) {
			t.Errorf("%s isn't in it: %v, %s\n%s", key, err, errs, out)
		}
	}
	if out, _, _ := runs(t, dir, "dump", "talk", "--type", "gap"); strings.Contains(out, "TLS") {
		t.Errorf("TLS hides something:\n%s", out)
	}
}
