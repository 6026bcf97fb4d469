package node_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// lockedLog is a log that is read while it is written.
type lockedLog struct {
	mu  sync.Mutex
	log bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String()
}

// What connects to a peers' port without a certificate that is asked for is in the log.
func TestRejectedPeerIsLogged(t *testing.T) {
	certs, peers, log := etcdtest.NewCerts(t), etcdtest.Peers(t, 1), new(lockedLog)
	url := strings.Replace(peers[0].URL, "http:", "https:", 1)
	n, err := node.Start(t.Context(), node.Config{
		Name: "m1", DataDir: t.TempDir(), ListenPeerURLs: []string{url}, InitialCluster: "m1=" + url,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
		PeerTLS: transport.TLSInfo{
			CertFile: certs.ServerCert, KeyFile: certs.ServerKey, TrustedCAFile: certs.CA, ClientCertAuth: true,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAnyhow(n) })
	waitReady(t, n)
	c, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err == nil {
		_, err = c.Read(make([]byte, 1)) // until the other side closes it
		_ = c.Close()
	}
	if err == nil {
		t.Error("a connection without a certificate is taken")
	}
	const want = `msg="rejected connection on peer endpoint" remote-addr=127.0.0.1:`
	for end := time.Now().Add(time.Minute); !strings.Contains(log.String(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in the log: %s\n%s", want, log)
		}
	}
}
