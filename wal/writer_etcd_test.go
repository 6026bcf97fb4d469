package wal

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/pkg/v3/ioutil"
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
	at    raftpb.EntryID // the last snapshot
	floor uint64         // nothing at or below it is overwritten
}

func newHistorian(seed uint64) *historian {
	return &historian{rng: rand.New(rand.NewPCG(seed, 1)), state: raftpb.HardState{Term: 1}}
}

// step makes the writers write the next thing.
func (h *historian) step(writers ...logWriter) error {
	var write func(logWriter) error
	switch n := h.rng.IntN(100); {
	case n < 3: // a snapshot of what was committed
		s := Snapshot{Index: h.state.Commit, Term: h.state.Term,
			ConfState: &raftpb.ConfState{Voters: []uint64{1, h.rng.Uint64()}}}
		write = h.snapshot(s)
	case n < 5: // a snapshot from the leader, with a later state
		h.last += h.rng.Uint64N(50)
		s := Snapshot{Index: h.last, Term: h.state.Term,
			ConfState: &raftpb.ConfState{Voters: []uint64{1}, Learners: []uint64{2}}}
		h.state.Commit = max(h.state.Commit, h.last)
		write = h.snapshot(s)
	case n < 15: // a new leader, which overwrites
		h.state.Term++
		h.state.Vote = h.rng.Uint64()
		floor := max(h.state.Commit, min(h.floor, h.last))
		h.last = floor + h.rng.Uint64N(h.last-floor+1)
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

func (h *historian) snapshot(s Snapshot) func(logWriter) error {
	if s.Index <= h.at.Index {
		return func(logWriter) error { return nil }
	}
	h.at = s.ID()
	return func(w logWriter) error { return w.SaveSnapshot(s) }
}

func (h *historian) save(n int) func(logWriter) error {
	var entries []raftpb.Entry
	for range n {
		h.last++
		e := raftpb.Entry{Term: h.state.Term, Index: h.last, Data: h.data()}
		if h.rng.IntN(20) == 0 {
			change := raftpb.ConfChange{ID: h.last, NodeID: h.rng.Uint64(), Context: h.bytes(30)}
			e.Type, e.Data = raftpb.EntryConfChange, change.Marshal(raftpb.FlavorGogo)
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
	m := Metadata{NodeID: 1, ClusterID: 2}
	w, err := Create(vfs.OS, dir, CreateOptions{Metadata: m, WriterOptions: o})
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

func mustOpen(tb testing.TB, dir string, o AppendOptions) *Writer {
	tb.Helper()
	w, _, err := OpenForAppend(vfs.OS, dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func mustOpenEtcd(tb testing.TB, dir string, f raftpb.Flavor, at raftpb.EntryID) etcdWriter {
	tb.Helper()
	w, err := etcdwal.Open(zap.NewNop(), dir, &walpb.Snapshot{Index: &at.Index, Term: &at.Term})
	if err != nil {
		tb.Fatal(err)
	}
	if _, _, _, err := w.ReadAll(); err != nil {
		tb.Fatal(err)
	}
	return etcdWriter{w, f}
}

func mustClose(tb testing.TB, writers ...io.Closer) {
	tb.Helper()
	for _, w := range writers {
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
	}
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
	off := firstDifference(g, w)
	return fmt.Errorf("%d bytes, want %d; differs at %d: %x, want %x", len(g), len(w), off,
		g[off:min(off+40, len(g))], w[off:min(off+40, len(w))])
}

func firstDifference(a, b []byte) int {
	for off := range min(len(a), len(b)) {
		if a[off] != b[off] {
			return off
		}
	}
	return min(len(a), len(b))
}

// The same history through etcd's package and ours makes the same bytes, file by file.
func TestSameBytesAsEtcd(t *testing.T) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		for _, size := range []int64{20_000, 400_000} {
			for seed := range uint64(4) {
				t.Run(fmt.Sprintf("%v/%d/%d", flavor, size, seed), func(t *testing.T) {
					setSegmentSize(t, size)
					sameBytes(t, WriterOptions{Flavor: flavor, segmentSize: size}, seed)
				})
			}
		}
	}
}

// segmentStart returns the index before the segment that is written to.
func segmentStart(w *Writer) uint64 {
	w.locks.mu.Lock()
	defer w.locks.mu.Unlock()
	return max(1, w.locks.held[len(w.locks.held)-1].name.Index) - 1
}

// sameBytes writes a history with both writers. If the seed is odd, each opens from time to time
// what the other wrote, and goes on there.
func sameBytes(t *testing.T, o WriterOptions, seed uint64) {
	dir := t.TempDir()
	got, want := filepath.Join(dir, "got"), filepath.Join(dir, "want")
	ours, theirs := mustCreate(t, got, o), mustCreateEtcd(t, want, o.Flavor)
	h := newHistorian(seed)
	for i := range 160 {
		if err := h.step(ours, theirs); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if seed%2 == 0 {
			continue
		}
		h.floor = segmentStart(ours)
		if i%40 == 30 {
			mustClose(t, ours, theirs)
			got, want = want, got
			ours = mustOpen(t, got, AppendOptions{At: h.at, WriterOptions: o})
			theirs = mustOpenEtcd(t, want, o.Flavor, h.at)
			// After opening, etcd has forgotten the hard state until it saves one, and would leave it
			// out of the next segment's head.
			for _, w := range []logWriter{ours, theirs} {
				if err := w.Append(h.state, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	mustClose(t, ours, theirs)
	if n := compareDirs(t, got, want); n < 3 {
		t.Errorf("%d segments, want several", n)
	}
	entries, err := os.ReadDir(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := ParseSegmentName(e.Name()); !ok {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// byteCounter counts what reaches the file.
type byteCounter int64

func (c *byteCounter) Write(b []byte) (int, error) {
	*c += byteCounter(len(b))
	return len(b), nil
}

// The model of etcd's page writer knows after every write how many bytes reached the file.
func FuzzFlushModel(f *testing.F) {
	f.Add(int64(0), []byte{0, 1, 2, 3, 255, 40, 200, 7, 0, 13, 31, 90})
	f.Add(int64(8), bytes.Repeat([]byte{4, 201, 17, 64, 128}, 50))
	f.Add(int64(4088), bytes.Repeat([]byte{250, 3, 66, 119, 0}, 40))
	buf := make([]byte, 1<<20)
	f.Fuzz(func(t *testing.T, off int64, steps []byte) {
		off &= 1<<30 - 1
		file := byteCounter(off)
		w := ioutil.NewPageWriter(&file, etcdPage, int(off))
		m := flushModel{size: off}
		for i, step := range steps {
			n := 8 * (int(step%8) + 1) << (step / 16) // up to 2 MiB
			var err error
			if n = min(n, len(buf)); step == 0 {
				m.sync()
				err = w.Flush()
			} else {
				m.write(int64(n))
				_, err = w.Write(buf[:n])
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.size != int64(file) {
				t.Fatalf("step %d: %d bytes in the file, want %d", i, m.size, file)
			}
		}
	})
}
