package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/raftpb"
)

// said is what a recording holds, by what matters of a message.
type said map[string]int

func describe(e *stream.Event) string {
	return fmt.Sprintf("%x->%x over %s, %d bytes: %s", e.From, e.To, e.Channel, e.Size, raftpb.DescribeMessage(*e.Message, nil))
}

// recorded reads a recording, which must be without gaps but those where it was begun again.
func recorded(t *testing.T, dir string, id uint64, starts int) (sent, received said) {
	t.Helper()
	r, err := recording.Open(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if m, err := r.Metadata(); err != nil || m.Recorder != id || m.Cluster == 0 {
		t.Errorf("recorded by %x of cluster %x (%v), want %x", m.Recorder, m.Cluster, err, id)
	}
	sent, received = said{}, said{}
	gaps := 0
	for e, err := range r.Events() {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == stream.KindGap:
			gaps++
		case e.Time.IsZero() || e.From != id && e.To != id || e.Size == 0:
			t.Errorf("event from %x to %x at %v of %d bytes", e.From, e.To, e.Time, e.Size)
		case e.Kind == stream.KindMessage && e.From == id:
			sent[describe(e)]++
		case e.Kind == stream.KindMessage:
			received[describe(e)]++
		}
	}
	if gaps != starts-1 {
		t.Errorf("%d gaps, want %d", gaps, starts-1)
	}
	return sent, received
}

// What three members record fits together: nothing was heard that was not said, each entry was said to both
// followers and heard by them, and a member that starts again goes on with its recording.
func TestRecordMessages(t *testing.T) {
	peers := etcdtest.Peers(t, 3)
	var members []*node.Node
	var configs []node.Config
	for _, p := range peers {
		cfg := node.Config{
			Name: p.Name, DataDir: t.TempDir(), ListenPeerURLs: []string{p.URL},
			InitialCluster: etcdtest.InitialCluster(peers), RecordMessages: filepath.Join(t.TempDir(), "of", p.Name),
		}
		configs = append(configs, cfg)
		members = append(members, startOne(t, cfg))
	}
	for _, n := range members {
		waitReady(t, n)
	}
	for i := range 50 {
		put(t, members[i%3], fmt.Sprint("key", i), "a value")
	}
	stop(t, members[2])
	members[2] = start(t, configs[2])
	put(t, members[0], "the last", "one")
	get(t, members[2], "the last")
	ids := make([]uint64, 3)
	for i, n := range members {
		ids[i] = n.ID()
		stop(t, n)
	}

	sent, received := said{}, said{}
	for i := range members {
		starts := 1
		if i == 2 {
			starts = 2
		}
		s, r := recorded(t, configs[i].RecordMessages, ids[i], starts)
		for line, n := range s {
			sent[line] += n
		}
		for line, n := range r {
			received[line] += n
		}
	}
	if len(received) < 100 {
		t.Errorf("%d messages were received, want 100 or more", len(received))
	}
	for line, n := range received {
		if sent[line] < n {
			t.Errorf("heard %d times, said %d times: %s", n, sent[line], line)
		}
	}
}

// A recording tells who the members were when it began, and who of them had no vote.
func TestRecordMembers(t *testing.T) {
	peer := etcdtest.Peers(t, 1)[0]
	cfg := node.Config{Name: peer.Name, DataDir: t.TempDir(), ListenPeerURLs: []string{peer.URL}}
	n := start(t, cfg)
	learner := add(t, n, "http://"+etcdtest.FreeAddr(t))
	stop(t, n)
	cfg.RecordMessages = filepath.Join(t.TempDir(), "talk")
	n = start(t, cfg)
	id := n.ID()
	stop(t, n)
	r, err := recording.Open(os.DirFS(filepath.Dir(cfg.RecordMessages)), filepath.Base(cfg.RecordMessages))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := r.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	cs, at, ok := m.ConfState()
	if !ok || at == 0 || !slices.Equal(cs.Voters, []uint64{id}) || !slices.Equal(cs.Learners, []uint64{learner}) {
		t.Errorf("members %+v after entry %d (%v), want %x to vote and %x to learn", cs, at, ok, id, learner)
	}
}
