package repairtest

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// mapFS is a file system of files by path.
func mapFS(files map[string][]byte) fstest.MapFS {
	m := fstest.MapFS{}
	for name, b := range files {
		m[name] = &fstest.MapFile{Data: b, Mode: 0o600}
	}
	return m
}

// given are the members of a seed: a patient, and its donors.
type given struct {
	*cluster
	patient *member
	donors  []*member
}

// cases is how many damages are tried on the patient: fewer on a large one.
func (g *given) cases() uint64 {
	const large = 4 << 20
	size := 0
	for _, s := range g.patient.segs {
		size += len(s.b)
	}
	if size > large {
		return perSeed / 10
	}
	return perSeed
}

// realEvery is which seeds stand for a real member.
const realEvery = 8

// givenBy returns the members of a seed.
func givenBy(tb testing.TB, seed uint64) *given {
	tb.Helper()
	if seed%realEvery == realEvery-1 {
		return realGiven(tb, seed)
	}
	return made(seed)
}

// alone makes the cluster of a seed, of which one member is left in the end.
func alone(seed uint64) *given { return makeGiven(seed, true) }

// made makes the cluster of a seed.
func made(seed uint64) *given { return makeGiven(seed, false) }

func makeGiven(seed uint64, shrink bool) *given {
	rng := rand.New(rand.NewPCG(seed, 1))
	peers := []etcdtest.Peer{{Name: "m1", URL: "http://127.0.0.1:11"}, {Name: "m2", URL: "http://127.0.0.1:12"},
		{Name: "m3", URL: "http://127.0.0.1:13"}}
	c := newCluster(rng, etcdtest.Versions[seed%uint64(len(etcdtest.Versions))], peers)
	if shrink {
		c.shrink()
	}
	g := &given{cluster: c}
	g.patient = c.member(lifeOptions{segments: 4 + rng.IntN(5), purge: true, lags: rng.IntN(4) == 0 && !shrink,
		behind: rng.IntN(8) == 0, database: rng.IntN(4) > 0})
	for i := 1; i < len(peers); i++ {
		g.donors = append(g.donors, c.member(lifeOptions{self: i, segments: 1 + rng.IntN(8), purge: true, lags: true,
			behind: rng.IntN(4) == 0}))
	}
	return g
}

// The members that the laboratory makes are healthy, and what it knows of them is so.
func TestHealthy(t *testing.T) {
	for seed := range uint64(realEvery * uint64(len(realLogs))) {
		g := givenBy(t, seed)
		for _, m := range append(g.donors, g.patient) {
			checkHealthy(t, m)
			if t.Failed() {
				t.Fatalf("seed %d: %s", seed, m.name)
			}
		}
	}
}

func checkHealthy(t *testing.T, m *member) {
	t.Helper()
	r := verify(t, m.files())
	for _, f := range r.Findings {
		if f.Severity == wal.SeverityError {
			t.Errorf("%v", f.String())
		}
	}
	if r.Verdict != wal.VerdictOK || r.View.LastIndex() != m.last() || r.State != m.state {
		t.Errorf("verdict %s, last entry %d, state %v; want ok, %d, %v", r.Verdict, r.View.LastIndex(), r.State, m.last(),
			m.state)
	}
	i := 0
	for e, err := range r.View.Entries(0) {
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(m.entries) {
			t.Fatalf("entry %d, and there should be no more", e.Index)
		}
		w := m.entries[i]
		if at := (wal.Position{Segment: m.segs[w.seg].name.String(), Off: int64(w.frame.lo())}); e.Record.Pos != at ||
			w.Index != e.Index || w.Term != e.Term || w.data != string(e.Data) {
			t.Fatalf("entry %d of term %d at %v, want %v at %v", e.Index, e.Term, e.Record.Pos, w.EntryID, at)
		}
		i++
	}
	if i != len(m.entries) {
		t.Errorf("%d entries, want %d", i, len(m.entries))
	}
}

// verify verifies a log.
func verify(t *testing.T, files map[string][]byte) *wal.Report {
	t.Helper()
	l, err := wal.Open(mapFS(files), ".")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	snaps := []raftpb.EntryID{}
	for name := range files {
		if id, ok := snapshot.ParseFileName(strings.TrimPrefix(name, snapDir)); ok {
			snaps = append(snaps, id)
		}
	}
	r, err := l.Verify(t.Context(), wal.VerifyOptions{Snapshots: snaps})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// There is nothing to do about healthy members.
func TestNothingToDo(t *testing.T) {
	for seed := range uint64(2 * realEvery) {
		g := givenBy(t, seed)
		for _, m := range append(g.donors, g.patient) {
			if m.db == nil && len(m.snaps) > 0 {
				continue // a donor of which only the log is wanted
			}
			dir := filepath.Join(t.TempDir(), m.name)
			if err := writeDir(dir, m.files()); err != nil {
				t.Fatal(err)
			}
			o, err := repair.Open(t.Context(), dir, repair.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := repair.NewPlan(t.Context(), o, repair.PlanOptions{})
			if err != nil || p.Status != repair.StatusHealthy {
				t.Errorf("seed %d, %s: %v, %s: %v", seed, m.name, err, p.Status, p.Left)
			}
			_ = o.Close()
		}
	}
}
