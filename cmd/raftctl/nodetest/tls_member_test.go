package nodetest

import (
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// strangeMember is a cluster in TLS, one of whose members has a certificate that the others don't take.
type strangeMember struct {
	t     *testing.T
	peers []etcdtest.Peer
	urls  []string // of clients, in plain text
	logs  []func() string
}

// start starts a member, ours or an etcd, with a certificate and its key.
func (s *strangeMember) start(ours bool, i int, ca, cert, key string) {
	p := s.peers[i]
	args := append([]string{
		"--name", p.Name, "--listen-client-urls", s.urls[i], "--advertise-client-urls", s.urls[i],
		"--listen-peer-urls", p.URL, "--initial-advertise-peer-urls", p.URL, "--initial-cluster", etcdtest.InitialCluster(s.peers),
		"--peer-cert-file", cert, "--peer-key-file", key, "--peer-trusted-ca-file", ca, "--peer-client-cert-auth",
		"--peer-cert-allowed-cn", "somebody",
	}, quick...)
	if ours {
		m := launch(s.t, append(args, "--data-dir", s.t.TempDir(), "--as", "3.7")...)
		s.logs = append(s.logs, m.said)
		return
	}
	log := s.t.TempDir() + "/log"
	etcdtest.Launch(s.t, "3.7", s.t.TempDir(), append(args, "--log-outputs", log)...)
	s.logs = append(s.logs, func() string {
		b, err := os.ReadFile(log)
		if err != nil {
			return "" // not there yet
		}
		return string(b)
	})
}

// healthy tells whether a member serves. One that never did doesn't answer at all.
func (s *strangeMember) healthy(i int) bool {
	client := http.Client{Timeout: 2 * time.Second}
	resp, err := client.Get(s.urls[i] + "/health")
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// await waits until something is so.
func (s *strangeMember) await(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(startTimeout); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("it doesn't come to it that %s", what)
		}
	}
}

// A member whose certificate isn't taken stands alone, among ours and among etcds; the others serve, and say why they refuse it.
// Once its files are replaced it is one of them, without a restart of anybody.
func TestTLSStrangeMember(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ours   [3]bool // the last one is the strange one
		change func(*x509.Certificate)
		other  bool // its certificate is by another authority
		reason string
	}{
		{"old one of an etcd", [3]bool{true, true, false}, expired, false, "certificate has expired"},
		{"old one of ours", [3]bool{false, false, true}, expired, false, "certificate has expired"},
		{"of another name", [3]bool{true, true, true}, func(c *x509.Certificate) { c.Subject.CommonName = "somebody else" },
			false, "client certificate authentication failed"},
		{"a stranger's", [3]bool{true, true, false}, func(*x509.Certificate) {}, true, "unknown authority"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			certs := etcdtest.NewCerts(t)
			by := certs
			if tc.other {
				by = etcdtest.NewCerts(t)
			}
			s := &strangeMember{t: t, peers: etcdtest.Peers(t, 3)}
			for i := range s.peers {
				s.peers[i].URL = strings.Replace(s.peers[i].URL, "http:", "https:", 1)
				s.urls = append(s.urls, "http://"+etcdtest.FreeAddr(t))
			}
			bad, badKey := by.Issue("strange", tc.change)
			s.start(tc.ours[0], 0, certs.CA, certs.ServerCert, certs.ServerKey)
			s.start(tc.ours[1], 1, certs.CA, certs.ServerCert, certs.ServerKey)
			s.start(tc.ours[2], 2, certs.CA, bad, badKey)
			for i := range 2 {
				s.await(s.peers[i].Name+" serves", func() bool { return s.healthy(i) })
				s.await(s.peers[i].Name+" says why it refuses one", func() bool {
					log := s.logs[i]()
					return strings.Contains(log, "rejected connection on peer endpoint") && strings.Contains(log, tc.reason)
				})
			}
			if s.healthy(2) {
				t.Error("the strange one is healthy")
			}
			good, goodKey := certs.Issue("good", func(*x509.Certificate) {})
			replace(t, goodKey, badKey)
			replace(t, good, bad)
			for i := range 3 {
				s.await(s.peers[i].Name+" serves in the end", func() bool { return s.healthy(i) })
			}
		})
	}
}

// expired makes a certificate be one of yesterday.
func expired(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) }

// replace puts a file in another one's place.
func replace(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
