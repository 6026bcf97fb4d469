package nodetest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// secured is a member whose ports speak TLS: one of ours or an etcd.
type secured struct {
	client, http, peer string        // host:port
	log                func() string // ends it
}

// start starts a member of a release: ours, or an etcd. Where it is asked whether it is healthy is plain, so that it can be
// asked whatever its certificates are.
func (m *misused) start(t *testing.T, release string, ours bool) *secured {
	t.Helper()
	s := &secured{client: etcdtest.FreeAddr(t), peer: etcdtest.FreeAddr(t)}
	s.http = s.client
	scheme := "https://"
	if m.plain {
		scheme = "http://"
	}
	metrics, client, peer := "http://"+etcdtest.FreeAddr(t), scheme+s.client, scheme+s.peer
	args := append([]string{
		"--name", "m1", "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
		"--initial-advertise-peer-urls", peer, "--initial-cluster", "m1=" + peer, "--listen-metrics-urls", metrics,
	}, slices.Concat(quick, m.flags)...)
	if m.apart {
		s.http = etcdtest.FreeAddr(t)
		args = append(args, "--listen-client-http-urls", scheme+s.http)
	}
	if ours {
		one := launch(t, append(args, "--data-dir", t.TempDir(), "--as", release)...)
		s.log = func() string {
			one.stop()
			return one.said()
		}
	} else {
		s.log = etcdtest.Launch(t, release, t.TempDir(), args...).Log
	}
	for end := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(metrics + "/health")
		if err == nil {
			_ = resp.Body.Close()
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("ours %v, not healthy: %v", ours, err)
		}
	}
}

// dialler is who connects to a port.
type dialler struct {
	name   string
	config *tls.Config // nil: in plain text
}

// askHTTP asks a port for something, and returns the status or why there is none.
func (d *dialler) askHTTP(t *testing.T, addr, path string) string {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	conn := raw
	if d.config != nil {
		conn = tls.Client(raw, d.config)
	}
	_, failed := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: "+addr+"\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if failed != nil && kindOf(err.Error()) == hungUp {
			err = failed
		}
		return kindOf(err.Error())
	}
	_ = resp.Body.Close()
	return resp.Status
}

// askGRPC puts a key.
func (d *dialler) askGRPC(t *testing.T, addr string) string {
	t.Helper()
	by := insecure.NewCredentials()
	if d.config != nil {
		by = credentials.NewTLS(d.config.Clone())
	}
	conn, err := grpc.NewClient("passthrough:"+addr, grpc.WithTransportCredentials(by))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err = pb.NewKVClient(conn).Put(ctx, &pb.PutRequest{Key: []byte("a")}); err != nil {
		return kindOf(err.Error())
	}
	return "put"
}

// hungUp is what all the ways are called in which a connection ends without a reason.
const hungUp = "hung up"

// kinds are what errors are taken to be, the first that matches.
var kinds = []*regexp.Regexp{
	regexp.MustCompile(`remote error: tls: [a-z ]+`),
	regexp.MustCompile(`x509: [a-zA-Z ]+`),
	regexp.MustCompile(`tls: [a-zA-Z ]+`),
}

// kindOf returns what kind of an error it is, without what differs between two members.
func kindOf(text string) string {
	for _, s := range kinds {
		if found := s.FindString(text); found != "" {
			return found
		}
	}
	for _, end := range []string{"EOF", "connection reset", "broken pipe", "server preface"} {
		if strings.Contains(text, end) {
			return hungUp
		}
	}
	return text
}

// misused are flags of a member, and who connects to it.
type misused struct {
	name   string
	plain  bool // it has no TLS
	apart  bool // HTTP has a port of its own
	flags  []string
	others []dialler // beside one who is served
	served dialler
}

// guests makes certificates, and those who have them.
type guests struct {
	t     *testing.T
	certs *etcdtest.Certs
	roots *x509.CertPool
}

func newGuests(t *testing.T) *guests {
	t.Helper()
	g := &guests{t, etcdtest.NewCerts(t), x509.NewCertPool()}
	pem, err := os.ReadFile(g.certs.CA)
	if err != nil {
		t.Fatal(err)
	}
	g.roots.AppendCertsFromPEM(pem)
	return g
}

// with returns one who has a certificate that change has altered; nil: without.
func (g *guests) with(name string, by *etcdtest.Certs, change func(*x509.Certificate)) dialler {
	g.t.Helper()
	config := &tls.Config{RootCAs: g.roots, ServerName: etcdtest.ServerName}
	if change != nil {
		pair, err := tls.LoadX509KeyPair(by.Issue(strings.ReplaceAll(name, " ", "-"), change))
		if err != nil {
			g.t.Fatal(err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return dialler{name, config}
}

// of is a number that makes certificates different.
func of(number int64) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.SerialNumber = big.NewInt(number) }
}

// misuses are what is done to members.
func (g *guests) misuses() []misused {
	c, plain := g.certs, dialler{"plain text", nil}
	server := serverFlags(c.ServerCert, c.ServerKey)
	wanted := slices.Concat(server, []string{
		"--client-cert-auth", "--trusted-ca-file", c.CA, "--peer-client-cert-auth", "--peer-trusted-ca-file", c.CA,
	})
	all := []dialler{
		g.with("no certificate", nil, nil),
		g.with("a stranger", etcdtest.NewCerts(g.t), of(3)),
		g.with("an old certificate", c, expired),
		g.with("a certificate of tomorrow", c, func(c *x509.Certificate) { c.NotBefore = c.NotAfter.Add(-time.Hour) }),
		g.with("a certificate of a server", c, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		g.with("a revoked certificate", c, of(7)),
		g.with("another address", c, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = []net.IP{net.IPv4(127, 0, 0, 9)}, nil }),
		g.with("another name", c, func(c *x509.Certificate) { c.Subject.CommonName = "somebody else" }),
		g.with("another host", c, func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.test"} }),
		g.old(g.with("TLS 1.1", c, of(4))),
		{"one who doesn't trust it", &tls.Config{RootCAs: x509.NewCertPool(), ServerName: etcdtest.ServerName}},
		plain,
	}
	old, oldKey := c.Issue("old-server", expired)
	good := g.with("one who is served", c, of(5))
	revoked := slices.Concat(wanted, []string{"--client-crl-file", c.Revoke(7), "--peer-crl-file", c.Revoke(7)})
	names := slices.Concat(wanted, []string{
		"--client-cert-allowed-hostname", etcdtest.ServerName, "--peer-cert-allowed-cn", "somebody",
	})
	return []misused{
		{name: "certificates are wanted", flags: revoked, others: all, served: good},
		{name: "by gRPC alone, too", flags: revoked, others: all, served: good, apart: true},
		{name: "names are wanted", flags: names, others: all, served: good},
		{name: "certificates are not wanted", flags: server, others: all, served: good},
		{name: "its own is old", flags: serverFlags(old, oldKey), others: all, served: dialler{good.name, &tls.Config{InsecureSkipVerify: true}}},
		{name: "plain", plain: true, others: []dialler{all[0]}, served: plain},
	}
}

// serverFlags give a member its certificate for both ports.
func serverFlags(cert, key string) []string {
	return []string{"--cert-file", cert, "--key-file", key, "--peer-cert-file", cert, "--peer-key-file", key}
}

// old makes one speak nothing later than TLS 1.1.
func (g *guests) old(d dialler) dialler {
	d.config.MinVersion, d.config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return d
}

// Who connects in a way that isn't right is told by a member of ours what an etcd with the same flags tells him, on either
// port; others are served meanwhile, and the log has etcd's reasons.
func TestTLSMisuse(t *testing.T) {
	for _, release := range releases {
		for _, m := range newGuests(t).misuses() {
			t.Run(release+" "+m.name, func(t *testing.T) {
				t.Parallel()
				both := [2]*secured{m.start(t, release, true), m.start(t, release, false)}
				for _, d := range slices.Concat(m.others, []dialler{m.served}) {
					ours, etcds := both[0].told(t, d), both[1].told(t, d)
					for i := 0; i < 50 && mayBeLost(ours, etcds); i++ {
						ours, etcds = both[0].told(t, d), both[1].told(t, d)
					}
					if ours != etcds {
						t.Errorf("%s:\n ours %q\n etcd %q", d.name, ours, etcds)
					}
					for _, s := range both {
						if got := s.told(t, m.served); got[0] != "put" || got[2] != "200 OK" || got[3] != "200 OK" {
							t.Errorf("after %s, others are told %q", d.name, got)
						}
					}
				}
				ours := rejections(both[0].log())
				for _, reason := range rejections(both[1].log()) {
					if !slices.Contains(ours, reason) {
						t.Errorf("not in the log: %s\n%q", reason, ours)
					}
				}
			})
		}
	}
}

// told returns what one is told at each port.
func (s *secured) told(t *testing.T, by dialler) [4]string {
	t.Helper()
	return [4]string{
		by.askGRPC(t, s.client), by.askHTTP(t, s.client, "/health"), by.askHTTP(t, s.http, "/health"), by.askHTTP(t, s.peer, "/version"),
	}
}

// mayBeLost tells whether answers differ for no more than a reason that was sent right before the end of a connection, and
// perhaps not received.
func mayBeLost(a, b [4]string) bool {
	for i := range a {
		if a[i] != b[i] && a[i] != hungUp && b[i] != hungUp {
			return false
		}
	}
	return a != b
}

// rejections returns the reasons for which a log says that connections were not taken, each once.
func rejections(log string) []string {
	var list []string
	for line := range strings.Lines(log) {
		var l struct{ Msg, Error string }
		if json.Unmarshal([]byte(line), &l) == nil && strings.HasPrefix(l.Msg, "rejected connection") {
			list = append(list, l.Msg+": "+ownAddress.ReplaceAllString(l.Error, "ADDRESS"))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ownAddress matches what differs in errors: addresses, and the time.
var ownAddress = regexp.MustCompile(`127\.0\.0\.1:\d+|current time [^ ]+`)
