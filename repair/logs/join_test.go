package logs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// step is one write to a log.
type step struct {
	state   raftpb.HardState
	entries []raftpb.Entry
	snap    raftpb.EntryID
}

// ents are entries first to last of a term. What they hold names them, and the history.
func ents(history string, term, first, last uint64) step {
	var s step
	for i := first; i <= last; i++ {
		data := fmt.Appendf(nil, "%s %d %d", history, term, i)
		s.entries = append(s.entries, raftpb.Entry{Term: term, Index: i, Data: data})
	}
	return s
}

func state(term, commit uint64) step {
	return step{state: raftpb.HardState{Term: term, Vote: 1, Commit: commit}}
}

func snap(term, index uint64) step { return step{snap: raftpb.EntryID{Term: term, Index: index}} }

// written returns a log of cluster c1 with some steps.
func written(t *testing.T, name string, steps ...step) *logs.Source {
	t.Helper()
	return create(t, name, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 0xc1}}, steps...)
}

func create(t *testing.T, name string, o wal.CreateOptions, steps ...step) *logs.Source {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fsys := thinFS{faultfs.New()}
	must(fsys.MkdirAll("/logs", 0o777))
	w, err := wal.Create(fsys, "/logs/"+name, o)
	must(err)
	for _, s := range steps {
		if s.snap.Index > 0 {
			must(w.SaveSnapshot(wal.Snapshot{Index: s.snap.Index, Term: s.snap.Term, ConfState: voters}))
			continue
		}
		must(w.Append(s.state, s.entries))
	}
	must(w.Close())
	log, err := wal.Open(vfs.DirFS(fsys, "/logs"), name)
	must(err)
	source, err := logs.New(t.Context(), name, log, logs.Options{})
	must(err)
	t.Cleanup(func() { _ = source.Close() })
	return source
}

var voters = &raftpb.ConfState{Voters: []uint64{1}}

// from returns how a part of a log is created that begins with an entry.
func from(index uint64) wal.CreateOptions {
	return wal.CreateOptions{
		Metadata: wal.Metadata{NodeID: 1, ClusterID: 0xc1}, First: wal.SegmentName{Seq: 3, Index: index},
	}
}

func TestJoin(t *testing.T) {
	for name, tc := range map[string]struct {
		sources []*logs.Source
		runs    []string // of what is committed
		commit  string
		err     string // a part of it
	}{
		"the tail that another one overwrote": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), state(1, 2), ents("x", 2, 5, 9), state(2, 2)),
				written(t, "b", ents("x", 1, 1, 4), state(1, 2), ents("x", 3, 5, 6), state(3, 6)),
			},
			runs: []string{"b entries 1..6"}, commit: "6 (term 3) by the hard state of b",
		},
		"a member that lags": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), state(1, 1)),
				written(t, "b", snap(1, 4), state(1, 4)),
			},
			runs: []string{"a entries 1..4"}, commit: "4 (term 1) by the snapshot record of b",
		},
		"a leader's snapshot of the same term commits what precedes it": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), state(1, 1)),
				written(t, "b", snap(1, 9), state(1, 9)),
			},
			commit: "9 (term 1) by the snapshot record of b",
			err: "entries 5..9 are in none of the logs: a ends at 4, " +
				"b has a snapshot from the leader up to 9 in their place; add a log",
		},
		"a leader's snapshot of another term says nothing of an old tail": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), state(1, 1)),
				written(t, "b", snap(2, 3), state(3, 3)),
			},
			commit: "3 (term 2) by the snapshot record of b",
			err: "entries 2..3 are known to be committed in none of the logs: a has entries 2..3, " +
				"which nothing proves to be committed",
		},
		"a gap between": {
			sources: []*logs.Source{
				written(t, "m1", ents("x", 1, 1, 11), state(1, 11)),
				create(t, "m2", from(15), ents("x", 1, 15, 20), state(1, 18)),
			},
			commit: "18 (term 1) by the hard state of m2",
			err: "entries 12..14 are in none of the logs: m1 ends at 11, m2 begins at 15; " +
				"add a log of the cluster that has entries 12..14",
		},
		"parts of logs": {
			sources: []*logs.Source{
				create(t, "c", from(9), ents("x", 1, 9, 20), state(2, 20)),
				create(t, "b", from(5), ents("x", 1, 5, 10)),
				written(t, "a", ents("x", 1, 1, 6)),
			},
			runs:   []string{"a entries 1..6", "b entries 7..10", "c entries 11..20"},
			commit: "20 (term 1) by the hard state of c",
		},
		"a part that doesn't say what is committed": {
			sources: []*logs.Source{create(t, "b", from(5), ents("x", 1, 5, 10))},
			commit:  "0",
		},
		"two histories by term": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), ents("x", 2, 5, 9), state(2, 9)),
				written(t, "b", ents("x", 1, 1, 4), ents("x", 3, 5, 6), state(3, 6)),
			},
			err: " (committed up to 9 by the hard state of a), entry 5 (term 3) in b 0000000000000000-",
		},
		"two histories of the same terms": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 9), state(1, 9)),
				written(t, "b", ents("x", 1, 1, 4), ents("y", 1, 5, 6), state(1, 6)),
			},
			err: "a and b are of two histories: entry 5 (term 1) is not the same in both: a 0000",
		},
		"two histories, one after the other": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), ents("x", 5, 5, 6), state(5, 6)),
				create(t, "b", from(7), ents("x", 2, 7, 9), state(2, 9)),
			},
			err: "entry 6 (term 5) in a",
		},
		"a snapshot of another history": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), state(1, 4)),
				written(t, "b", snap(2, 4), state(2, 4)),
			},
			err: "entry 4 (term 2) by the snapshot record of b",
		},
		"another cluster": {
			sources: []*logs.Source{
				written(t, "a", ents("x", 1, 1, 4), state(1, 4)),
				create(t, "b", wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 0xc2}}),
			},
			err: "logs of more than one cluster: a is of c1 (0000000000000000-0000000000000000.wal: offset 16), b is of c2 (",
		},
		"a cluster that isn't said": {
			sources: []*logs.Source{create(t, "b", wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1}})},
			err:     "nothing tells whether the logs are of one cluster: b has metadata without a cluster (",
		},
		"metadata of something else": {
			sources: []*logs.Source{create(t, "b", wal.CreateOptions{RawMetadata: []byte("somedata")})},
			err:     "b has metadata that is not etcd's (",
		},
	} {
		t.Run(name, func(t *testing.T) {
			j, err := logs.Join(tc.sources, logs.JoinOptions{})
			if err == nil {
				if got := j.Commit().String(); got != tc.commit {
					t.Errorf("commit %s, want %s", got, tc.commit)
				}
				var r *logs.Range
				if r, err = j.Range(0, j.Commit().Index); err == nil {
					if diff := cmp.Diff(tc.runs, runs(r)); diff != "" {
						t.Errorf("runs (-want +got):\n%s", diff)
					}
					if got := len(read(t, r)); got != int(j.Commit().Index) {
						t.Errorf("%d entries, want %v", got, j.Commit().Index)
					}
				}
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("got error  %v\nwant it with %s", err, tc.err)
			}
		})
	}
}

// Behind what is committed, entries are those of the most advanced log alone, if it goes on from there.
func TestUncommitted(t *testing.T) {
	a := written(t, "a", ents("x", 1, 1, 4), state(1, 4), ents("x", 2, 5, 9), state(3, 4))
	b := written(t, "b", ents("x", 1, 1, 4), state(1, 2), ents("x", 3, 5, 6), state(3, 2))
	part := create(t, "c", from(7), ents("x", 4, 7, 8))
	r, err := join(t, a, b).Range(2, 6)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a entries 3..4", "b entries 5..6"}, runs(r)); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	got := r.Uncommitted()
	if got != (wal.IndexRange{First: 5, Last: 6}) || r.Len() != 4 || r.First() != 3 || r.Last() != 6 {
		t.Errorf("uncommitted %v of %d..%d", got, r.First(), r.Last())
	}
	_, err = join(t, a, b).Range(2, 9)
	want := "entries 7..9 are known to be committed in none of the logs: " +
		"a has entries 7..9, which nothing proves to be committed, b ends at 6; " +
		"add a log of the cluster that has entries 7..9"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	// The most advanced log begins behind what is committed: nothing tells what lies between.
	j := join(t, a, b, part)
	if got := j.Last().String(); got != "8 (term 4) of c" {
		t.Errorf("last %s, want that of c", got)
	}
	if _, err = j.Range(4, 8); missing(err) == nil || missing(err).Ranges[0].First != 5 {
		t.Errorf("got %v, want all behind the commit missing", err)
	}
}

// A log that ends with the same entry as the most advanced one is the same up to there: what that lacks, it gives.
func TestUncommittedOfAnother(t *testing.T) {
	a := create(t, "a", from(8), ents("x", 2, 8, 9), state(2, 4))
	b := written(t, "b", ents("x", 1, 1, 4), state(1, 4), ents("x", 2, 5, 9))
	short := written(t, "short", ents("x", 1, 1, 4), state(1, 4), ents("x", 2, 5, 8))
	for name, tt := range map[string]struct {
		with *logs.Source
		runs []string
	}{
		"one that ends alike":  {b, []string{"b entries 5..9"}},
		"one that ends before": {short, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := join(t, a, tt.with).Range(4, 9)
			if (err == nil) != (tt.runs != nil) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tt.runs, runs(r)); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
		})
	}
}

// Ranges that hold nothing, and those that have no end.
func TestEdges(t *testing.T) {
	j := join(t, written(t, "a", ents("x", 1, 1, 4), state(1, 4)))
	for _, at := range []uint64{0, 3, 4, 9, 1<<64 - 1} {
		r, err := j.Range(at, min(at, 4))
		if err != nil || r.Len() != 0 || len(read(t, r)) != 0 {
			t.Errorf("nothing behind %d: %v", at, err)
		}
	}
	_, err := j.Range(2, 1<<64-1)
	if gap, ok := errors.AsType[*logs.GapError](err); !ok || gap.HeldTo != 4 {
		t.Errorf("everything behind 2: got %v", err)
	}
	if got := j.Reach(1<<64 - 1); got != 1<<64-1 {
		t.Errorf("reach %d", got)
	}
}
