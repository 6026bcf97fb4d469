package raftpb

import (
	"bytes"
	"fmt"
	"testing"

	"go.etcd.io/raft/v3"
	ref "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func TestDetectFlavor(t *testing.T) {
	tests := []struct {
		name, in string
		want     Flavor
		ok       bool
	}{
		{"normal, gogo", "08 00 10 03 18 07 22 01 61", FlavorGogo, true},
		{"normal, pbgo", "10 03 18 07 22 01 61", FlavorPbgo, true},
		{"new leader, pbgo", "10 03 18 07", FlavorPbgo, true},
		{"new leader in gogo, or refused change", "08 00 10 03 18 07", FlavorGogo, false},
		{"bootstrap, gogo", "08 01 10 01 18 01 22 06 08 00 10 00 18 05", FlavorGogo, true},
		{"bootstrap, pbgo", "08 01 10 01 18 01 22 04 10 00 18 05", FlavorPbgo, true},
		{"change with ID", "08 01 10 01 18 09 22 06 08 09 10 00 18 05", FlavorGogo, false},
		{"change without data", "08 01 10 01 18 09", FlavorGogo, false},
		{"change v2", "08 02 10 01 18 09 22 02 08 00", FlavorGogo, false},
		{"data first", "22 01 61 08 00 10 03 18 07", FlavorGogo, false},
		{"nothing", "", FlavorGogo, false},
		{"no entry", "10", FlavorGogo, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := DetectFlavor(unhex(t, tt.in))
			if got != tt.want || ok != tt.ok {
				t.Errorf("got %v, %t, want %v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestFlavorNames(t *testing.T) {
	if got := fmt.Sprint(FlavorGogo, FlavorPbgo); got != "gogo pbgo" {
		t.Errorf("got %q, want %q", got, "gogo pbgo")
	}
}

// FlavorPbgo is what the reference's core really produces, but for fields that it sets to zero.
// What it writes in elections, and for proposals, membership changes and reads, decodes and encodes
// to the same bytes once explicit zeros are out of it. Hard states and the entries on disk have
// none, except the type of the entry that stands for a refused change.
func TestPbgoIsWhatTheReferenceProduces(t *testing.T) {
	c := newRefCluster(t, 3)
	c.step(func(n *raft.RawNode) error { return n.Campaign() })
	for i := range 5 {
		c.step(func(n *raft.RawNode) error { return n.Propose(fmt.Appendf(nil, "proposal %d", i)) })
	}
	learner := &ref.ConfChange{Type: ref.ConfChangeAddLearnerNode.Enum(), NodeId: new(uint64(9))}
	c.step(func(n *raft.RawNode) error { return n.ProposeConfChange(learner) })
	c.step(func(n *raft.RawNode) error { return n.ProposeConfChange(&ref.ConfChangeV2{}) })
	c.step(func(n *raft.RawNode) error { n.ReadIndex([]byte("read")); return nil })
	c.step(func(n *raft.RawNode) error { n.TransferLeader(2); return nil })
	c.step(func(n *raft.RawNode) error { return n.Propose([]byte("forwarded")) })
	c.step(func(n *raft.RawNode) error { n.ReadIndex([]byte("forwarded")); return nil })

	for _, e := range c.entries {
		b := refMarshal(t, e)
		if e.Type != nil && e.GetType() == ref.EntryNormal {
			c.refused++
			b = b[2:]
		}
		if err := reencodes(new(Entry), b, FlavorPbgo); err != nil {
			t.Error(err)
		}
	}
	for _, s := range c.states {
		if err := reencodes(new(HardState), refMarshal(t, s), FlavorPbgo); err != nil {
			t.Error(err)
		}
	}
	types := map[ref.MessageType]int{}
	for _, m := range c.messages {
		types[m.GetType()]++
		checkWithoutZeros(t, m)
	}
	t.Logf("%d entries, %d states, messages %v", len(c.entries), len(c.states), types)
	if len(types) < 12 || len(c.states) < 10 || c.refused == 0 {
		t.Errorf("%d types of messages, %d states, %d refused changes: too few to tell",
			len(types), len(c.states), c.refused)
	}
}

func checkWithoutZeros(t *testing.T, r *ref.Message) {
	t.Helper()
	var m Message
	b := refMarshal(t, r)
	if err := m.Unmarshal(b); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	sparse := proto.Clone(r).(*ref.Message)
	clearZeros(sparse.ProtoReflect())
	for _, e := range sparse.Entries {
		clearZeros(e.ProtoReflect())
	}
	if got, want := m.Marshal(FlavorPbgo), refMarshal(t, sparse); !bytes.Equal(got, want) {
		t.Errorf("%v: encoded %x, want %x, from %x", r.GetType(), got, want, b)
	}
}

// clearZeros makes the scalar fields of m absent that are zero, except the type of a message.
func clearZeros(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Name() != "type" && fd.Kind() != protoreflect.MessageKind && !fd.IsList() &&
			v.Equal(fd.Default()) {
			m.Clear(fd)
		}
		return true
	})
}

func refMarshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refCluster is a group of the reference's nodes whose messages arrive at once and in order. It
// keeps all that they produce.
type refCluster struct {
	t        *testing.T
	nodes    map[uint64]*raft.RawNode
	stores   map[uint64]*raft.MemoryStorage
	entries  []*ref.Entry
	states   []*ref.HardState
	messages []*ref.Message
	refused  int
}

type quiet struct{ raft.Logger }

func (quiet) Infof(string, ...any)    {}
func (quiet) Debugf(string, ...any)   {}
func (quiet) Warningf(string, ...any) {}

func newRefCluster(t *testing.T, size uint64) *refCluster {
	c := &refCluster{t: t, nodes: map[uint64]*raft.RawNode{},
		stores: map[uint64]*raft.MemoryStorage{}}
	var peers []raft.Peer
	for id := range size {
		peers = append(peers, raft.Peer{ID: id + 1, Context: []byte("context")})
	}
	for _, p := range peers {
		c.stores[p.ID] = raft.NewMemoryStorage()
		node, err := raft.NewRawNode(&raft.Config{
			ID: p.ID, ElectionTick: 10, HeartbeatTick: 1, Storage: c.stores[p.ID],
			MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, PreVote: true, Logger: quiet{},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := node.Bootstrap(peers); err != nil {
			t.Fatal(err)
		}
		c.nodes[p.ID] = node
	}
	return c
}

// step lets node 1 do something and then all nodes work until nothing is left to do.
func (c *refCluster) step(do func(*raft.RawNode) error) {
	c.t.Helper()
	c.settle()
	if err := do(c.nodes[1]); err != nil {
		c.t.Fatal(err)
	}
	c.settle()
}

func (c *refCluster) settle() {
	for busy := true; busy; {
		busy = false
		for id := range uint64(len(c.nodes)) {
			for n := c.nodes[id+1]; n.HasReady(); busy = true {
				c.handle(id+1, n.Ready())
			}
		}
	}
}

func (c *refCluster) handle(id uint64, rd raft.Ready) {
	c.entries = append(c.entries, rd.Entries...)
	if !raft.IsEmptyHardState(rd.HardState) {
		c.states = append(c.states, rd.HardState)
		if err := c.stores[id].SetHardState(rd.HardState); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.stores[id].Append(rd.Entries); err != nil {
		c.t.Fatal(err)
	}
	for _, e := range rd.CommittedEntries {
		c.apply(id, e)
	}
	c.messages = append(c.messages, rd.Messages...)
	c.nodes[id].Advance(rd)
	for _, m := range rd.Messages {
		if to := c.nodes[m.GetTo()]; to != nil {
			_ = to.Step(m) // what a node refuses has been recorded all the same
		}
	}
}

func (c *refCluster) apply(id uint64, e *ref.Entry) {
	if e.GetType() == ref.EntryConfChange {
		var change ref.ConfChange
		if err := proto.Unmarshal(e.GetData(), &change); err != nil {
			c.t.Fatal(err)
		}
		c.nodes[id].ApplyConfChange(&change)
	}
}
