package stream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// learner is a member that a test plays beside a real etcd, the leader.
type learner struct {
	t          *testing.T
	server     *etcdtest.Server
	peer       etcdtest.Peer
	id, leader uint64
	clusterID  uint64
	log        []raftpb.Entry // of index 1 on
}

// newLearner starts an etcd of one member and adds the learner to it.
func newLearner(t *testing.T, version string) *learner {
	t.Helper()
	peers := etcdtest.Peers(t, 2)
	peers[0].DataDir = t.TempDir()
	l := &learner{t: t, peer: peers[0]}
	l.server = etcdtest.StartCluster(t, version, peers[:1], append([]string{
		"--initial-cluster", etcdtest.InitialCluster(peers[:1])}, etcdtest.Quick...)...)[0]
	var added struct {
		Header struct {
			ClusterID uint64 `json:"cluster_id"`
			MemberID  uint64 `json:"member_id"`
		} `json:"header"`
		Member struct{ ID uint64 } `json:"member"`
	}
	out := l.server.Ctl("member", "add", "learner", "--learner", "--peer-urls", peers[1].URL, "-w", "json")
	if err := json.Unmarshal(out, &added); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	l.id, l.leader, l.clusterID = added.Member.ID, added.Header.MemberID, added.Header.ClusterID
	return l
}

// request sends one to the leader, with the headers that it wants.
func (l *learner) request(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.peer.URL+path, body)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"X-Server-From": hex(l.id), "X-Raft-To": hex(l.leader), "X-Etcd-Cluster-ID": hex(l.clusterID),
		"X-Server-Version": "3.5.0", "X-Min-Cluster-Version": "3.0.0", "X-PeerURLs": "http://127.0.0.1:1",
	} {
		req.Header.Set(name, value)
	}
	return http.DefaultClient.Do(req)
}

func hex(id uint64) string { return strconv.FormatUint(id, 16) }

// record is what came over a stream.
type record struct {
	bytes    bytes.Buffer // whole frames only
	messages []raftpb.Message
	err      error // other than that the test has ended
}

// listen records a stream until ctx ends, and passes its messages on.
func (l *learner) listen(ctx context.Context, c stream.Channel, heard chan<- raftpb.Message) *record {
	rec := new(record)
	resp, err := l.request(ctx, http.MethodGet, c.Path(l.id), nil)
	if err != nil {
		rec.err = err
		return rec
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		rec.err = fmt.Errorf("%s: %s", c, resp.Status)
		return rec
	}
	r := l.reader(c, io.TeeReader(resp.Body, &rec.bytes))
	for whole := 0; ; whole = int(r.Offset()) {
		var m raftpb.Message
		if err := r.Read(&m); err != nil {
			if ctx.Err() == nil {
				rec.err = err
			}
			rec.bytes.Truncate(whole)
			return rec
		}
		rec.messages = append(rec.messages, m)
		select {
		case heard <- m:
		case <-ctx.Done():
		}
	}
}

func (l *learner) reader(c stream.Channel, r io.Reader) interface {
	Read(*raftpb.Message) error
	Offset() int64
} {
	if c == stream.ChannelAppend {
		return stream.NewAppendReader(r, stream.Link{From: l.leader, To: l.id})
	}
	return stream.NewMessageReader(r)
}

// follow answers the leader's messages until the log has a length and each stream had a heartbeat.
func (l *learner) follow(heard <-chan raftpb.Message, length int) {
	l.t.Helper()
	late := time.After(time.Minute)
	for beats := 0; len(l.log) < length || beats < 3; {
		select {
		case <-late:
			l.t.Fatalf("%d entries and %d link heartbeats in a minute, want %d and 3", len(l.log), beats, length)
		case m := <-heard:
			switch {
			case stream.IsLinkHeartbeat(&m):
				beats++
			case m.Type == raftpb.MsgHeartbeat:
				l.post(raftpb.Message{Type: raftpb.MsgHeartbeatResp, Term: m.Term, Context: m.Context})
			case m.Type == raftpb.MsgApp:
				l.append(&m)
			default:
				l.t.Fatalf("a %v for a learner: %+v", m.Type, m)
			}
		}
	}
}

func (l *learner) append(m *raftpb.Message) {
	resp := raftpb.Message{Type: raftpb.MsgAppResp, Term: m.Term, Index: m.Index}
	if n := uint64(len(l.log)); m.Index > n {
		resp.Reject, resp.RejectHint = true, n
	} else {
		l.log = append(l.log[:m.Index], m.Entries...)
		resp.Index += uint64(len(m.Entries))
	}
	l.post(resp)
}

// post sends a message over the pipeline.
func (l *learner) post(m raftpb.Message) {
	l.t.Helper()
	m.From, m.To = l.id, l.leader
	body := bytes.NewReader(m.Marshal(raftpb.FlavorGogo))
	resp, err := l.request(l.t.Context(), http.MethodPost, stream.PathPipeline, body)
	if err != nil {
		l.t.Fatal(err)
	}
	_ = resp.Body.Close() // empty
	if resp.StatusCode != http.StatusNoContent {
		l.t.Fatalf("%v: %s", m.Type, resp.Status)
	}
}
