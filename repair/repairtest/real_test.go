package repairtest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// realLog is a member that a real etcd left: its name in package corpus, and the release that wrote last.
type realLog struct{ name, release string }

var realLogs = []realLog{
	{"c34-1n-clean", "3.4"}, {"chain-1n-after34", "3.4"},
	{"c35-3m-clean-m1", "3.5"}, {"c35-3m-clean-m3", "3.5"}, {"chain-1n-after35", "3.5"},
	{"c36-3m-clean-m2", "3.6"}, {"c36-3m-clean-m3", "3.6"}, {"c36-3m-kill9-m1", "3.6"}, {"c36-fnc-1n-clean", "3.6"},
	{"c36-leasecp-1n-clean", "3.6"}, {"c36-quota-1n-clean", "3.6"}, {"c36-restored-bumped", "3.6"},
	{"c36-restored-from34", "3.6"}, {"chain-1n-after36", "3.6"},
	{"c37-3m-clean-m1", "3.7"}, {"c37-3m-clean-m3", "3.7"}, {"chain-1n-after37", "3.7"},
}

// ahead is how much of the space behind the frames is kept of a real log.
const ahead = 4096

// readMember reads a healthy data directory.
func readMember(tb testing.TB, name, dir string) *member {
	tb.Helper()
	m := &member{name: name, snaps: map[string][]byte{}}
	segments, err := filepath.Glob(filepath.Join(dir, walDir, "*.wal"))
	must(tb, err)
	for i, path := range segments {
		b, err := os.ReadFile(path)
		must(tb, err)
		n, _ := wal.ParseSegmentName(filepath.Base(path))
		s := parseSegment(n, b)
		if i == len(segments)-1 {
			s = parseSegment(n, bytes.Clone(b[:min(s.end()+ahead, len(b))]))
		}
		m.segs = append(m.segs, s)
	}
	files, err := os.ReadDir(filepath.Join(dir, snapDir))
	must(tb, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, snapDir, f.Name()))
		must(tb, err)
		if _, ok := snapshot.ParseFileName(f.Name()); ok {
			m.snaps[f.Name()] = b
		} else if f.Name() == "db" {
			m.db = b
		}
	}
	if m.db != nil {
		m.applied = appliedBy(tb, filepath.Join(dir, snapDir))
	}
	m.understand()
	return m
}

// appliedBy returns how far the database in a folder has come.
func appliedBy(tb testing.TB, dir string) uint64 {
	tb.Helper()
	db, err := database.Open(context.Background(), os.DirFS(dir), "db", database.Options{})
	must(tb, err)
	defer func() { _ = db.Close() }()
	meta, err := db.Meta()
	must(tb, err)
	return meta.ConsistentIndex
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// realGiven is a real member, and those of its cluster, some of them in smaller segments.
func realGiven(tb testing.TB, seed uint64) *given {
	tb.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	chosen := realLogs[seed/realEvery%uint64(len(realLogs))]
	g := &given{}
	for _, l := range corpus.Logs(tb) {
		cluster, _, several := strings.Cut(chosen.name, "-m")
		switch {
		case l.Name == chosen.name:
			g.patient = readMember(tb, l.Name, l.Dir)
			g.patient.release = chosen.release
		case several && strings.HasPrefix(l.Name, cluster+"-m"):
			d := readMember(tb, l.Name, l.Dir)
			d.db, d.applied = nil, 0
			g.donors = append(g.donors, d)
		}
	}
	if rng.IntN(3) > 0 {
		g.patient = g.patient.cut(4 + rng.IntN(5))
	}
	for i, d := range g.donors {
		if rng.IntN(2) == 0 {
			g.donors[i] = d.cut(1 + rng.IntN(8))
		}
	}
	return g
}

// cut returns the member with its log in about n segments: the same records with the checksums that go with it.
func (m *member) cut(n int) *member {
	if len(m.segs) != 1 || m.segs[0].name.Seq != 0 {
		return m
	}
	w := newWriter(m.segs[0].frames[1].data)
	for _, f := range m.segs[0].frames[headFrames:] {
		if f.kind == wal.KindSnapshot && f.id.Index == 0 {
			continue // it is there
		}
		w.add(f.kind, f.data)
		if f.id.Index > 0 {
			w.last = f.id.Index
		}
		if f.kind != wal.KindSnapshot && w.size() > m.segs[0].end()/n {
			w.cut()
		}
	}
	c := &member{name: m.name, release: m.release, segs: w.segments(0, ahead), snaps: m.snaps, db: m.db, applied: m.applied}
	c.understand()
	return c
}
