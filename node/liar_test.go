package node_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// liars are the other members of a cluster of three: together they can have anything committed.
type liars struct {
	n   *node.Node
	url string
	ids []uint64
	rnd *rand.Rand

	term uint64 // that the last leader of them claimed
}

// Two members of three say what comes to their minds. The third one lives, or says that its log lost something, and nothing is in
// its log that a real etcd would end on: one starts on it.
func TestLiars(t *testing.T) {
	for seed := range uint64(etcdtest.Looks(t, 2)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			peers := etcdtest.Peers(t, 3)
			cfg := node.Config{
				DataDir: t.TempDir(), Name: peers[0].Name, ListenPeerURLs: []string{peers[0].URL},
				AdvertisePeerURLs: []string{peers[0].URL}, InitialCluster: etcdtest.InitialCluster(peers), As: "3.7",
			}
			n := startOne(t, cfg)
			l := &liars{n: n, url: peers[0].URL + "/raft", rnd: rand.New(rand.NewPCG(seed, 14))}
			for _, m := range n.Store().Cluster().Members() {
				if uint64(m.ID) != n.ID() {
					l.ids = append(l.ids, uint64(m.ID))
				}
			}
			said, ended := map[int]int{}, 0
			for range 3000 {
				select {
				case <-l.n.Done():
					if help := (*node.HelpError)(nil); !errors.As(l.n.Err(), &help) {
						t.Fatal(l.n.Err())
					}
					ended++
					l.n = startOne(t, cfg)
				default:
					if status := l.say(t); status > 0 {
						said[status]++
					} else {
						<-l.n.Done()
					}
				}
			}
			t.Logf("answers: %v; ended %d times; term %d, commit %d", said, ended, l.n.Status().Term, l.n.Status().Committed)
			if said[http.StatusNoContent] == 0 || said[http.StatusInternalServerError] == 0 || l.n.Status().Committed < 10 {
				t.Error("nothing was refused, or nothing taken")
			}
			stopAnyhow(l.n)
			l.judge(t, cfg.DataDir)
		})
	}
}

// judge looks at what is in the log, and has an etcd start on it.
func (l *liars) judge(t *testing.T, dir string) {
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range view.Entries(0) {
		if err == nil {
			err = kv.Check(e.Entry, false)
		}
		if err != nil {
			t.Error(err)
		}
	}
	etcd := etcdtest.Start(t, "3.7", dir, "--force-new-cluster")
	etcd.Ctl("put", "a", "b")
}

// say says something, and returns what is answered.
func (l *liars) say(t *testing.T) (status int) {
	t.Helper()
	m := l.message()
	body := m.Marshal(raftpb.FlavorGogo)
	if l.rnd.IntN(20) == 0 {
		for range 1 + l.rnd.IntN(8) {
			body[l.rnd.IntN(len(body))] = byte(l.rnd.Uint32())
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"X-Server-From": fmt.Sprintf("%x", m.From), "X-Raft-To": fmt.Sprintf("%x", l.n.ID()), "X-Server-Version": "3.7.0",
		"X-Min-Cluster-Version": "3.0.0", "X-Etcd-Cluster-ID": fmt.Sprintf("%x", l.n.ClusterID()),
	} {
		req.Header.Set(k, v)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0 // the member ends
	}
	defer r.Body.Close()
	return r.StatusCode
}

// message makes a message up. Some are what a leader would say, so that the member goes on.
func (l *liars) message() raftpb.Message {
	s, r := l.n.Status(), l.rnd
	m := raftpb.Message{
		Type: raftpb.MessageType(r.IntN(int(raftpb.MsgForgetLeader) + 2)), From: l.ids[r.IntN(2)], To: l.n.ID(),
		Term: l.number(s.Term), Index: l.number(s.Committed), LogTerm: l.number(s.Term), Commit: s.Committed,
		Reject: r.IntN(2) == 0, RejectHint: l.number(s.Committed),
	}
	switch r.IntN(10) {
	case 0: // whatever it is
	case 1:
		m.From = r.Uint64()
	default:
		m.Type = raftpb.MsgApp
		if l.term < s.Term || r.IntN(50) == 0 {
			l.term = s.Term + 1
		}
		m.From, m.Term, m.Index, m.LogTerm = l.ids[l.term%2], l.term, s.Committed, l.termOf(s.Committed)
	}
	if r.IntN(50) == 0 {
		m.Commit = l.number(s.Committed)
	}
	for i := range uint64(r.IntN(4)) {
		e := l.entry()
		e.Index, e.Term = m.Index+1+i, m.Term
		m.Entries = append(m.Entries, e)
	}
	if m.Type == raftpb.MsgApp && r.IntN(2) == 0 {
		m.Commit = m.Index + uint64(len(m.Entries))
	}
	return m
}

// termOf returns the term of an entry that is committed.
func (l *liars) termOf(index uint64) uint64 {
	if id := l.n.Store().Applied(); id.Index == index {
		return id.Term
	}
	return l.term
}

// number returns one near another, or far off.
func (l *liars) number(near uint64) uint64 {
	switch l.rnd.IntN(10) {
	case 0:
		return 0
	case 1:
		return l.rnd.Uint64() >> l.rnd.IntN(64)
	}
	return near + l.rnd.Uint64N(5) - 2
}

// entry makes an entry's content up: half are such as a member writes.
func (l *liars) entry() raftpb.Entry {
	r := l.rnd
	put := &etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: r.Uint64()},
		Put:    &etcdserverpb.PutRequest{Key: fmt.Append(nil, r.IntN(100)), Value: []byte("x")},
	}
	data, err := proto.Marshal(put)
	if err != nil {
		panic(err)
	}
	switch r.IntN(12) {
	case 0:
		return raftpb.Entry{Data: data[:r.IntN(len(data))]}
	case 1:
		return raftpb.Entry{Data: data, Type: raftpb.EntryType(r.IntN(5))}
	case 2:
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
	case 3:
		return raftpb.Entry{Type: raftpb.EntryConfChange, Data: data}
	case 4:
		cc := raftpb.ConfChange{Type: raftpb.ConfChangeType(r.IntN(6)), NodeID: r.Uint64(), ID: r.Uint64()}
		if r.IntN(2) == 0 {
			id := cc.NodeID
			if r.IntN(2) == 0 {
				id++
			}
			cc.Context, _ = json.Marshal(map[string]any{"id": id, "peerURLs": []string{"http://127.0.0.1:1"}, "name": "", "isLearner": true})
		}
		return raftpb.Entry{Type: raftpb.EntryConfChange, Data: cc.Marshal(raftpb.FlavorGogo)}
	}
	return raftpb.Entry{Data: data}
}

// What every member would end on isn't taken from whoever calls the node either.
func TestProposesNothingHarmful(t *testing.T) {
	n := start(t, node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}})
	if _, err := n.Propose(t.Context(), &etcdserverpb.InternalRaftRequest{}); err == nil {
		t.Error("proposes a request that asks for nothing")
	}
	for _, urls := range [][]string{nil, {"127.0.0.1:1"}, {"http://127.0.0.1"}} {
		m := membership.Member{ID: 7, RaftAttributes: membership.RaftAttributes{PeerURLs: urls, IsLearner: true}}
		if _, err := n.AddMember(t.Context(), m); err == nil {
			t.Errorf("adds a member with peer URLs %q", urls)
		}
	}
	put(t, n, "a", "1")
}
