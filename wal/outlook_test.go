package wal

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

func TestReleasesAreInOrder(t *testing.T) {
	for i := 1; i < len(etcdReleases); i++ {
		prev, next := etcdReleases[i-1], etcdReleases[i]
		a := Outlook{From: prev.from, To: prev.to}
		b := Outlook{From: next.from, To: next.to}
		if a.Holds(next.from) || b.Holds(prev.to) {
			t.Errorf("%s and %s overlap", a.Releases(), b.Releases())
		}
		if parseVersion(prev.from, 0).compare(parseVersion(next.from, 0)) >= 0 {
			t.Errorf("%s comes before %s", a.Releases(), b.Releases())
		}
	}
}

func TestOutlookHolds(t *testing.T) {
	r := &Report{}
	for _, rel := range etcdReleases {
		r.Outlooks = append(r.Outlooks, Outlook{From: rel.from, To: rel.to})
	}
	tests := map[string]string{
		"3.4.0": "3.4.0", "3.4.9": "3.4.0", "3.4.10": "3.4.10", "3.4.45": "3.4.10", "3.4": "3.4.10",
		"3.5.0": "3.5.0", "3.5.4": "3.5.0", "3.5.6": "3.5.5", "3.5.7": "3.5.7", "3.5": "3.5.7",
		"3.6.0": "3.6", "3.6": "3.6", "3.7.3": "3.7",
	}
	for release, want := range tests {
		if o := r.Outlook(release); o == nil || o.From != want {
			t.Errorf("%s: %+v, want the outlook from %s on", release, o, want)
		}
	}
	for _, release := range []string{"3.3.27", "3.9"} {
		if o := r.Outlook(release); o != nil {
			t.Errorf("%s: %+v, want none", release, o)
		}
	}
}

func TestReleasesText(t *testing.T) {
	tests := map[[2]string]string{
		{"3.6", "3.6"}:      "3.6",
		{"3.4.0", "3.4.9"}:  "3.4.0 to 3.4.9",
		{"3.4.10", "3.4"}:   "3.4.10 and later 3.4",
		{"3.4.0", "3.4"}:    "3.4",
		{"3.4.0", "3.6"}:    "3.4 to 3.6",
		{"3.5.7", "3.7"}:    "3.5.7 to 3.7",
		{"3.4.10", "3.5.4"}: "3.4.10 to 3.5.4",
	}
	for span, want := range tests {
		o := Outlook{From: span[0], To: span[1]}
		if got := o.Releases(); got != want {
			t.Errorf("%v: %q, want %q", span, got, want)
		}
	}
}

func TestFoldOutlooks(t *testing.T) {
	refuses := func(from, to, text string, cause etcdCause) Outlook {
		return Outlook{From: from, To: to, Action: ActionRefuses, Error: text, cause: cause}
	}
	boots := func(from, to string, cut *Position) Outlook {
		return Outlook{From: from, To: to, Action: ActionDropsEnd, Cut: cut, repaired: true}
	}
	list := []Outlook{
		refuses("3.4.10", "3.4", "short", causeChecksum),
		refuses("3.5.0", "3.5.4", "in many words", causeChecksum),
		refuses("3.5.5", "3.5.6", "too long", causeLength),
		boots("3.5.7", "3.5", &Position{"a", 8}),
		boots("3.6", "3.6", &Position{"a", 8}),
		boots("3.7", "3.7", &Position{"a", 16}),
	}
	var got []string
	for _, o := range FoldOutlooks(list) {
		got = append(got, o.String())
	}
	want := []string{
		"etcd 3.4.10 to 3.5.4 refuses: in many words",
		"etcd 3.5.5 to 3.5.6 refuses: too long",
		"etcd 3.5.7 to 3.6 boots, and drops the end, all behind offset 8 of a",
		"etcd 3.7 boots, and drops the end, all behind offset 16 of a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folded (-want +got):\n%s", diff)
	}

	setBetter(list)
	got = nil
	for _, o := range FoldOutlooks(list)[:3] {
		got = append(got, o.String())
	}
	want = []string{
		"etcd 3.4.10 and later 3.4 refuses: short",
		"etcd 3.5.0 to 3.5.4 refuses: in many words; 3.5.7 or later repairs this",
		"etcd 3.5.5 to 3.5.6 refuses: too long; 3.5.7 or later repairs this",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with the way out (-want +got):\n%s", diff)
	}
}

// What etcd reads beside the live entries is a ghost only if a later record of the log replaced it.
func TestGhostsWereOverwritten(t *testing.T) {
	m := &etcdModel{live: []span{{1, 2, 1}, {3, 4, 2}}, over: newReplaced([]span{{3, 4, 1}, {5, 6, 1}})}
	tests := map[string]struct {
		read                []span
		lost, ghosts, extra []IndexRange
	}{
		"what is live":         {read: []span{{1, 2, 1}, {3, 4, 2}}},
		"overwritten":          {read: []span{{1, 2, 1}, {3, 4, 2}, {5, 6, 1}}, ghosts: []IndexRange{{5, 6}}},
		"and something more":   {read: []span{{1, 2, 1}, {3, 4, 2}, {5, 8, 1}}, ghosts: []IndexRange{{5, 6}}, extra: []IndexRange{{7, 8}}},
		"nobody overwrote it":  {read: []span{{1, 2, 1}, {3, 4, 2}, {5, 6, 2}}, extra: []IndexRange{{5, 6}}},
		"in place of the live": {read: []span{{1, 4, 1}}, lost: []IndexRange{{3, 4}}, ghosts: []IndexRange{{3, 4}}},
	}
	for name, tt := range tests {
		o := Outlook{read: tt.read}
		m.setDifference(&o)
		got := [][]IndexRange{o.Lost, o.Ghosts, o.Unexplained}
		if diff := cmp.Diff([][]IndexRange{tt.lost, tt.ghosts, tt.extra}, got); diff != "" {
			t.Errorf("%s: lost, ghosts, unexplained (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadFileName(t *testing.T) {
	tests := map[string]struct {
		name SegmentName
		ok   bool
	}{
		"0000000000000001-0000000000000021.wal": {SegmentName{1, 0x21}, true},
		"1-21.wal":                              {SegmentName{1, 0x21}, true},
		"A-bC.wal":                              {SegmentName{0xa, 0xbc}, true},
		"1-2.wal.wal":                           {SegmentName{1, 2}, true},
		"1-2.wal.broken":                        {},
		"1.wal":                                 {},
		"x-1.wal":                               {},
	}
	for file, tt := range tests {
		got, ok := Etcd.readFileName(file)
		if ok != tt.ok || ok && got != tt.name {
			t.Errorf("%s: %v %v, want %v %v", file, got, ok, tt.name, tt.ok)
		}
	}
}

// Segments under names that etcd reads as numbers, and that are sorted as text, are what etcd makes
// of them.
func TestOutlookNamesAsEtcd(t *testing.T) {
	etcdSegmentSize(t, 1<<10)
	rng := rand.New(rand.NewPCG(3, 4))
	var steps []step
	for i := range uint64(40) {
		steps = append(steps, step{kind: KindEntry, id: raftpb.EntryID{Term: 1, Index: i + 1}})
	}
	steps = append(steps, step{kind: KindState, st: raftpb.HardState{Term: 1, Vote: 0xa1, Commit: 40}})
	healthy := etcdWrites(t, rng, steps)
	names := healthy.names()
	if len(names) < 3 {
		t.Fatalf("%d segments, want 3 or more", len(names))
	}
	rename := func(old, name string) files {
		fs := healthy.clone()
		fs[name] = fs[old]
		delete(fs, old)
		return fs
	}
	last := len(names) - 1
	n, _ := ParseSegmentName(names[last])
	tests := map[string]files{
		"as they are":        healthy,
		"the last one short": rename(names[last], fmt.Sprintf("%x-%x.wal", n.Seq, n.Index)),
		"the last one twice": func() files {
			fs := healthy.clone()
			fs[fmt.Sprintf("%x-%x.wal", n.Seq, n.Index)] = fs[names[last]]
			return fs
		}(),
		"the first one short":   rename(names[0], "0-0.wal"),
		"the second one short":  rename(names[1], fmt.Sprintf("1-%s", names[1][17:])),
		"the last one no name":  rename(names[last], "x"+names[last]),
		"upper case":            rename(names[last], strings.ToUpper(strings.TrimSuffix(names[last], ".wal"))+".wal"),
		"behind another suffix": rename(names[last], names[last]+".wal"),
	}
	for name, fs := range tests {
		if msg := compareStart(t, filepath.Join(t.TempDir(), "wal"), fs); msg != "" {
			t.Errorf("%s: %s", name, msg)
		}
	}
}

// A segment under such a name is read, and its name told.
func TestVerifyOddName(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 2).files(1024)
	old := segmentOf(log, 1)
	n, _ := ParseSegmentName(old)
	odd := fmt.Sprintf("%x-%x.wal", n.Seq, n.Index)
	want := verifyMap(t, log, VerifyOptions{}).Last
	log[odd] = log[old]
	delete(log, old)
	r := verifyMap(t, log, VerifyOptions{})
	if got := r.classes(SeverityWarning); !slices.Equal(got, []Class{ClassOddName}) || r.Last != want {
		t.Errorf("last entry %v, want %v\n%s", r.Last, want, findingLines(r))
	}
}
