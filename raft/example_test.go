package raft_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// newMember starts a group of one, with a log in memory.
func newMember(async bool) (*raft.RawNode, *raft.MemoryStorage, error) {
	store := raft.NewMemoryStorage()
	voters := raftpb.ConfState{Voters: []uint64{1}}
	start := raftpb.SnapshotMetadata{Index: 1, Term: 1, ConfState: voters}
	if err := store.ApplySnapshot(raftpb.Snapshot{Metadata: start}); err != nil {
		return nil, nil, err
	}
	if err := store.SetHardState(raftpb.HardState{Term: 1, Commit: 1}); err != nil {
		return nil, nil, err
	}
	node, err := raft.NewRawNode(&raft.Config{
		ID:                 1,
		ElectionTick:       10,
		HeartbeatTick:      1,
		Storage:            store,
		MaxSizePerMsg:      1 << 20,
		MaxInflightMsgs:    256,
		AsyncStorageWrites: async,
		Rand:               rand.New(rand.NewPCG(1, 2)),
	})
	return node, store, err
}

// apply is the state machine: it prints what was agreed on.
func apply(node *raft.RawNode, entries []raftpb.Entry) error {
	for _, e := range entries {
		switch e.Type {
		case raftpb.EntryNormal:
			if len(e.Data) > 0 { // a new leader's first entry is empty
				fmt.Printf("%s\n", e.Data)
			}
		case raftpb.EntryConfChange:
			var change raftpb.ConfChange
			if err := change.Unmarshal(e.Data); err != nil {
				return err
			}
			if _, err := node.ApplyConfChange(change); err != nil {
				return err
			}
		case raftpb.EntryConfChangeV2:
			var change raftpb.ConfChangeV2
			if err := change.Unmarshal(e.Data); err != nil {
				return err
			}
			if _, err := node.ApplyConfChange(change); err != nil {
				return err
			}
		}
	}
	return nil
}

// The synchronous loop. A real application calls Tick from a timer, hands what the network brings
// to Step, and has a log on disk.
func Example() {
	node, store, err := newMember(false)
	if err != nil {
		fmt.Println(err)
		return
	}
	send := func([]raftpb.Message) {} // there is nobody else here

	work := func() error {
		for node.HasReady() {
			rd, err := node.Ready()
			if err != nil {
				return err
			}
			if !rd.Snapshot.IsEmpty() {
				if err := store.ApplySnapshot(*rd.Snapshot); err != nil {
					return err
				}
			}
			if !rd.HardState.IsEmpty() {
				if err := store.SetHardState(rd.HardState); err != nil {
					return err
				}
			}
			if err := store.Append(rd.Entries); err != nil {
				return err
			}
			// On disk, this is where to wait for it if rd.MustSync.
			send(rd.Messages)
			if err := apply(node, rd.CommittedEntries); err != nil {
				return err
			}
			if err := node.Advance(rd); err != nil {
				return err
			}
		}
		return nil
	}

	fmt.Println(node.Campaign(), work())
	fmt.Println(node.Propose([]byte("hello")), work())
	fmt.Println(node.BasicStatus().SoftState.RaftState)
	// Output:
	// <nil> <nil>
	// hello
	// <nil> <nil>
	// StateLeader
}

// appendLog is what the append thread does for a MsgStorageAppend.
func appendLog(store *raft.MemoryStorage, m raftpb.Message) error {
	if m.Snapshot != nil {
		if err := store.ApplySnapshot(*m.Snapshot); err != nil {
			return err
		}
	}
	hs := raftpb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
	if !hs.IsEmpty() {
		if err := store.SetHardState(hs); err != nil {
			return err
		}
	}
	// On disk, this is where to wait for it if there are m.Responses.
	return store.Append(m.Entries)
}

// The asynchronous loop. In a real application the two storage threads are goroutines, each with a
// queue, and what they deliver comes back to the goroutine that owns the RawNode.
func Example_async() {
	node, store, err := newMember(true)
	if err != nil {
		fmt.Println(err)
		return
	}
	var queue []raftpb.Message // of both threads, in one for brevity

	storage := func(m raftpb.Message) error {
		if m.To == raft.LocalAppendThread {
			err = appendLog(store, m)
		} else {
			err = apply(node, m.Entries)
		}
		if err != nil {
			return err
		}
		for _, r := range m.Responses {
			// Those to other members are to be sent; there are none here.
			if err := node.Step(r); err != nil {
				return err
			}
		}
		return nil
	}
	work := func() error {
		for node.HasReady() || len(queue) > 0 {
			rd, err := node.Ready()
			if err != nil {
				return err
			}
			queue = append(queue, rd.Messages...)
			if len(queue) == 0 {
				continue
			}
			m := queue[0]
			queue = queue[1:]
			if err := storage(m); err != nil {
				return err
			}
		}
		return nil
	}

	fmt.Println(node.Campaign(), work())
	fmt.Println(node.Propose([]byte("hello")), work())
	// Output:
	// <nil> <nil>
	// hello
	// <nil> <nil>
}
