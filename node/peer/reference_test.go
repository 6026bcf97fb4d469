package peer

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	stats "go.etcd.io/etcd/server/v3/etcdserver/api/v2stats"
	"go.etcd.io/raft/v3"
	ref "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/raftpb"
)

// reference is etcd's own transport, with a listener.
type reference struct {
	*rafthttp.Transport
	*recorder
	id     uint64
	server *httptest.Server
	errors chan error
	dir    string // of databases that it received
}

func newReference(t testing.TB, id uint64, info transport.TLSInfo) *reference {
	t.Helper()
	r := &reference{recorder: newRecorder(), id: id, errors: make(chan error, 1), dir: t.TempDir()}
	r.Transport = &rafthttp.Transport{
		ID: types.ID(id), ClusterID: testCluster, Raft: refHandler{r.recorder}, ErrorC: r.errors, TLSInfo: info,
		Snapshotter: snap.New(zap.NewNop(), r.dir), ServerStats: stats.NewServerStats("", types.ID(id).String()),
		LeaderStats: stats.NewLeaderStats(zap.NewNop(), types.ID(id).String()), Logger: zap.NewNop(),
	}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.Handler().ServeHTTP(w, req)
	}))
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of panics that abort requests
	startServer(t, r.server, info, etcdListens()...)
	r.URLs = types.MustNewURLs([]string{r.server.URL})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Stop()
		r.server.Close()
	})
	return r
}

// asEtcd gives a transport the version of the reference.
func asEtcd(c *Config) { c.Version = func() string { return version.Version } }

// refHandler has a recorder take what the reference delivers.
type refHandler struct{ *recorder }

func (h refHandler) Process(ctx context.Context, m *ref.Message) error {
	return h.recorder.Process(ctx, fromRef(m))
}

func (h refHandler) IsIDRemoved(id uint64) bool { return h.IsRemoved(id) }

func (h refHandler) ReportSnapshot(id uint64, s raft.SnapshotStatus) {
	h.recorder.ReportSnapshot(id, s == raft.SnapshotFinish)
}

func fromRef(m *ref.Message) (ours raftpb.Message) {
	b, err := proto.Marshal(m)
	if err == nil {
		err = ours.Unmarshal(b)
	}
	if err != nil {
		panic(err) // what one codec writes, the other reads: the tests of raftpb
	}
	return ours
}

func toRef(list []raftpb.Message) (theirs []*ref.Message) {
	for i := range list {
		m := new(ref.Message)
		if err := proto.Unmarshal(list[i].Marshal(raftpb.FlavorPbgo), m); err != nil {
			panic(err) // as above
		}
		theirs = append(theirs, m)
	}
	return theirs
}

// send sends messages over the reference.
func (r *reference) send(list []raftpb.Message) { r.Send(toRef(list)) }
