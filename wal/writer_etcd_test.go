package wal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	etcdpb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// etcdWriter makes etcd's own package write what a Writer is asked to. It always writes what it is
// given; giving it explicit zeros makes it write the older flavour.
type etcdWriter struct {
	*etcdwal.WAL
	flavor raftpb.Flavor
}

// ptr returns a pointer to v, or nil if v is zero and the flavour leaves zeros out.
func ptr[T comparable](f raftpb.Flavor, v T) *T {
	var zero T
	if v == zero && f == raftpb.FlavorPbgo {
		return nil
	}
	return &v
}

func (w etcdWriter) Append(state raftpb.HardState, entries []raftpb.Entry) error {
	var list []*etcdpb.Entry
	for _, e := range entries {
		list = append(list, &etcdpb.Entry{
			Type: ptr(w.flavor, etcdpb.EntryType(e.Type)), Term: &e.Term, Index: &e.Index, Data: e.Data,
		})
	}
	st := new(etcdpb.HardState)
	if !state.IsEmpty() {
		st = &etcdpb.HardState{Term: &state.Term, Vote: &state.Vote, Commit: &state.Commit}
	}
	return w.Save(st, list)
}

func (w etcdWriter) SaveSnapshot(s Snapshot) error {
	c := &etcdpb.ConfState{Voters: s.ConfState.Voters, Learners: s.ConfState.Learners,
		AutoLeave: &s.ConfState.AutoLeave}
	return w.WAL.SaveSnapshot(&walpb.Snapshot{Index: &s.Index, Term: &s.Term, ConfState: c})
}

// logWriter is what both writers can do.
type logWriter interface {
	Append(raftpb.HardState, []raftpb.Entry) error
	SaveSnapshot(Snapshot) error
	Close() error
}

// historian makes up what a member may write.
type historian struct {
	rng   *rand.Rand
	state raftpb.HardState
	last  uint64
}

func newHistorian(seed uint64) *historian {
	return &historian{rng: rand.New(rand.NewPCG(seed, 1)), state: raftpb.HardState{Term: 1}}
}

// step makes the writers write the next thing.
func (h *historian) step(writers ...logWriter) error {
	write := func(w logWriter) error { return nil }
	switch n := h.rng.IntN(100); {
	case n < 3: // a snapshot of what was committed
		s := Snapshot{Index: h.state.Commit, Term: h.state.Term,
			ConfState: &raftpb.ConfState{Voters: []uint64{1, h.rng.Uint64()}}}
		if s.Index > 0 {
			write = func(w logWriter) error { return w.SaveSnapshot(s) }
		}
	case n < 5: // a snapshot from the leader, with a later state
		h.last += h.rng.Uint64N(50)
		s := Snapshot{Index: h.last, Term: h.state.Term,
			ConfState: &raftpb.ConfState{Voters: []uint64{1}, Learners: []uint64{2}}}
		if h.state.Commit = max(h.state.Commit, h.last); s.Index > 0 {
			write = func(w logWriter) error { return w.SaveSnapshot(s) }
		}
	case n < 15: // a new leader, which overwrites
		h.state.Term++
		h.state.Vote = h.rng.Uint64()
		h.last = h.state.Commit + h.rng.Uint64N(h.last-h.state.Commit+1)
		write = h.save(1)
	case n < 30: // more is committed
		h.state.Commit += h.rng.Uint64N(h.last - h.state.Commit + 1)
		write = h.save(0)
	case n < 33: // nothing
		write = func(w logWriter) error { return w.Append(raftpb.HardState{}, nil) }
	default:
		write = h.save(1 + h.rng.IntN(1<<h.rng.IntN(7)))
	}
	for _, w := range writers {
		if err := write(w); err != nil {
			return err
		}
	}
	return nil
}

func (h *historian) save(n int) func(logWriter) error {
	var entries []raftpb.Entry
	for range n {
		h.last++
		e := raftpb.Entry{Term: h.state.Term, Index: h.last, Data: h.data()}
		if h.rng.IntN(20) == 0 {
			e.Type = raftpb.EntryConfChange
		}
		entries = append(entries, e)
	}
	state := h.state
	if n > 0 && h.rng.IntN(2) == 0 {
		state = raftpb.HardState{}
	}
	return func(w logWriter) error { return w.Append(state, entries) }
}

// data returns nothing, next to nothing, a little, or more than etcd buffers.
func (h *historian) data() []byte {
	switch h.rng.IntN(50) {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return h.bytes(h.rng.IntN(300_000))
	}
	return h.bytes(h.rng.IntN(1 << h.rng.IntN(12)))
}

func (h *historian) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(h.rng.Uint32())
	}
	return b
}

// setSegmentSize makes etcd's package cut early too.
func setSegmentSize(tb testing.TB, size int64) {
	before := etcdwal.SegmentSizeBytes
	etcdwal.SegmentSizeBytes = size
	tb.Cleanup(func() { etcdwal.SegmentSizeBytes = before })
}

func mustCreate(tb testing.TB, dir string, o WriterOptions) *Writer {
	tb.Helper()
	w, err := Create(vfs.OS, dir, CreateOptions{Metadata: Metadata{NodeID: 1, ClusterID: 2}, WriterOptions: o})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func mustCreateEtcd(tb testing.TB, dir string, f raftpb.Flavor) etcdWriter {
	tb.Helper()
	m := Metadata{NodeID: 1, ClusterID: 2}
	w, err := etcdwal.Create(zap.NewNop(), dir, m.AppendTo(nil))
	if err != nil {
		tb.Fatal(err)
	}
	return etcdWriter{w, f}
}

// compareDirs checks that two folders hold the same segments.
func compareDirs(tb testing.TB, got, want string) (segments int) {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(want, "*.wal"))
	if err != nil {
		tb.Fatal(err)
	}
	ours, err := filepath.Glob(filepath.Join(got, "*.wal"))
	if err != nil || len(ours) != len(names) {
		tb.Errorf("%d segments, want %d (%v)", len(ours), len(names), err)
	}
	for _, name := range names {
		base := filepath.Base(name)
		if err := compareFiles(filepath.Join(got, base), name); err != nil {
			tb.Fatalf("%s: %v", base, err)
		}
	}
	return len(names)
}

func compareFiles(got, want string) error {
	g, err := os.ReadFile(got)
	if err != nil {
		return err
	}
	w, err := os.ReadFile(want)
	if err != nil {
		return err
	}
	if bytes.Equal(g, w) {
		return nil
	}
	off := 0
	for off < min(len(g), len(w)) && g[off] == w[off] {
		off++
	}
	return fmt.Errorf("%d bytes, want %d; differs at %d: %x, want %x", len(g), len(w), off,
		g[off:min(off+40, len(g))], w[off:min(off+40, len(w))])
}

// The same history through etcd's package and ours makes the same bytes, file by file.
func TestSameBytesAsEtcd(t *testing.T) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		for _, size := range []int64{20_000, 500_000, 4_000_000} {
			t.Run(fmt.Sprintf("%v/%d", flavor, size), func(t *testing.T) {
				setSegmentSize(t, size)
				for seed := range uint64(4) {
					sameBytes(t, flavor, size, seed)
				}
			})
		}
	}
}

func sameBytes(t *testing.T, flavor raftpb.Flavor, size int64, seed uint64) {
	dir := t.TempDir()
	got, want := filepath.Join(dir, "got"), filepath.Join(dir, "want")
	ours := mustCreate(t, got, WriterOptions{Flavor: flavor, segmentSize: size})
	theirs := mustCreateEtcd(t, want, flavor)
	h := newHistorian(seed)
	for i := range 300 {
		if err := h.step(ours, theirs); err != nil {
			t.Fatalf("seed %d: step %d: %v", seed, i, err)
		}
	}
	for _, w := range []logWriter{ours, theirs} {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := compareDirs(t, got, want); size < 1_000_000 && n < 3 {
		t.Errorf("seed %d: %d segments, want several", seed, n)
	}
	entries, err := os.ReadDir(got)
	if err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return filepath.Ext(e.Name()) != ".wal" }) {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}
