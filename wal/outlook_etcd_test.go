package wal

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3"
	etcdraftpb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/raftpb"
)

// files is a wal directory in memory: name to content.
type files map[string][]byte

func readSegments(tb testing.TB, dir string) files {
	tb.Helper()
	fs := files{}
	names, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		fs[filepath.Base(name)] = b
	}
	return fs
}

func (fs files) write(tb testing.TB, dir string) {
	tb.Helper()
	for name, b := range fs {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

func (fs files) clone() files {
	out := files{}
	for name, b := range fs {
		out[name] = slices.Clone(b)
	}
	return out
}

func (fs files) names() (names []string) {
	for name := range fs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// etcdSegmentSize sets the size of the segments that etcd's package begins, for one test.
func etcdSegmentSize(tb testing.TB, size int64) {
	old := etcdwal.SegmentSizeBytes
	etcdwal.SegmentSizeBytes = size
	tb.Cleanup(func() { etcdwal.SegmentSizeBytes = old })
}

// etcdWrites has etcd's own package write a history.
func etcdWrites(tb testing.TB, rng *rand.Rand, steps []step) files {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "wal")
	meta := Metadata{NodeID: 0xa1, ClusterID: 0xc1}
	w, err := etcdwal.Create(zap.NewNop(), dir, meta.AppendTo(nil))
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < len(steps); i++ {
		if err := etcdSave(w, rng, steps[i]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return readSegments(tb, dir)
}

func etcdSave(w *etcdwal.WAL, rng *rand.Rand, s step) error {
	switch s.kind {
	case KindEntry:
		e := &etcdraftpb.Entry{Term: &s.id.Term, Index: &s.id.Index}
		if n := rng.IntN(3); n > 0 {
			e.Data = make([]byte, 1+rng.IntN(300*n))
			for i := range e.Data {
				e.Data[i] = byte(rng.Uint32())
			}
			if rng.IntN(10) == 0 { // a value of zeros is no torn write
				clear(e.Data)
			}
		}
		return w.Save(&etcdraftpb.HardState{}, []*etcdraftpb.Entry{e})
	case KindState:
		return w.Save(&etcdraftpb.HardState{Term: &s.st.Term, Vote: &s.st.Vote, Commit: &s.st.Commit}, nil)
	}
	return w.SaveSnapshot(&walpb.Snapshot{Index: &s.id.Index, Term: &s.id.Term,
		ConfState: &etcdraftpb.ConfState{Voters: []uint64{0xa1}}})
}

// etcdResult is what etcd did with a log.
type etcdResult struct {
	err   string // why it does not start
	start raftpb.EntryID
	ents  []raftpb.EntryID
	cut   bool
}

// etcdBoots does with a log what a 3.7 server does at start, up to the moment where raft runs.
func etcdBoots(tb testing.TB, dir string) (res etcdResult) {
	tb.Helper()
	defer func() {
		if p := recover(); p != nil {
			res.err = fmt.Sprint(p)
		}
	}()
	snaps, err := etcdwal.ValidSnapshotEntries(zap.NewNop(), dir)
	if err != nil {
		return etcdResult{err: err.Error()}
	}
	start := &walpb.Snapshot{}
	if len(snaps) > 0 {
		start = snaps[len(snaps)-1]
		start = &walpb.Snapshot{Index: new(start.GetIndex()), Term: new(start.GetTerm())}
	}
	res.start = raftpb.EntryID{Term: start.GetTerm(), Index: start.GetIndex()}
	meta, st, ents, err := etcdReads(dir, start)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if !etcdwal.Repair(zap.NewNop(), dir) {
			return etcdResult{err: err.Error()}
		}
		meta, st, ents, err = etcdReads(dir, start)
		res.cut = true
	}
	if err != nil {
		return etcdResult{err: err.Error()}
	}
	for _, e := range ents {
		res.ents = append(res.ents, raftpb.EntryID{Term: e.GetTerm(), Index: e.GetIndex()})
	}
	etcdRuns(meta, st, ents, start)
	return res
}

func etcdReads(dir string, start *walpb.Snapshot) (
	[]byte, *etcdraftpb.HardState, []*etcdraftpb.Entry, error,
) {
	w, err := etcdwal.Open(zap.NewNop(), dir, start)
	if err != nil {
		return nil, nil, nil, err
	}
	defer w.Close()
	return w.ReadAll()
}

// etcdRuns starts a raft node, which panics if it can't.
func etcdRuns(meta []byte, st *etcdraftpb.HardState, ents []*etcdraftpb.Entry, start *walpb.Snapshot) {
	var m Metadata
	if err := m.Unmarshal(meta); err != nil {
		panic(err)
	}
	store := raft.NewMemoryStorage()
	var errs []error
	if start.GetIndex() > 0 {
		errs = append(errs, store.ApplySnapshot(&etcdraftpb.Snapshot{
			Metadata: &etcdraftpb.SnapshotMetadata{Index: start.Index, Term: start.Term,
				ConfState: &etcdraftpb.ConfState{Voters: []uint64{0xa1}}}}))
	}
	errs = append(errs, store.SetHardState(st), store.Append(ents))
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
	raft.SetLogger(quietRaft{})
	if _, err := raft.NewRawNode(&raft.Config{ID: m.NodeID, ElectionTick: 10, HeartbeatTick: 1,
		Storage: store, MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 10, Logger: quietRaft{}}); err != nil {
		panic(err)
	}
}

// quietRaft drops raft's log lines and keeps its panics.
type quietRaft struct{ raft.Logger }

func (quietRaft) Debug(...any)              {}
func (quietRaft) Debugf(string, ...any)     {}
func (quietRaft) Info(...any)               {}
func (quietRaft) Infof(string, ...any)      {}
func (quietRaft) Warning(...any)            {}
func (quietRaft) Warningf(string, ...any)   {}
func (quietRaft) Error(...any)              {}
func (quietRaft) Errorf(string, ...any)     {}
func (quietRaft) Panic(v ...any)            { panic(fmt.Sprint(v...)) }
func (quietRaft) Panicf(f string, v ...any) { panic(fmt.Sprintf(f, v...)) }

var blockType = regexp.MustCompile(`unexpected block type \d+`)

// etcdText makes an error text of etcd comparable: protobuf writes a space that differs from build
// to build, and an address stands where etcd 3.7 means a type.
func etcdText(s string) string {
	s = strings.ReplaceAll(s, "\u00a0", " ")
	return blockType.ReplaceAllString(s, "unexpected block type (an address)")
}

// compareOutlook tells how an outlook differs from what etcd did, or nothing.
func compareOutlook(o *Outlook, got etcdResult) string {
	if got.err != "" {
		if o.Action != ActionRefuses || o.Error != etcdText(got.err) {
			return fmt.Sprintf("etcd refuses:\n\t%s\noutlook: %v", etcdText(got.err), o)
		}
		return ""
	}
	var ents []raftpb.EntryID
	for _, s := range o.read {
		for i := s.first; i <= s.last; i++ {
			ents = append(ents, raftpb.EntryID{Term: s.term, Index: i})
		}
	}
	switch {
	case o.Action == ActionRefuses || o.Action == ActionUnknown:
		return fmt.Sprintf("etcd boots with %d entries after %v; outlook: %v", len(got.ents), got.start, o)
	case o.Start != got.start:
		return fmt.Sprintf("etcd starts from %v; outlook: %v", got.start, o.Start)
	case !slices.Equal(ents, got.ents):
		return fmt.Sprintf("etcd reads %v; outlook: %v", got.ents, ents)
	case got.cut != o.repaired:
		return fmt.Sprintf("etcd cuts: %v; outlook: %v", got.cut, o)
	}
	return ""
}
