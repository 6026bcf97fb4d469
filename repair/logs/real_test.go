package logs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// members opens the logs of the three members of a corpus.
func members(t *testing.T, name string) []*logs.Source {
	t.Helper()
	dir := corpus.Dir(t, name)
	return open(t, filepath.Join(dir, "m1"), filepath.Join(dir, "m2"), filepath.Join(dir, "m3"))
}

func open(t *testing.T, names ...string) []*logs.Source {
	t.Helper()
	sources, err := logs.OpenAll(t.Context(), names, logs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = logs.CloseAll(sources) })
	for _, s := range sources {
		s.Name = filepath.Base(s.Name)
	}
	return sources
}

func join(t *testing.T, sources ...*logs.Source) *logs.Joined {
	t.Helper()
	j, err := logs.Join(sources, logs.JoinOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// entry is what counts of an entry.
type entry struct {
	ID   raftpb.EntryID
	Type raftpb.EntryType
	Data string
}

func read(t *testing.T, r *logs.Range) (out []entry) {
	t.Helper()
	for e, err := range r.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, entry{e.ID(), e.Type, string(e.Data)})
	}
	return out
}

// committed reads the entries of one log that it commits itself.
func committed(t *testing.T, s *logs.Source) []entry { return upTo(t, s, s.View.State.Commit) }

// upTo reads the entries of one log up to an index.
func upTo(t *testing.T, s *logs.Source, index uint64) (out []entry) {
	t.Helper()
	for e, err := range s.View.Entries(0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Index <= index {
			out = append(out, entry{e.ID(), e.Type, string(e.Data)})
		}
	}
	return out
}

func runs(r *logs.Range) (out []string) {
	for _, x := range r.Runs() {
		out = append(out, x.Source.Name+" "+wal.IndexRange{First: x.First, Last: x.Last}.String())
	}
	return out
}

// Any one log that has everything, and any that lack something, give what the first member committed.
func TestMembers(t *testing.T) {
	for _, name := range []string{"c35-3m-clean", "c36-3m-clean", "c36-3m-kill9", "c37-3m-clean"} {
		sources := members(t, name)
		alone := committed(t, sources[0])
		for _, chosen := range [][]*logs.Source{
			sources, sources[:1], sources[1:], {sources[2], sources[0]}, {sources[0], sources[0]},
		} {
			j := join(t, chosen...)
			want := alone
			if j.Commit().By == logs.ByMajority && name == "c36-3m-kill9" {
				want = upTo(t, sources[0], 21636) // two members show more than one knows
			}
			if got, want := j.Commit().EntryID, want[len(want)-1].ID; got != want {
				t.Errorf("%s: commit %v, want %v", name, got, want)
			}
			r, err := j.Range(0, j.Commit().Index)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, read(t, r)); diff != "" {
				t.Errorf("%s: (-first member +got):\n%s", name, diff)
			}
			if j.Cluster() != sources[0].View.Metadata.ClusterID || len(r.Runs()) != 1 || r.Uncommitted().Len() != 0 {
				t.Errorf("%s: cluster %x, runs %v, uncommitted %v", name, j.Cluster(), runs(r), r.Uncommitted())
			}
		}
	}
}

// The third member was caught up by a snapshot, and says so.
func TestLeaderSnapshotLeavesGap(t *testing.T) {
	j := join(t, members(t, "c36-3m-clean")[2])
	if got := j.Reach(0); got != 1027 {
		t.Errorf("entries from the first on are there up to %d, want 1027", got)
	}
	if got := j.Reach(1727); got != 1946 {
		t.Errorf("entries behind the snapshot are there up to %d, want 1946", got)
	}
	_, err := j.Range(1000, 1800)
	want := "entries 1028..1727 are in none of the logs: m3 has a snapshot from the leader up to 1727 in their place; " +
		"add a log of the cluster that has entries 1028..1727"
	if _, ok := errors.AsType[*logs.GapError](err); !ok || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if term, ok := j.Term(1727); term != 3 || !ok {
		t.Errorf("the snapshot's entry has term %d, %v, want 3", term, ok)
	}
}

// The log of a crashed member lags behind its database.
func TestApplied(t *testing.T) {
	sources := members(t, "c36-3m-kill9")[1:2]
	most := uint64(0)
	for _, s := range sources {
		place := s.Log.Member().Database
		db, err := database.Open(t.Context(), place.FS, place.Path, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		meta, err := db.Meta()
		if err != nil {
			t.Fatal(err)
		}
		s.Applied = raftpb.EntryID{Term: meta.Term, Index: meta.ConsistentIndex}
		most = max(most, meta.ConsistentIndex)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Whether the databases are ahead is up to when the members were killed: one is made to be.
	if end := sources[0].View.Last; most < end.Index {
		sources[0].Applied = raftpb.EntryID{Term: end.Term, Index: end.Index - 2}
	}
	j := join(t, sources...)
	want := logs.Mark{EntryID: sources[0].Applied, Source: sources[0], By: logs.ByApplied}
	if got := j.Commit(); got != want {
		t.Errorf("commit %v, want %v", got, want)
	}
	r, err := j.Range(21000, j.Last().Index)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Uncommitted(), (wal.IndexRange{First: 21635, Last: 21636}); got != want {
		t.Errorf("uncommitted %v, want %v", got, want)
	}
	if got, want := len(read(t, r)), 636; got != want {
		t.Errorf("%d entries, want %d", got, want)
	}
}

// The logs of crashed members tell together what none of them tells alone.
func TestMajorityOfReal(t *testing.T) {
	sources := members(t, "c36-3m-kill9")
	j := join(t, sources...)
	if got := j.Commit(); got.Index != 21636 || got.By != logs.ByMajority || j.Last().EntryID != got.EntryID {
		t.Errorf("commit %v, and the logs end at %v, want 21636 by a majority", got, j.Last())
	}
}

// Logs that four releases went on with in turn are one history, whatever the form of their entries.
func TestUpgrades(t *testing.T) {
	var dirs []string
	for _, name := range []string{"after36", "after34", "after37", "after35"} {
		dirs = append(dirs, corpus.Dir(t, "chain-1n-"+name))
	}
	sources := open(t, dirs...)
	j := join(t, sources...)
	r, err := j.Range(0, j.Commit().Index)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(committed(t, sources[2]), read(t, r)); diff != "" {
		t.Errorf("(-newest +got):\n%s", diff)
	}
}

// An archive of all members stands for all of them, and a segment for what it holds.
func TestPaths(t *testing.T) {
	archive := open(t, corpus.Archive("c36-3m-clean"))
	if len(archive) != 5 {
		t.Fatalf("%d logs in the archive, want 5", len(archive))
	}
	if got := join(t, archive...).Reach(0); got != 1946 {
		t.Errorf("the archive's logs reach %d, want 1946", got)
	}
	segments, err := filepath.Glob(filepath.Join(corpus.Dir(t, "c36-multiseg-1n-clean"), "member", "wal", "*.wal"))
	if err != nil || len(segments) < 3 {
		t.Fatalf("segments %v (%v)", segments, err)
	}
	whole := open(t, corpus.Dir(t, "c36-multiseg-1n-clean"))
	slices.Reverse(segments)
	j := join(t, open(t, segments...)...)
	first := whole[0].View.First.Index - 1
	r, err := j.Range(first, j.Commit().Index)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(r.Runs()), len(segments); got != want {
		t.Errorf("%d runs, want one for each of %d segments: %v", got, want, runs(r))
	}
	if diff := cmp.Diff(committed(t, whole[0]), read(t, r)); diff != "" {
		t.Errorf("(-whole log +segments):\n%s", diff)
	}
	_, err = logs.OpenAll(t.Context(), []string{corpus.Dir(t, "c34-1n-clean"), t.TempDir()}, logs.Options{})
	if !errors.Is(err, wal.ErrNoLog) {
		t.Errorf("a folder without a log: got %v", err)
	}
}

// A cluster that was forced to go on with one member is of another history than the others, although it has
// their cluster's ID; so are clusters that were begun with the same names.
func TestHistoriesPart(t *testing.T) {
	for name, tc := range map[string]struct{ dirs []string }{
		"forced":     {[]string{"c36-fnc-1n-clean", "c36-3m-kill9/m1"}},
		"same names": {[]string{"c34-1n-clean", "chain-1n-after34"}},
		"same token": {[]string{"c36-leasecp-1n-clean", "c36-quota-1n-clean"}},
	} {
		var dirs []string
		for _, dir := range tc.dirs {
			first, rest, _ := strings.Cut(dir, "/")
			dirs = append(dirs, filepath.Join(corpus.Dir(t, first), rest))
		}
		_, err := logs.Join(open(t, dirs...), logs.JoinOptions{})
		conflict, ok := errors.AsType[*logs.ConflictError](err)
		if !ok {
			t.Errorf("%s: got %v, want a conflict", name, err)
			continue
		}
		for i, side := range conflict.Sides {
			rec, err := side.Source.Log.ReadAt(side.Pos)
			if err != nil || rec.ID.Index != conflict.Index {
				t.Errorf("%s: side %d is not where it says: %v (%v)", name, i, side, err)
			}
		}
	}
	// What was forced goes on from what was there before.
	j := join(t, open(t, corpus.Dir(t, "c36-fnc-1n-clean"), filepath.Join(corpus.Dir(t, "c36-3m-clean"), "m2"))...)
	if got := j.Reach(0); got != 2207 {
		t.Errorf("the forced member and one before it reach %d, want 2207", got)
	}
}

func TestForeign(t *testing.T) {
	sources := open(t, corpus.Dir(t, "c34-1n-clean"), corpus.Dir(t, "c36-quota-1n-clean"))
	_, err := logs.Join(sources, logs.JoinOptions{})
	if _, ok := errors.AsType[*logs.ForeignError](err); !ok || !strings.Contains(err.Error(), "1d5f9a066718cfcf") ||
		!strings.Contains(err.Error(), "20cc234d89d83234") {
		t.Errorf("got %v, want both clusters told", err)
	}
	_, err = logs.Join(sources[:1], logs.JoinOptions{Cluster: 7})
	if err == nil || !strings.Contains(err.Error(), "want logs of cluster 7") {
		t.Errorf("another cluster than the one wanted: got %v", err)
	}
	if _, err = logs.Join(nil, logs.JoinOptions{}); !errors.Is(err, logs.ErrNoSource) {
		t.Errorf("no logs: got %v", err)
	}
	if _, err = logs.Join(sources, logs.JoinOptions{Foreign: true}); err == nil {
		t.Error("two histories are joined where other clusters are allowed")
	}
}

// flip damages the byte at an offset of a member's only segment.
func flip(t *testing.T, dir string, off int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "member", "wal", "0000000000000000-0000000000000000.wal"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x40
	if _, err := f.WriteAt(b[:], off); err != nil {
		t.Fatal(err)
	}
}

// payloadOf returns where the last byte of an entry's data lies.
func payloadOf(t *testing.T, s *logs.Source, index uint64) int64 {
	t.Helper()
	pos, err := s.View.Locate(index)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := s.Log.ReadAt(pos)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Pos.Off + rec.Len - int64(rec.Pad) - 1
}

// An entry that is damaged in one log is taken from another, and that is told; without another it is an error
// that says where.
func TestDamageCovered(t *testing.T) {
	dir := corpus.Copy(t, "c36-3m-clean")
	m1 := open(t, filepath.Join(dir, "m1"))[0]
	want := committed(t, m1)
	at, err := m1.View.Locate(1500)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []uint64{500, 1500} {
		flip(t, filepath.Join(dir, "m1"), payloadOf(t, m1, index))
	}
	sources := open(t, filepath.Join(dir, "m1"), filepath.Join(dir, "m3"))
	j := join(t, sources...)
	if _, err = j.Range(1400, 1946); err == nil {
		t.Fatal("entry 1500 is given, although the only log that has it is damaged there")
	}
	var corrupt *wal.CorruptError
	damaged, ok := errors.AsType[*logs.DamageError](err)
	lost := wal.IndexRange{First: 1500, Last: 1500}
	if !ok || !errors.As(err, &corrupt) || damaged.HeldTo != 1499 || damaged.Ranges[0] != lost {
		t.Fatalf("got %v", err)
	}
	if corrupt.File != at.Segment || corrupt.Off != at.Off {
		t.Errorf("the damage lies at %v, told is %v", at, corrupt)
	}
	if !strings.Contains(err.Error(), "m3 has a snapshot from the leader") {
		t.Errorf("the other log is not told: %v", err)
	}
	r, err := j.Range(0, 1400)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[:1400], read(t, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := runs(r); !slices.Equal(got, []string{"m3 entries 1..1027", "m1 entries 1028..1400"}) {
		t.Errorf("runs %v", got)
	}
	if d := r.Damage(); len(d) != 1 || d[0].Source != sources[0] || d[0].Entries.First != 500 || d[0].Finding == nil {
		t.Errorf("damage %+v, want that of entry 500 in m1", d)
	}
}

// What becomes damaged while it is read is told, and what came before is right.
func TestDamageWhileReading(t *testing.T) {
	dir := corpus.Copy(t, "c36-3m-clean")
	sources := open(t, filepath.Join(dir, "m1"))
	j := join(t, sources...)
	r, err := j.Range(0, 1946)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, filepath.Join(dir, "m1"), payloadOf(t, sources[0], 900))
	last := uint64(0)
	for e, err := range r.Entries(t.Context()) {
		if err == nil {
			last = e.Index
			continue
		}
		read, ok := errors.AsType[*logs.ReadError](err)
		if !ok || read.Entry.Index != 900 || last != 899 || !errors.Is(err, wal.ErrGap) {
			t.Errorf("behind entry %d: %v", last, err)
		}
		return
	}
	t.Error("no error")
}

func TestInterrupted(t *testing.T) {
	sources := members(t, "c36-3m-clean")
	r, err := join(t, sources...).Range(0, 1946)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err = range r.Entries(ctx) {
		if err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("reading: got %v", err)
	}
	_, err = logs.Open(ctx, filepath.Join(corpus.Dir(t, "c36-3m-clean"), "m1"), logs.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("opening: got %v", err)
	}
}
