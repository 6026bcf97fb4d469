package script

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// env is the world of one script: a cluster and the messages on their way in it.
type env struct {
	nodes    []*node // the node with ID i at i-1
	messages []raftpb.Message
	out      output
}

// node is a member, with a state machine that appends whatever is applied to its snapshots.
type node struct {
	*raft.RawNode
	store   *storage
	cfg     raft.Config
	history []raftpb.Snapshot // the state after each applied entry
	appends []raftpb.Message  // work of the append thread
	applies []raftpb.Message  // work of the apply thread
}

// storage hands out the newest state as the snapshot, whatever the log was compacted to.
type storage struct {
	*raft.MemoryStorage
	newest func() raftpb.Snapshot
}

// Snapshot implements raft.Storage.
func (s *storage) Snapshot() (raftpb.Snapshot, error) { return s.newest(), nil }

func (n *node) newest() raftpb.Snapshot { return n.history[len(n.history)-1] }

// timeouts is a source of election timeouts that a script can set.
type timeouts struct{ extra int }

// IntN implements raft.Rand. A script that doesn't set the timeout must not depend on it; the
// longest one keeps nodes from campaigning unasked.
func (r *timeouts) IntN(n int) int { return min(r.extra, n-1) }

// level is how important a line of output is.
type level int

const (
	levelDebug level = iota
	levelInfo
	levelWarn
	levelError
	levelFatal
	levelNone // hides all output, of commands as well, but for errors
)

var levelNames = []string{"DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"}

func parseLevel(name string) (level, error) {
	for i, s := range levelNames {
		if strings.EqualFold(s, name) {
			return level(i), nil
		}
	}
	return 0, fmt.Errorf("log levels must be either of %v", levelNames)
}

// output collects what a command prints.
type output struct {
	strings.Builder
	level level
}

func (o *output) printf(format string, args ...any) {
	if o.level < levelNone {
		fmt.Fprintf(o, format, args...)
	}
}

// Observe makes a log line of an event of the core.
func (o *output) Observe(id uint64, e raft.Event) {
	for _, l := range describeEvent(id, e) {
		if o.level <= l.level {
			o.printf("%s %s\n", levelNames[l.level], l.text)
		}
	}
}

// indented runs do and indents what it prints.
func (e *env) indented(do func() error) error {
	before := e.out.String()
	e.out.Reset()
	err := do()
	text := e.out.String()
	e.out.Reset()
	e.out.WriteString(before)
	for line := range strings.Lines(text) {
		e.out.WriteString("  " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return err
}

// run runs one command of a script.
func (e *env) run(t *testing.T, d *datadriven.TestData) string {
	e.out.Reset()
	command, ok := commands[d.Cmd]
	if !ok {
		t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	}
	err := command(e, args{t, d})
	switch {
	case err != nil && e.out.level == levelNone:
		return spell(err)
	case err != nil:
		e.out.WriteString(spell(err))
	}
	return cmp.Or(e.out.String(), "ok")
}

// args are the arguments of a command.
type args struct {
	t *testing.T
	d *datadriven.TestData
}

// ids returns the arguments that are plain numbers, as IDs.
func (a args) ids() (ids []uint64) {
	for i, arg := range a.d.CmdArgs {
		if len(arg.Vals) == 0 {
			ids = append(ids, a.number(i))
		}
	}
	return ids
}

// number returns the i-th argument, a plain number.
func (a args) number(i int) uint64 {
	a.t.Helper()
	if i >= len(a.d.CmdArgs) {
		a.t.Fatalf("%s: argument %d is missing", a.d.Pos, i)
	}
	var n uint64
	if _, err := fmt.Sscan(a.d.CmdArgs[i].Key, &n); err != nil {
		a.t.Fatalf("%s: argument %d: %v", a.d.Pos, i, err)
	}
	return n
}

// values calls visit for each value of the arguments that have any.
func (a args) values(visit func(key, value string) error) error {
	for _, arg := range a.d.CmdArgs {
		for _, v := range arg.Vals {
			if err := visit(arg.Key, v); err != nil {
				return fmt.Errorf("%s=%s: %w", arg.Key, v, err)
			}
		}
	}
	return nil
}

// node returns the node that the first argument names.
func (e *env) node(a args) *node { return e.nodes[a.number(0)-1] }

// addNodes creates nodes. Those with a membership start from a snapshot.
func (e *env) addNodes(a args) error {
	cfg := raft.Config{
		ElectionTick: 3, HeartbeatTick: 1,
		MaxSizePerMsg: raft.NoLimit, MaxInflightMsgs: math.MaxInt32,
		Observer: &e.out,
	}
	var snap raftpb.Snapshot
	if err := a.values(func(key, value string) error {
		return configure(&cfg, &snap, key, value)
	}); err != nil {
		return err
	}
	m := &snap.Metadata
	bootstrap := m.Index > 0 || len(m.ConfState.Voters)+len(m.ConfState.Learners)+len(snap.Data) > 0
	if bootstrap && m.Index <= 1 {
		return fmt.Errorf("index must be specified as > 1 due to bootstrap")
	}
	for range a.number(0) {
		if err := e.addNode(cfg, snap, bootstrap); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) addNode(cfg raft.Config, snap raftpb.Snapshot, bootstrap bool) error {
	n := &node{cfg: cfg, store: &storage{MemoryStorage: raft.NewMemoryStorage()}}
	n.store.newest = n.newest
	if bootstrap {
		snap.Metadata.Term = 1
		if err := n.store.ApplySnapshot(snap); err != nil {
			return err
		}
	}
	n.history = []raftpb.Snapshot{snap}
	n.cfg.ID = uint64(len(e.nodes) + 1)
	n.cfg.Storage = n.store
	n.cfg.Rand = &timeouts{extra: cfg.ElectionTick}
	var err error
	n.RawNode, err = raft.NewRawNode(&n.cfg)
	e.nodes = append(e.nodes, n)
	return err
}

// configure sets what one argument of add-nodes asks for.
func configure(cfg *raft.Config, snap *raftpb.Snapshot, key, value string) error {
	scan := func(v any) error { _, err := fmt.Sscan(value, v); return err }
	var id uint64
	switch conf := &snap.Metadata.ConfState; key {
	case "voters":
		err := scan(&id)
		conf.Voters = append(conf.Voters, id)
		return err
	case "learners":
		err := scan(&id)
		conf.Learners = append(conf.Learners, id)
		return err
	case "index":
		err := scan(&cfg.Applied)
		snap.Metadata.Index = cfg.Applied
		return err
	case "content":
		snap.Data = []byte(value)
		return nil
	case "read-only":
		option, ok := map[string]raft.ReadOnlyOption{
			"safe": raft.ReadOnlySafe, "lease-based": raft.ReadOnlyLeaseBased,
		}[value]
		cfg.ReadOnlyOption = option
		if !ok {
			return fmt.Errorf("invalid read-only option")
		}
		return nil
	}
	field, ok := map[string]any{
		"inflight":                       &cfg.MaxInflightMsgs,
		"async-storage-writes":           &cfg.AsyncStorageWrites,
		"prevote":                        &cfg.PreVote,
		"checkquorum":                    &cfg.CheckQuorum,
		"max-committed-size-per-ready":   &cfg.MaxCommittedSizePerReady,
		"max-uncommitted-size":           &cfg.MaxUncommittedEntriesSize, // ours
		"disable-proposal-forwarding":    &cfg.DisableProposalForwarding, // ours
		"disable-conf-change-validation": &cfg.DisableConfChangeValidation,
		"step-down-on-removal":           &cfg.StepDownOnRemoval,
	}[key]
	if !ok {
		return fmt.Errorf("unknown argument")
	}
	return scan(field)
}
