package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

func openCorpus(tb testing.TB, dir string) *Log {
	tb.Helper()
	l, err := Open(os.DirFS(dir), ".")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

// liveIDs collects the live entries from an index on.
func liveIDs(tb testing.TB, v *View, from uint64) (ids []raftpb.EntryID) {
	tb.Helper()
	for e, err := range v.Entries(from) {
		if err != nil {
			tb.Fatal(err)
		}
		if e.ID() != e.Record.ID {
			tb.Fatalf("%v: entry %v, record says %v", e.Record.Pos, e.ID(), e.Record.ID)
		}
		ids = append(ids, e.ID())
	}
	return ids
}

var goldenEntry = regexp.MustCompile(`(?m)^ *(\d+)\t *(\d+)\t(?:norm|conf)\t`)

// TestViewGolden compares the live entries with what etcd-dump-logs prints of the same logs.
func TestViewGolden(t *testing.T) {
	compared := 0
	for _, log := range corpus.Logs(t) {
		dump, ok := corpus.LookupGolden(t, log.Name+".idx0.txt")
		if !ok || !strings.Contains(string(dump), "WAL entries") {
			continue // no longer begins at index 1: etcd's tool refuses
		}
		compared++
		t.Run(log.Name, func(t *testing.T) {
			var want []raftpb.EntryID
			for _, m := range goldenEntry.FindAllStringSubmatch(string(dump), -1) {
				var id raftpb.EntryID
				if _, err := fmt.Sscan(m[1], &id.Term); err != nil {
					t.Fatal(err)
				}
				if _, err := fmt.Sscan(m[2], &id.Index); err != nil {
					t.Fatal(err)
				}
				want = append(want, id)
			}
			v, err := openCorpus(t, log.Dir).View(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, liveIDs(t, v, 0)); diff != "" {
				t.Errorf("live entries (-etcd +got):\n%s", diff)
			}
			header := fmt.Sprintf("nodeID=%x clusterID=%x term=%d commitIndex=%d vote=%x",
				v.Metadata.NodeID, v.Metadata.ClusterID, v.State.Term, v.State.Commit, v.State.Vote)
			if !strings.Contains(string(dump), header) {
				t.Errorf("got %s, etcd says %s", header, strings.SplitN(string(dump), "\n", 4)[2])
			}
		})
	}
	if compared < 10 {
		t.Errorf("%d logs with a dump, want 10 or more", compared)
	}
}

// snapFiles lists the .snap files of a log.
func snapFiles(tb testing.TB, l *Log) []raftpb.EntryID {
	tb.Helper()
	fsys, dir, ok := l.SnapDir()
	if !ok {
		tb.Fatal("no snap directory")
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		tb.Fatal(err)
	}
	ids := []raftpb.EntryID{}
	for _, e := range entries {
		var id raftpb.EntryID
		if n, _ := fmt.Sscanf(e.Name(), "%016x-%016x.snap", &id.Term, &id.Index); n == 2 {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestVerifyCorpus verifies every log that a real etcd left, and compares what would be read of it
// with what etcd's own package reads.
func TestVerifyCorpus(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		t.Run(log.Name, func(t *testing.T) {
			l := openCorpus(t, log.Dir)
			r, err := l.Verify(t.Context(), VerifyOptions{
				Snapshots: snapFiles(t, l),
				Deep:      checkConfChange,
			})
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != VerdictOK {
				t.Fatalf("verdict %s: %+v", r.Verdict, r.Findings)
			}
			for _, f := range r.Findings {
				if f.Severity != SeverityInfo {
					t.Errorf("finding %+v", f)
				}
			}
			if r.Intact.Last != r.Last.Index {
				t.Errorf("intact up to %d, last entry %d", r.Intact.Last, r.Last.Index)
			}
			compareWithReadAll(t, l, log.Dir, r)
		})
	}
}

// checkConfChange is a deep check that every log passes.
func checkConfChange(e *raftpb.Entry) error {
	if e.Type != raftpb.EntryConfChange {
		return nil
	}
	var cc raftpb.ConfChange
	return cc.Unmarshal(e.Data)
}

// compareWithReadAll reads the log with etcd's package, from the snapshot that etcd would start with.
func compareWithReadAll(t *testing.T, l *Log, dir string, r *Report) {
	t.Helper()
	start := r.Outlook("3.7").Start
	w, err := etcdwal.OpenForRead(zap.NewNop(), filepath.Join(dir, "member", "wal"),
		&walpb.Snapshot{Index: &start.Index, Term: &start.Term})
	if err != nil {
		t.Fatal(err)
	}
	meta, st, ents, err := w.ReadAll()
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	var want []raftpb.EntryID
	for _, e := range ents {
		want = append(want, raftpb.EntryID{Term: e.GetTerm(), Index: e.GetIndex()})
	}
	if diff := cmp.Diff(want, liveIDs(t, r.View, start.Index+1)); diff != "" {
		t.Errorf("live entries after %v (-etcd +got):\n%s", start, diff)
	}
	if got := r.View.Metadata.AppendTo(nil); string(got) != string(meta) {
		t.Errorf("metadata %x, etcd reads %x", got, meta)
	}
	hs := raftpb.HardState{Term: st.GetTerm(), Vote: st.GetVote(), Commit: st.GetCommit()}
	if r.State != hs || r.Outlook("3.7").State != hs {
		t.Errorf("hard state %+v, outlook %+v, etcd reads %+v", r.State, r.Outlook("3.7").State, hs)
	}
	if r.Outlook("3.7").Action != ActionBoots || r.Outlook("3.6").Action != ActionBoots {
		t.Errorf("outlooks %v, %v", r.Outlook("3.7"), r.Outlook("3.6"))
	}
}

// TestViewRandom compares the views of logs that etcd's package wrote with what a naive reading of
// the history makes of it: which entries are live, and in which records.
func TestViewRandom(t *testing.T) {
	etcdSegmentSize(t, 2048)
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 3))
		steps := raftHistory(rng, 5+rng.IntN(80))
		l, err := Open(etcdWrites(t, rng, steps).mapFS(), ".")
		if err != nil {
			t.Fatal(err)
		}
		v, err := l.View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		live := naiveLive(steps)
		compareLive(t, v, steps, live)
		n := slices.IndexFunc(steps, func(s step) bool { return s.kind == KindEntry })
		for r, err := range l.Records(Inspect) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Kind != KindEntry {
				continue
			}
			k, ok := live[r.ID.Index]
			if got, want := v.Live(r.Pos, r.ID.Index), ok && k == n; got != want {
				t.Errorf("log %d: %v: entry %v live %v, want %v", seed, r.Pos, r.ID, got, want)
			}
			for n++; n < len(steps) && steps[n].kind != KindEntry; n++ {
			}
		}
		l.Close()
	}
}

func compareLive(t *testing.T, v *View, steps []step, live map[uint64]int) {
	t.Helper()
	got := liveIDs(t, v, 0)
	if len(got) != len(live) {
		t.Errorf("%d live entries, want %d", len(got), len(live))
	}
	for i, id := range got {
		if k, ok := live[id.Index]; !ok || steps[k].id != id || i > 0 && id.Index <= got[i-1].Index {
			t.Errorf("entry %v should not be live here", id)
		}
	}
	var n uint64
	for _, r := range v.Ranges {
		n += r.Len()
	}
	for _, ts := range v.Terms {
		n -= ts.N
		if k, ok := live[ts.Index]; !ok || steps[k].id != ts.EntryID {
			t.Errorf("term start %v", ts)
		}
	}
	if n != 0 {
		t.Errorf("ranges and terms differ by %d entries", n)
	}
}
