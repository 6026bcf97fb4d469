package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/raftpb"
)

func verifyMap(tb testing.TB, log map[string][]byte, o VerifyOptions) *Report {
	tb.Helper()
	l, err := Open(mapFS(log), "wal")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	r, err := l.Verify(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// classes lists the classes of the findings, in order, each once.
func (r *Report) classes(s Severity) (out []Class) {
	for _, f := range r.Findings {
		if f.Severity == s && !slices.Contains(out, f.Class) {
			out = append(out, f.Class)
		}
	}
	return out
}

// segmentOf returns the name of the k-th segment.
func segmentOf(log map[string][]byte, k int) string { return files(log).names()[k] }

// endOf returns the offset behind the last record of a segment.
func endOf(b []byte) int {
	offs := frameOffsets(b)
	return offs[len(offs)-1]
}

// padded returns the number of the first frame with padding.
func padded(b []byte) int {
	return slices.IndexFunc(frameOffsets(b), func(off int) bool { return b[off+7] != 0 })
}

// TestVerifyDamage damages a healthy log of three segments. The key is the damage.
func TestVerifyDamage(t *testing.T) {
	tests := map[string]struct {
		corrupt func(log map[string][]byte)
		want    []Class // the errors
		action  Action
	}{
		"nothing": {func(map[string][]byte) {}, nil, ActionBoots},
		"last record cut": {func(log map[string][]byte) {
			name := segmentOf(log, 2)
			log[name] = log[name][:endOf(log[name])-8]
		}, []Class{ClassTorn}, ActionDropsEnd},
		"cut between two records": {func(log map[string][]byte) {
			name := segmentOf(log, 2)
			offs := frameOffsets(log[name])
			log[name] = log[name][:offs[len(offs)-2]]
		}, nil, ActionBoots},
		"odd bytes at the end": {func(log map[string][]byte) {
			name := segmentOf(log, 2)
			log[name] = log[name][:endOf(log[name])+3]
		}, []Class{ClassEtcdStart}, ActionDropsEnd},
		"a length is zero": {func(log map[string][]byte) {
			b := log[segmentOf(log, 2)]
			clear(b[frameOffsets(b)[5]:][:8])
		}, []Class{ClassZeroedLength}, ActionDropsEnd},
		"a length is impossible": {func(log map[string][]byte) {
			b := log[segmentOf(log, 1)]
			copy(b[frameOffsets(b)[5]:], bytes.Repeat([]byte{0xff}, 8))
		}, []Class{ClassLengthField}, ActionRefuses},
		"a value changes": {func(log map[string][]byte) {
			b := log[segmentOf(log, 1)]
			b[frameOffsets(b)[8]-12] ^= 0x10
		}, []Class{ClassPayload}, ActionRefuses},
		"padding is not zero": {func(log map[string][]byte) {
			b := log[segmentOf(log, 1)]
			b[frameOffsets(b)[padded(b)+1]-1] = 1
		}, []Class{ClassPadding}, ActionBoots},
		"a hard state becomes an entry": {func(log map[string][]byte) {
			b := log[segmentOf(log, 1)]
			b[frameOffsets(b)[2]+9] = byte(KindEntry)
		}, []Class{ClassKind}, ActionBoots},
		"a segment is missing": {func(log map[string][]byte) {
			delete(log, segmentOf(log, 1))
		}, []Class{ClassMissingSegment}, ActionRefuses},
		"a segment is there twice": {func(log map[string][]byte) {
			log[SegmentName{Seq: 1, Index: 100}.String()] = log[segmentOf(log, 1)]
		}, []Class{ClassSegmentOrder, ClassTermBack, ClassSameTerm}, ActionRefuses},
		"a segment is named too high": {func(log map[string][]byte) {
			name := segmentOf(log, 2)
			log[SegmentName{Seq: 2, Index: 100}.String()] = log[name]
			delete(log, name)
		}, []Class{ClassNameIndex}, ActionBoots},
		"two segments are swapped": {func(log map[string][]byte) {
			a, b := segmentOf(log, 1), segmentOf(log, 2)
			log[a], log[b] = log[b][:endOf(log[b])], log[a]
		}, []Class{ClassCRCChain, ClassTermBack}, ActionRefuses},
		"a finished segment has zeros": {func(log map[string][]byte) {
			name := segmentOf(log, 0)
			log[name] = append(log[name], make([]byte, 64)...)
		}, []Class{ClassTrailingZero}, ActionBoots},
		"a finished segment is cut": {func(log map[string][]byte) {
			name := segmentOf(log, 0)
			log[name] = log[name][:len(log[name])-20]
		}, []Class{ClassTruncated, ClassCRCChain}, ActionRefuses},
		"the last segment is empty": {func(log map[string][]byte) {
			clear(log[segmentOf(log, 2)])
		}, []Class{ClassEmptySegment}, ActionBoots},
		"garbage behind the end": {func(log map[string][]byte) {
			b := log[segmentOf(log, 2)]
			copy(b[endOf(b)+256:], "garbage")
		}, []Class{ClassGarbage}, ActionDropsEnd},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			log := buildLog(raftpb.FlavorGogo, 3).files(1024)
			tt.corrupt(log)
			r := verifyMap(t, log, VerifyOptions{})
			if diff := cmp.Diff(tt.want, r.classes(SeverityError)); diff != "" {
				t.Errorf("errors (-want +got):\n%s%s", diff, findingLines(r))
			}
			if want := (len(tt.want) > 0); want != (r.Verdict == VerdictProblem) {
				t.Errorf("verdict %s", r.Verdict)
			}
			if r.Outlook("3.7").Action != tt.action {
				t.Errorf("%v, want %q", r.Outlook("3.7"), tt.action)
			}
		})
	}
}

func findingLines(r *Report) (s string) {
	for _, f := range r.Findings {
		s += fmt.Sprintf("\t%s %s %v: %s\n", f.Severity, f.Class, f.Pos, f.Evidence)
	}
	return s
}

// TestVerifyHistories verifies logs in which every record is intact.
func TestVerifyHistories(t *testing.T) {
	tests := map[string]struct {
		steps       []step
		errs, infos []Class
		ghosts      []IndexRange
	}{
		"overwrite": {[]step{ent(1, 1), ent(1, 2), state(1, 1), ent(2, 2), state(2, 2)},
			nil, []Class{ClassIndexBack}, nil},
		"gap": {[]step{ent(1, 1), ent(1, 3), state(1, 3)},
			[]Class{ClassIndexGap}, nil, nil},
		"term back": {[]step{ent(3, 1), ent(2, 2), state(3, 2)},
			[]Class{ClassTermBack}, nil, nil},
		"commit beyond": {[]step{ent(1, 1), state(1, 2)},
			[]Class{ClassCommitBeyond}, nil, nil},
		"commit back": {[]step{ent(1, 1), ent(1, 2), state(1, 2), state(1, 1)},
			[]Class{ClassCommitBack}, nil, nil},
		"committed overwritten": {[]step{ent(1, 1), ent(1, 2), state(1, 2), ent(2, 2), state(2, 2)},
			[]Class{ClassCommittedOverwritten}, nil, nil},
		"two votes": {[]step{ent(1, 1), state(1, 1),
			{kind: KindState, st: raftpb.HardState{Term: 1, Vote: 2, Commit: 1}}},
			[]Class{ClassVoteChange}, nil, nil},
		"snapshot of another term": {[]step{ent(1, 1), ent(1, 2), state(1, 2), snap(2, 2)},
			[]Class{ClassSnapshotConflict}, nil, nil},
		"snapshot above the commit": {[]step{ent(1, 1), ent(1, 2), state(1, 1), snap(1, 2)},
			nil, []Class{ClassSnapshotBeyond}, nil},
		// The history of etcd's issue 22442, and the same with a snapshot from the leader.
		"ghosts": {[]step{ent(1, 1), ent(1, 2), ent(1, 3), ent(1, 4), ent(1, 5), state(1, 2),
			ent(2, 3), ent(2, 4), state(2, 4), snap(2, 4)},
			[]Class{ClassGhost}, []Class{ClassIndexBack}, []IndexRange{{5, 5}}},
		"ghosts above a leader's snapshot": {[]step{ent(1, 1), ent(1, 2), ent(1, 3), ent(1, 4), ent(1, 5),
			state(1, 2), snap(2, 3), state(2, 3)},
			[]Class{ClassGhost}, []Class{ClassIndexBack}, []IndexRange{{4, 5}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newLogBuilder(raftpb.FlavorPbgo)
			for _, s := range tt.steps {
				b.step(s)
			}
			r := verifyMap(t, b.files(512), VerifyOptions{})
			got := [][]Class{r.classes(SeverityError), r.classes(SeverityWarning), r.classes(SeverityInfo)}
			if diff := cmp.Diff([][]Class{tt.errs, nil, tt.infos}, got); diff != "" {
				t.Errorf("errors, warnings, infos (-want +got):\n%s%s", diff, findingLines(r))
			}
			if diff := cmp.Diff(tt.ghosts, r.Outlook("3.7").Ghosts); diff != "" {
				t.Errorf("ghosts (-want +got):\n%s", diff)
			}
			fs := files(b.files(512))
			if msg := compareStart(t, t.TempDir(), fs); msg != "" {
				t.Error(msg)
			}
		})
	}
}

// step adds a record of a history.
func (b *logBuilder) step(s step) {
	switch s.kind {
	case KindEntry:
		e := raftpb.Entry{Term: s.id.Term, Index: s.id.Index, Data: []byte("x")}
		b.add(KindEntry, e.Marshal(b.flavor))
	case KindState:
		b.add(KindState, s.st.Marshal(b.flavor))
	case KindSnapshot:
		sn := Snapshot{Index: s.id.Index, Term: s.id.Term, ConfState: &raftpb.ConfState{Voters: []uint64{1}}}
		b.add(KindSnapshot, sn.AppendTo(nil, b.flavor))
	}
}

// TestVerifySnapshotFiles tells Verify which .snap files there are.
func TestVerifySnapshotFiles(t *testing.T) {
	whole := buildLog(raftpb.FlavorGogo, 3).files(512)
	purged := buildLog(raftpb.FlavorGogo, 3).files(512)
	delete(purged, segmentOf(purged, 0))
	newest := verifyMap(t, whole, VerifyOptions{}).View.NewestSnapshot()
	older := raftpb.EntryID{Term: 2, Index: 6}
	tests := map[string]struct {
		log   map[string][]byte
		snaps []raftpb.EntryID
		want  map[Severity][]Class
	}{
		"not known": {whole, nil, nil},
		"there":     {whole, []raftpb.EntryID{newest.EntryID}, nil},
		"none, log from 1": {whole, []raftpb.EntryID{}, map[Severity][]Class{
			SeverityInfo: {ClassSnapshotFile}}},
		"none, log purged": {purged, []raftpb.EntryID{}, map[Severity][]Class{
			SeverityError: {ClassSnapshotFile}, SeverityInfo: {ClassPurged}}},
		"older one, log from 1": {whole, []raftpb.EntryID{older}, map[Severity][]Class{
			SeverityInfo: {ClassSnapshotFile}}},
		"older one, purged since": {purged, []raftpb.EntryID{older}, map[Severity][]Class{
			SeverityError: {ClassSnapshotFile}, SeverityInfo: {ClassPurged}}},
		"there, log purged": {purged, []raftpb.EntryID{newest.EntryID}, map[Severity][]Class{
			SeverityInfo: {ClassPurged}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := verifyMap(t, tt.log, VerifyOptions{Snapshots: tt.snaps})
			for _, s := range []Severity{SeverityError, SeverityWarning, SeverityInfo} {
				if diff := cmp.Diff(tt.want[s], r.classes(s)); diff != "" {
					t.Errorf("%s (-want +got):\n%s%s", s, diff, findingLines(r))
				}
			}
		})
	}
}

func TestVerifySpares(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 1).files(512)
	log["1.tmp"] = slices.Clone(log[segmentOf(log, 0)])
	log["0.tmp"] = make([]byte, 4096)
	log["0000000000000000-0000000000000000.wal.broken"] = []byte("x")
	r := verifyMap(t, log, VerifyOptions{})
	want := []Class{ClassIgnored, ClassSpare, ClassStaleSpare}
	if got := r.classes(SeverityInfo); !slices.Equal(got, want) || r.Verdict != VerdictOK {
		t.Errorf("verdict %s, infos %v, want %v", r.Verdict, got, want)
	}
}

// brokenFS is a file system in which reads of one file fail from an offset on.
type brokenFS struct {
	fs.FS
	name string
	off  int64
}

var errBroken = errors.New("input/output error")

type brokenFile struct {
	segmentHandle
	off int64
}

func (b brokenFS) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if err != nil || path.Base(name) != b.name {
		return f, err
	}
	return brokenFile{f.(segmentHandle), b.off}, nil
}

func (f brokenFile) Read([]byte) (int, error) { return 0, errBroken }

func (f brokenFile) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.off {
		return 0, errBroken
	}
	return f.segmentHandle.ReadAt(b, off)
}

// TestVerifyUnreadable makes reading fail. What was not read is not fine, and is no damage either.
func TestVerifyUnreadable(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 3).files(512)
	for k := range 3 {
		for _, off := range []int64{0, 300} {
			name := segmentOf(log, k)
			l, err := Open(brokenFS{mapFS(log), name, off}, "wal")
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.Verify(t.Context(), VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict == VerdictOK || !slices.Contains(r.classes(SeverityWarning), ClassUnchecked) {
				t.Errorf("%s from %d on: verdict %s\n%s", name, off, r.Verdict, findingLines(r))
			}
			if k == 2 && r.Verdict != VerdictUnchecked {
				t.Errorf("%s from %d on: verdict %s\n%s", name, off, r.Verdict, findingLines(r))
			}
			if r.Outlook("3.7").Action == ActionBoots {
				t.Errorf("%s from %d on: %v", name, off, r.Outlook("3.7"))
			}
			if _, err := l.View(t.Context()); !errors.Is(err, errBroken) {
				t.Errorf("view: error %v, want %v", err, errBroken)
			}
			l.Close()
		}
	}
}

func TestVerifyCancelled(t *testing.T) {
	l, err := Open(mapFS(buildLog(raftpb.FlavorGogo, 3).files(512)), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Verify(ctx, VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// TestVerifyParallel verifies a log with damage in many segments, with any number of workers.
func TestVerifyParallel(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 12).files(512)
	for k := range 12 {
		b := log[segmentOf(log, k)]
		b[(k*97+40)%endOf(b)] ^= 0x20
		if k%4 == 3 {
			delete(log, segmentOf(log, k-1))
			break
		}
	}
	var first *Report
	for _, parallel := range []int{1, 2, 3, 12, 50} {
		var size, last int64
		for _, b := range log {
			size += int64(len(b))
		}
		r := verifyMap(t, log, VerifyOptions{Parallel: parallel, Progress: func(n int64) {
			if n < last {
				t.Errorf("progress went from %d back to %d", last, n)
			}
			last = n
		}})
		if last != size {
			t.Errorf("progress ended at %d of %d bytes", last, size)
		}
		if first == nil {
			first = r
			continue
		}
		if diff := cmp.Diff(first.Findings, r.Findings); diff != "" {
			t.Errorf("findings with 1 and %d workers:\n%s", parallel, diff)
		}
		if first.Outlook("3.7").String() != r.Outlook("3.7").String() || first.Verdict != r.Verdict {
			t.Errorf("%d workers: %v", parallel, r.Outlook("3.7"))
		}
	}
}

// TestVerifyManyFindings makes more findings than are kept.
func TestVerifyManyFindings(t *testing.T) {
	const n = 350
	b := newLogBuilder(raftpb.FlavorGogo)
	for i := range uint64(n) {
		b.step(ent(1000-i, i+1))
	}
	b.step(state(1000, n))
	r := verifyMap(t, b.files(512), VerifyOptions{})
	kept := 0
	for i, f := range r.Findings {
		if f.Class == ClassTermBack {
			kept++
		}
		if i > 0 && f.Pos.Off < r.Findings[i-1].Pos.Off {
			t.Errorf("finding %d at %v, the one before at %v", i, f.Pos, r.Findings[i-1].Pos)
		}
	}
	if got := kept + r.Omitted[ClassTermBack]; kept != maxFindings || got != n-1 {
		t.Errorf("%d findings kept and %d left out, want %d in all", kept, r.Omitted[ClassTermBack], n-1)
	}
}

// TestVerifyTooManyEvents verifies a log with a new term in every entry, more than a view can hold.
func TestVerifyTooManyEvents(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	for i := range uint64(maxEvents + 1) {
		b.step(ent(i+1, i+1))
	}
	log := b.files(512)
	r := verifyMap(t, log, VerifyOptions{})
	if r.Verdict != VerdictUnchecked || r.Outlook("3.7").Action != ActionUnknown {
		t.Errorf("verdict %s, %v\n%s", r.Verdict, r.Outlook("3.7"), findingLines(r))
	}
	l, err := Open(mapFS(log), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.View(t.Context()); !errors.Is(err, ErrTooManyEvents) {
		t.Errorf("view: error %v", err)
	}
}

// TestVerifyDeep has a hook refuse some entries.
func TestVerifyDeep(t *testing.T) {
	errOdd := errors.New("odd")
	r := verifyMap(t, buildLog(raftpb.FlavorGogo, 2).files(512), VerifyOptions{
		Deep: func(e *raftpb.Entry) error {
			if e.Index%2 == 1 {
				return errOdd
			}
			return nil
		},
	})
	odd := 0
	for _, f := range r.Findings {
		if f.Class == ClassMalformed {
			odd++
		}
	}
	if want := int(r.Last.Index+1) / 2; odd != want || r.Verdict != VerdictProblem {
		t.Errorf("%d findings, want %d; verdict %s", odd, want, r.Verdict)
	}
}

// TestVerifySingle verifies segments that are not the whole log.
func TestVerifySingle(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 3).files(512)
	fsys := mapFS(log)
	for k := range 3 {
		l, err := Open(fsys, path.Join("wal", segmentOf(log, k)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Verify(t.Context(), VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != VerdictOK || (r.Outlook("3.7").Action == ActionUnknown) != (k > 0) {
			t.Errorf("segment %d: verdict %s, %v\n%s", k, r.Verdict, r.Outlook("3.7"), findingLines(r))
		}
		l.Close()
	}
}

// TestVerifyOtherUsers verifies logs of programs other than etcd, which use its package with metadata
// of their own, or none.
func TestVerifyOtherUsers(t *testing.T) {
	for name, meta := range map[string][]byte{"none": nil, "text": []byte("my metadata")} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "wal")
			w, err := etcdwal.Create(zap.NewNop(), dir, meta)
			if err != nil {
				t.Fatal(err)
			}
			for i := range uint64(5) {
				if err := etcdSave(w, rand.New(rand.NewPCG(i, 1)), ent(1, i+1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			r := verifyMap(t, readSegments(t, dir), VerifyOptions{})
			if r.Verdict != VerdictOK || r.Last.Index != 5 {
				t.Errorf("verdict %s, last %v\n%s", r.Verdict, r.Last, findingLines(r))
			}
			if got := r.classes(SeverityWarning); !slices.Equal(got, []Class{ClassEtcdStart}) {
				t.Errorf("warnings %v\n%s", got, findingLines(r))
			}
		})
	}
}

// TestVerifyOverwriteBelowStart verifies a log whose purged entries were overwritten since.
func TestVerifyOverwriteBelowStart(t *testing.T) {
	steps := []step{ent(1, 1), ent(1, 2), ent(1, 3), ent(1, 4), state(1, 2), snap(1, 2)}
	b := newLogBuilder(raftpb.FlavorPbgo)
	for _, s := range steps {
		b.step(s)
	}
	b.index = 4
	b.cut()
	for _, s := range []step{state(1, 2), ent(2, 3), state(2, 3), snap(2, 3)} {
		b.step(s)
	}
	log := b.files(512)
	delete(log, segmentOf(log, 0))
	r := verifyMap(t, log, VerifyOptions{})
	if got := r.classes(SeverityError); len(got) > 0 && !slices.Equal(got, []Class{ClassEtcdStart}) {
		t.Errorf("errors %v\n%s", got, findingLines(r))
	}
	if got := r.View.LastIndex(); got != 3 {
		t.Errorf("last index %d, want 3", got)
	}
}
