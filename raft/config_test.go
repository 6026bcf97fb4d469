package raft

import (
	"errors"
	"math"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

func TestConfigNamesTheField(t *testing.T) {
	tests := []struct {
		field  string
		damage func(*Config)
	}{
		{"ID", func(c *Config) { c.ID = None }},
		{"ID", func(c *Config) { c.ID = LocalAppendThread }},
		{"ID", func(c *Config) { c.ID = LocalApplyThread }},
		{"HeartbeatTick", func(c *Config) { c.HeartbeatTick = 0 }},
		{"ElectionTick", func(c *Config) { c.ElectionTick = 1 }},
		{"Storage", func(c *Config) { c.Storage = nil }},
		{"Rand", func(c *Config) { c.Rand = nil }},
		{"MaxInflightMsgs", func(c *Config) { c.MaxInflightMsgs = 0 }},
		{"MaxInflightBytes", func(c *Config) { c.MaxSizePerMsg, c.MaxInflightBytes = 100, 99 }},
		{"CheckQuorum", func(c *Config) { c.ReadOnlyOption = ReadOnlyLeaseBased }},
		{"ReadOnlyOption", func(c *Config) { c.ReadOnlyOption = 7 }},
		{"Applied", func(c *Config) { c.Applied = 7 }},
		{"Applied", func(c *Config) { c.Applied = 2 }},
		{"Storage", func(c *Config) { setHardState(c, raftpb.HardState{Term: 1, Commit: 7}) }},
	}
	for _, test := range tests {
		cfg := baseConfig(1, storeAt(t))
		test.damage(&cfg)
		_, err := NewRawNode(&cfg)
		var ce *ConfigError
		if !errors.As(err, &ce) || ce.Field != test.field {
			t.Errorf("got %v, want a ConfigError about %s", err, test.field)
		}
	}
	cfg := baseConfig(1, storeAt(t))
	if _, err := NewRawNode(&cfg); err != nil {
		t.Errorf("undamaged: %v", err)
	}
}

func setHardState(c *Config, hs raftpb.HardState) {
	if err := c.Storage.(*MemoryStorage).SetHardState(hs); err != nil {
		panic(err)
	}
}

// TestSnapshotRaisesCommit starts a member whose hard state is older than its snapshot, as after a
// crash between writing the two.
func TestSnapshotRaisesCommit(t *testing.T) {
	cfg := baseConfig(1, storeAt(t))
	setHardState(&cfg, raftpb.HardState{Term: 2, Commit: 1})
	n, err := NewRawNode(&cfg)
	must(t, err)
	if got := n.BasicStatus(); got.Applied != 3 || got.HardState.Commit != 3 {
		t.Errorf("applied %d, commit %d, want 3 and 3", got.Applied, got.HardState.Commit)
	}
}

// TestAppliedRaisesCommit starts a member that applied what its hard state doesn't know to be
// committed, as after a crash between the two.
func TestAppliedRaisesCommit(t *testing.T) {
	cfg := baseConfig(1, storeAt(t))
	setHardState(&cfg, raftpb.HardState{Term: 6, Commit: 4})
	cfg.Applied = 6
	n, err := NewRawNode(&cfg)
	must(t, err)
	if got := n.BasicStatus(); got.Applied != 6 || got.HardState.Commit != 6 {
		t.Errorf("applied %d, commit %d, want 6 and 6", got.Applied, got.HardState.Commit)
	}
}

// TestZeroLimits runs a group with the smallest limits: one entry at a time must get through.
func TestZeroLimits(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) {
		cfg.MaxSizePerMsg, cfg.MaxCommittedSizePerReady, cfg.MaxInflightMsgs = 0, 0, 1
		cfg.MaxInflightBytes = 1
	})
	c.elect(1)
	for range 10 {
		must(t, c.nodes[1].Propose([]byte("abc")))
	}
	c.settle()
	c.tick(1, 1)
	for _, id := range c.ids {
		if got := len(c.nodes[id].applied); got != 10 {
			t.Errorf("member %d applied %d entries, want 10", id, got)
		}
	}
}

func TestUncommittedLimit(t *testing.T) {
	c := newCluster(t, 3, func(cfg *Config) { cfg.MaxUncommittedEntriesSize = 10 })
	leader := c.elect(1)
	c.isolate(1)
	steps := []struct {
		data int
		err  error
	}{
		{30, nil}, // the first is taken whatever its size
		{1, ErrProposalDropped},
		{0, nil},
		{math.MaxUint16, ErrProposalDropped},
	}
	for _, step := range steps {
		if err := leader.Propose(make([]byte, step.data)); err != step.err {
			t.Errorf("proposal of %d bytes: %v, want %v", step.data, err, step.err)
		}
		c.settle()
	}
	c.heal()
	c.tick(1, 2)
	if err := leader.Propose([]byte("x")); err != nil {
		t.Errorf("after the commit: %v", err)
	}
}
