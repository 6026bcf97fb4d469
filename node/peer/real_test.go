package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// realVersions are those of etcd that ours may be in one cluster with.
var realVersions = []string{"3.4", "3.5", "3.6", "3.7"}

// follower is a member that does no more than take the log, beside a real etcd that leads.
type follower struct {
	*recorder
	t       *testing.T
	version string
	server  *etcdtest.Server
	dir     string // of the leader
	file    string // the database of a snapshot
	id      uint64
	leader  uint64
	peer    atomic.Pointer[Etcd]

	logMu sync.Mutex
	base  uint64 // the log begins behind it
	log   []raftpb.Entry
	snaps int
}

// follow starts an etcd of one member, fills it, and adds a follower as a learner.
func follow(t *testing.T, version string, keys int, info transport.TLSInfo, args ...string) *follower {
	t.Helper()
	f := &follower{
		recorder: newRecorder(), t: t, version: version,
		dir: t.TempDir(), file: filepath.Join(t.TempDir(), "db"),
	}
	peers := etcdtest.Peers(t, 1)
	peers[0].DataDir = f.dir
	if !info.Empty() {
		peers[0].URL = strings.Replace(peers[0].URL, "http:", "https:", 1)
		args = append(args, "--peer-cert-file", info.CertFile, "--peer-key-file", info.KeyFile,
			"--peer-trusted-ca-file", info.TrustedCAFile, "--peer-client-cert-auth")
	}
	args = append(args, "--initial-cluster", etcdtest.InitialCluster(peers),
		"--heartbeat-interval", "50", "--election-timeout", "500")
	f.server = etcdtest.StartCluster(t, version, peers, args...)[0]
	f.put(keys)
	f.onProcess, f.onSave = f.process, f.save
	// It is known who it is only once it was added, which needs its URL.
	at := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := f.peer.Load(); c != nil {
			c.HTTP().ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	startServer(t, at, info)
	t.Cleanup(at.Close)
	var added struct {
		Header struct {
			ClusterID uint64 `json:"cluster_id"`
			MemberID  uint64 `json:"member_id"`
		} `json:"header"`
		Member struct{ ID uint64 } `json:"member"`
	}
	out := f.server.Ctl("member", "add", "follower", "--learner", "--peer-urls", at.URL, "-w", "json")
	if err := json.Unmarshal(out, &added); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	f.id, f.leader = added.Member.ID, added.Header.MemberID
	c, err := New(Config{
		ID: f.id, ClusterID: added.Header.ClusterID, Handler: f.recorder,
		URLs:    func() []string { return []string{at.URL} },
		Version: func() string { return version + ".0" }, TLS: info,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	f.peer.Store(c)
	if err := c.AddPeer(f.leader, []string{peers[0].URL}); err != nil {
		t.Fatal(err)
	}
	return f
}

// promote has etcd make a voter of it, which etcd does once its answers have come.
func (f *follower) promote() {
	f.t.Helper()
	ctl := etcdtest.Binary(f.t, f.version, "etcdctl")
	eventually(f.t, "etcd promotes it", func() bool {
		cmd := exec.Command(ctl, "--endpoints", f.server.URL(), "member", "promote", hex(f.id))
		cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
		return cmd.Run() == nil
	})
}

func (f *follower) put(keys int) {
	for i := range keys {
		f.server.Ctl("put", fmt.Sprint("key", i), fmt.Sprint("value", i))
	}
}

func (f *follower) process(_ context.Context, m raftpb.Message) error {
	resp := raftpb.Message{From: f.id, To: m.From, Term: m.Term}
	f.logMu.Lock()
	defer f.logMu.Unlock()
	switch m.Type {
	case raftpb.MsgHeartbeat:
		resp.Type, resp.Context = raftpb.MsgHeartbeatResp, m.Context
	case raftpb.MsgSnap:
		f.snaps++
		f.base, f.log = m.Snapshot.Metadata.Index, nil
		resp.Type, resp.Index = raftpb.MsgAppResp, f.base
	case raftpb.MsgApp:
		resp.Type, resp.Index = raftpb.MsgAppResp, m.Index
		if last := f.base + uint64(len(f.log)); m.Index > last {
			resp.Reject, resp.RejectHint = true, last
		} else if m.Index >= f.base {
			f.log = append(f.log[:m.Index-f.base], m.Entries...)
			resp.Index += uint64(len(m.Entries))
		}
	case raftpb.MsgVote, raftpb.MsgPreVote: // on a slow machine the leader may lose its office
		resp.Type = m.Type + 1
	default:
		return fmt.Errorf("a %v for a follower", m.Type)
	}
	f.peer.Load().Send([]raftpb.Message{resp})
	return nil
}

func (f *follower) save(_ *raftpb.Message, r io.Reader) error {
	w, err := os.Create(f.file)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	return w.Close()
}

// checkLog compares what the follower has with the leader's log on disk.
func (f *follower) checkLog() {
	f.t.Helper()
	log, err := wal.Open(os.DirFS(f.dir), ".")
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	f.logMu.Lock()
	defer f.logMu.Unlock()
	var want []raftpb.Entry
	for r, err := range log.Records(wal.Recover) {
		if err != nil {
			f.t.Fatal(err)
		}
		if r.Kind != wal.KindEntry || r.ID.Index <= f.base || r.ID.Index > f.base+uint64(len(f.log)) {
			continue
		}
		var e raftpb.Entry
		if err := e.Unmarshal(r.Data); err != nil {
			f.t.Fatal(err)
		}
		want = append(want, e)
	}
	if diff := cmp.Diff(want, f.log); diff != "" || len(want) == 0 {
		f.t.Errorf("-the leader's on disk +the follower's:\n%s", diff)
	}
}

// A real etcd takes a member of ours into its cluster: first as a learner, which it promotes only if its
// answers come, then as a voter, without which nothing is committed.
func TestRealEtcd(t *testing.T) {
	for name, info := range map[string]transport.TLSInfo{"plain": {}, "TLS": peerTLS(t)} {
		for _, version := range realVersions {
			t.Run(version+" "+name, func(t *testing.T) {
				t.Parallel()
				f := follow(t, version, 5, info)
				f.promote()
				f.put(20)
				awaitStreams(t, f.peer.Load(), f.leader)
				f.server.Stop()
				f.checkLog()
			})
		}
	}
}

// A real etcd sends a snapshot to a member that is too far behind.
func TestRealSnapshot(t *testing.T) {
	for _, version := range realVersions[1:] { // 3.4 has no flag for it
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			flag := "--snapshot-catchup-entries"
			if version == "3.5" {
				flag = "--experimental-snapshot-catchup-entries"
			}
			f := follow(t, version, 40, transport.TLSInfo{}, "--snapshot-count", "10", flag, "5")
			eventually(t, "a snapshot comes", func() bool {
				f.logMu.Lock()
				defer f.logMu.Unlock()
				return f.snaps > 0
			})
			f.promote()
			f.put(3)
			f.server.Stop()
			f.checkLog()
			db, err := bbolt.Open(f.file, 0o600, &bbolt.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			err = db.View(func(tx *bbolt.Tx) error {
				for err := range tx.Check() {
					return err
				}
				if n := tx.Bucket([]byte("key")).Stats().KeyN; n < 30 {
					return fmt.Errorf("%d revisions", n)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
