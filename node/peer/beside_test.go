package peer

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
)

// beside makes members of each other of one of ours, with ID 1, and one of etcd's, with ID 2.
func beside(t testing.TB, info transport.TLSInfo, change ...func(*Config)) (*node, *reference) {
	t.Helper()
	ours := newNode(t, 1, append(change, func(c *Config) { c.TLS = info })...)
	theirs := newReference(t, 2, info)
	theirs.AddPeer(1, []string{ours.server.URL})
	if err := ours.AddPeer(2, []string{theirs.server.URL}); err != nil {
		t.Fatal(err)
	}
	awaitStreams(t, ours.Etcd, 2)
	eventually(t, "etcd's transport has streams", func() bool { return !theirs.ActiveSince(1).IsZero() })
	return ours, theirs
}

func peerTLS(t testing.TB) transport.TLSInfo {
	certs := etcdtest.NewCerts(t)
	return transport.TLSInfo{
		CertFile: certs.ServerCert, KeyFile: certs.ServerKey, TrustedCAFile: certs.CA, ClientCertAuth: true,
	}
}

// Every type of message arrives as it was sent, in either direction, in either flavour.
func TestBesideEtcd(t *testing.T) {
	for name, info := range map[string]transport.TLSInfo{"plain": {}, "TLS": peerTLS(t)} {
		for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			ours, theirs := beside(t, info, func(c *Config) { c.Flavor = flavor })
			want := everyType(1, 2)
			ours.Send(want)
			got := theirs.received(t, len(want))
			sortByType(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %v: -sent +etcd received:\n%s", name, flavor, diff)
			}
			want = everyType(2, 1)
			theirs.send(want)
			got = ours.received(t, len(want))
			sortByType(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %v: -etcd sent +received:\n%s", name, flavor, diff)
			}
		}
	}
}

// appendsOf are appends as a leader sends them, of which most are short frames.
func appendsOf(from, to uint64, n int) []raftpb.Message {
	var list []raftpb.Message
	for i := range uint64(n) {
		list = append(list, raftpb.Message{
			Type: raftpb.MsgApp, From: from, To: to, Term: 3, LogTerm: 3, Index: i, Commit: i,
			Entries: []raftpb.Entry{{Term: 3, Index: i + 1, Data: bytes.Repeat([]byte{byte(i)}, int(i%3000))}},
		})
	}
	return list
}

func TestAppendsBesideEtcd(t *testing.T) {
	ours, theirs := beside(t, transport.TLSInfo{})
	const n = 3000
	ours.Send(appendsOf(1, 2, n))
	if i := firstDifference(appendsOf(1, 2, n), theirs.received(t, n)); i >= 0 {
		t.Errorf("etcd received message %d differently", i)
	}
	theirs.send(appendsOf(2, 1, n))
	if i := firstDifference(appendsOf(2, 1, n), ours.received(t, n)); i >= 0 {
		t.Errorf("message %d of etcd differs", i)
	}
}

func TestSnapshotsBesideEtcd(t *testing.T) {
	ours, theirs := beside(t, transport.TLSInfo{})
	db, m := &database{size: 3 << 20}, snapshotMessage(1, 2)
	var want bytes.Buffer
	if _, err := db.WriteTo(&want); err != nil {
		t.Fatal(err)
	}
	ours.SendSnapshot(m, db)
	if diff := cmp.Diff([]raftpb.Message{m}, theirs.received(t, 1)); diff != "" {
		t.Error(diff)
	}
	got, err := os.ReadFile(filepath.Join(theirs.dir, "000000000000004d.snap.db"))
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("etcd stored %d bytes, %v, want %d", len(got), err, want.Len())
	}
	ours.wait(t, "report", func() bool { return len(ours.snapshots) == 1 && ours.snapshots[0] })

	m = snapshotMessage(2, 1)
	body := io.NopCloser(bytes.NewReader(want.Bytes()))
	theirs.SendSnapshot(snap.NewMessage(toRef([]raftpb.Message{m})[0], body, int64(want.Len())))
	if diff := cmp.Diff([]raftpb.Message{m}, ours.received(t, 1)); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(ours.databases[0], want.Bytes()) {
		t.Errorf("received %d bytes, want %d", len(ours.databases[0]), want.Len())
	}
	theirs.wait(t, "report", func() bool { return len(theirs.snapshots) == 1 && theirs.snapshots[0] })
}

// A member that was removed is told so by its streams and its posts, as etcd tells it.
func TestRemovedBesideEtcd(t *testing.T) {
	ours, theirs := newNode(t, 1), newReference(t, 2, transport.TLSInfo{})
	ours.removed[2] = true
	theirs.AddPeer(1, []string{ours.server.URL})
	if err := <-theirs.errors; err == nil {
		t.Error("etcd doesn't stop")
	}
	ours, theirs = newNode(t, 1), newReference(t, 2, transport.TLSInfo{})
	theirs.removed[1] = true
	if err := ours.AddPeer(2, []string{theirs.server.URL}); err != nil {
		t.Fatal(err)
	}
	ours.wait(t, "told", func() bool { return len(ours.toldRemoved) > 0 && ours.toldRemoved[0] == 2 })
}
