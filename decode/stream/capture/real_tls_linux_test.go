package capture_test

import (
	"bytes"
	"context"
	gotls "crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/decode/stream/tls"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/raftpb"
)

// What two of ours and an etcd say to each other over TLS is read with the key logs of ours, whoever dialled, and not
// without.
func TestRealKeyLog(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.3": gotls.VersionTLS13, "TLS 1.2": gotls.VersionTLS12} {
		t.Run(name, func(t *testing.T) {
			peers, data, keyLog := talkTLS(t, version)
			keys, err := tls.ReadKeys(bytes.NewReader(keyLog))
			if err != nil {
				t.Fatal(err)
			}
			s := read(t, data, peers, keys)
			if len(s.gaps) > 0 {
				t.Errorf("gaps: %q", s.gaps)
			}
			compareLogs(t, s, peers)
			for _, want := range []raftpb.MessageType{raftpb.MsgApp, raftpb.MsgAppResp, raftpb.MsgHeartbeat, raftpb.MsgVoteResp, raftpb.MsgProp} {
				if s.types[want] == 0 {
					t.Errorf("no %v", want)
				}
			}
			if s.exchanges["/version200"] == 0 {
				t.Error("nobody was asked for its version")
			}
			testDamaged(t, data, s, peers, keys)
			s = read(t, data, peers, nil)
			if len(s.types) > 0 || len(s.exchanges) > 0 || len(s.gaps) == 0 {
				t.Errorf("without the secrets: %v, %v, gaps %q", s.types, s.exchanges, s.gaps)
			}
		})
	}
}

// talkTLS captures a cluster of two of ours and an etcd, and returns the key log of ours.
func talkTLS(t *testing.T, version uint16) (peers []etcdtest.Peer, data, keyLog []byte) {
	t.Helper()
	certs := etcdtest.NewCerts(t)
	info := transport.TLSInfo{
		CertFile: certs.ServerCert, KeyFile: certs.ServerKey, TrustedCAFile: certs.CA, ClientCertAuth: true, MaxVersion: version,
	}
	peers = etcdtest.Peers(t, 3)
	for i := range peers {
		peers[i].URL = strings.Replace(peers[i].URL, "http:", "https:", 1)
		peers[i].DataDir = t.TempDir()
	}
	p, initial := newTap(t, ports(t, peers)), etcdtest.InitialCluster(peers)
	theirs := peers[2].Launch(t, "3.6", append(append(certs.PeerFlags(), "--initial-cluster", initial), steady...)...)
	var log bytes.Buffer // written under a lock of crypto/tls
	var ours []*node.Node
	for _, p := range peers[:2] {
		n, err := node.Start(t.Context(), node.Config{
			Name: p.Name, DataDir: p.DataDir, ListenPeerURLs: []string{p.URL}, InitialCluster: initial, As: "3.6",
			PeerTLS: info, KeyLog: &log, Tick: 50 * time.Millisecond, ElectionTimeout: 500 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = n.Stop(context.Background()) }) // for a test that failed: it may be stopped already
		ours = append(ours, n)
	}
	if err := theirs.WaitHealthy(); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		theirs.Ctl("put", fmt.Sprint("key", i), strings.Repeat("v", 1+i*i*10))
	}
	for _, n := range ours { // have what was put
		if err := n.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	data = p.stop()
	theirs.Stop()
	for _, n := range ours {
		if err := n.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	return peers, data, log.Bytes()
}
