package capture_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
)

// The leader is cut off: the others elect another one, nothing more is heard of it, and it follows when it is back. All that
// was acknowledged was seen on its way, and what was said keeps to the rules.
func TestRealPartition(t *testing.T) {
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			peers := etcdtest.Peers(t, 3)
			for i := range peers {
				peers[i].DataDir = t.TempDir()
			}
			network, listen := etcdtest.NewNetwork(t, peers)
			p := newTap(t, ports(t, peers)) // of the network: what the members themselves listen at would be seen twice
			var all []*etcdtest.Server
			for i, peer := range peers {
				all = append(all, etcdtest.Launch(t, version, peer.DataDir, append([]string{
					"--name", peer.Name, "--listen-peer-urls", listen[i], "--initial-advertise-peer-urls", peer.URL,
					"--initial-cluster", etcdtest.InitialCluster(peers),
				}, steady...)...))
			}
			for _, s := range all {
				if err := s.WaitHealthy(); err != nil {
					t.Fatalf("%v\n%s", err, s.Log())
				}
			}
			x := &partition{t: t, version: version, network: network, all: all}
			x.run()
			data := p.stop()
			for _, s := range all {
				s.Stop()
			}
			keep(t, data, version+"-partition")
			whole := read(t, data, peers, nil)
			compareLogs(t, whole, peers)
			x.judge(data, peers)
			testDamaged(t, data, whole, peers, nil)
		})
	}
}

// partition is what happened to a cluster.
type partition struct {
	t       *testing.T
	version string
	network *etcdtest.Network
	all     []*etcdtest.Server
	old     uint64    // the member that was cut off
	term    uint64    // in which it led
	healed  time.Time // when it was back
	keys    []string  // that were acknowledged
}

func (x *partition) put(s *etcdtest.Server, n int) {
	for range n {
		key := fmt.Sprint("key", len(x.keys))
		s.Ctl("put", key, "v")
		x.keys = append(x.keys, key)
	}
}

// run cuts off the leader, and lets it come back.
func (x *partition) run() {
	leader := leaderOf(x.t, x.all)
	old := x.all[leader]
	x.put(old, 8)
	status := string(old.Ctl("endpoint", "status", "-w", "fields"))
	x.old, x.term = x.number(status, "MemberID"), x.number(status, "RaftTerm")
	x.network.Isolate(leader, strconv.FormatUint(x.old, 16))
	doomed := exec.Command(etcdtest.Binary(x.t, x.version, "etcdctl"), "--endpoints", old.URL(), "--command-timeout", "1s", "put", "doomed", "v")
	if err := doomed.Run(); err == nil {
		x.t.Error("a leader that is cut off acknowledges a key")
	}
	var next *etcdtest.Server
	x.wait("another leader", func() bool {
		for i, s := range x.all {
			status := string(s.Ctl("endpoint", "status", "-w", "fields"))
			if i != leader && field(status, "MemberID") == field(status, "Leader") {
				next = s
			}
		}
		return next != nil
	})
	x.put(next, 8)
	x.wait("the old one to step down", func() bool {
		return field(string(old.Ctl("endpoint", "status", "-w", "fields")), "Leader") == "0"
	})
	x.healed = time.Now()
	x.network.Heal()
	waitForLogs(x.t, x.all)
	x.put(old, 4)
	waitForLogs(x.t, x.all)
}

func (x *partition) number(status, name string) uint64 {
	n, err := strconv.ParseUint(field(status, name), 10, 64)
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

func (x *partition) wait(what string, done func() bool) {
	x.t.Helper()
	for late := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			x.t.Fatalf("waited a minute for %s", what)
		}
	}
}

// parted is what a capture tells of the partition.
type parted struct {
	asked, granted bool            // votes, among those who were left
	leader, term   uint64          // who then led
	afterwards     int             // what the old leader still said over streams, before it was back
	follows        bool            // it then followed
	put            map[string]bool // keys that were sent to somebody
}

// judge checks what a capture tells.
func (x *partition) judge(data []byte, peers []etcdtest.Peer) {
	x.t.Helper()
	c, err := capture.Open(bytes.NewReader(data), capture.Options{Source: "lo", Ports: ports(x.t, peers)})
	if err != nil {
		x.t.Fatal(err)
	}
	got := parted{put: map[string]bool{}}
	rules := check.New(check.Options{})
	for e, err := range c.Events() {
		if err != nil {
			x.t.Fatal(err)
		}
		rules.Add(e)
		if e.Kind == stream.KindMessage {
			x.see(&got, e)
		}
	}
	if !got.asked || !got.granted || got.leader == 0 || got.afterwards > 0 || !got.follows {
		x.t.Errorf("the capture tells %+v", got)
	}
	for _, key := range x.keys {
		if !got.put[key] {
			x.t.Errorf("%s was acknowledged, and not seen on its way", key)
		}
	}
	rep := rules.Report()
	if rep.Verdict == verdict.Problem {
		x.t.Errorf("verdict %s", rep.Verdict)
	}
	for _, r := range rep.Rules {
		for _, v := range r.Violations {
			x.t.Errorf("%s: %s", r.Name, v.Found)
		}
		if r.Checked == 0 && r.Name != check.AckOnDisk && r.Name != check.ReadQuorum {
			x.t.Errorf("%s: nothing was checked: %v", r.Name, r.Reasons)
		}
	}
}

// see takes in a message.
func (x *partition) see(got *parted, e *stream.Event) {
	m := e.Message
	others := e.From != x.old && e.To != x.old
	switch {
	case m.Type == raftpb.MsgVote && others && m.Term > x.term:
		got.asked = true
	case m.Type == raftpb.MsgVoteResp && others && m.Term > x.term && !m.Reject:
		got.granted = true
	case m.Type == raftpb.MsgApp && e.From != x.old && got.granted && got.leader == 0:
		got.leader, got.term = e.From, m.Term
	case e.From == x.old && got.leader != 0 && e.Time.Before(x.healed) && (e.Channel == stream.ChannelMessage || e.Channel == stream.ChannelAppend):
		got.afterwards++
	case e.From == x.old && got.leader != 0 && m.Type == raftpb.MsgAppResp && m.Term >= got.term:
		got.follows = true
	}
	if m.Type != raftpb.MsgApp {
		return
	}
	var request decode.Request
	for i := range m.Entries {
		if decode.Payload(&request, &m.Entries[i]) == nil && request.Op == "put" {
			got.put[string(request.Key)] = true
		}
	}
}
