package repair_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/wal"
)

// patient is a member of a test's own.
type patient struct {
	t    *testing.T
	dir  string
	from string // where it was copied from, undamaged
}

// newPatient copies a member of a corpus.
func newPatient(t *testing.T, name, member string) *patient {
	t.Helper()
	p := &patient{t: t, dir: filepath.Join(t.TempDir(), "m"), from: filepath.Join(corpus.Dir(t, name), member)}
	copyDir(t, p.from, p.dir)
	return p
}

// split writes the log of a member anew in segments of some 400 records.
func (p *patient) split() {
	p.t.Helper()
	dir := filepath.Join(p.dir, "member", "wal")
	log, err := wal.Open(os.DirFS(p.dir), ".")
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	o, err := log.CreateOptions()
	if err != nil {
		p.t.Fatal(err)
	}
	w, err := wal.Create(nil, dir+".split", o)
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	for rec, err := range log.Records(wal.Recover) {
		if err == nil {
			err = wal.Copy(w, func(yield func(*wal.Record, error) bool) { yield(rec, nil) })
		}
		if n++; err == nil && n%400 == 0 && rec.Kind == wal.KindEntry {
			err = w.Roll()
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.must(os.RemoveAll(dir))
	p.must(os.Rename(dir+".split", dir))
	p.from = filepath.Join(p.t.TempDir(), "undamaged")
	copyDir(p.t, p.dir, p.from)
}

// must ends the test on an error.
func (p *patient) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// copyDir copies a folder. Zeros at the end of a file take no space.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), bytes.TrimRight(b, "\x00"), 0o600); err != nil {
			return err
		}
		return os.Truncate(filepath.Join(to, name), int64(len(b)))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// segment returns the path of the k-th segment; from the end if k is negative.
func (p *patient) segment(k int) string {
	p.t.Helper()
	names, err := filepath.Glob(filepath.Join(p.dir, "member", "wal", "*.wal"))
	if err != nil || len(names) == 0 {
		p.t.Fatal("no segments", err)
	}
	if k < 0 {
		k += len(names)
	}
	return names[k]
}

// edit changes bytes of the k-th segment.
func (p *patient) edit(k int, off int64, change func(b []byte), n int) {
	p.t.Helper()
	f, err := os.OpenFile(p.segment(k), os.O_RDWR, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil {
		p.t.Fatal(err)
	}
	change(b)
	if _, err := f.WriteAt(b, off); err != nil {
		p.t.Fatal(err)
	}
}

func zero(b []byte) { clear(b) }

// record returns the record that holds an entry.
func (p *patient) record(index uint64) *wal.Record {
	p.t.Helper()
	log, err := wal.Open(os.DirFS(p.dir), ".")
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	view, err := log.View(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	pos, err := view.Locate(index)
	if err != nil {
		p.t.Fatal(err)
	}
	rec, err := log.ReadAt(pos)
	if err != nil {
		p.t.Fatal(err)
	}
	return rec
}

// wreck zeroes all data of the entries from first to last, so that nothing proves what they were.
func (p *patient) wreck(first, last uint64) {
	p.t.Helper()
	for index := first; index <= last; index++ {
		rec := p.record(index)
		k := slices.IndexFunc(p.segments(), func(name string) bool { return filepath.Base(name) == rec.Pos.Segment })
		p.edit(k, rec.Pos.Off+20, func(b []byte) {
			for i := range b {
				b[i] = ^b[i]
			}
		}, int(rec.Len)-28)
	}
}

func (p *patient) segments() []string {
	names, _ := filepath.Glob(filepath.Join(p.dir, "member", "wal", "*.wal"))
	return names
}

func (p *patient) open() *repair.Member {
	p.t.Helper()
	m, err := repair.Open(p.t.Context(), p.dir, repair.OpenOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = m.Close() })
	return m
}

// plan makes the plan.
func (p *patient) plan(o repair.PlanOptions) (*repair.Member, *repair.Plan) {
	p.t.Helper()
	m := p.open()
	plan, err := repair.NewPlan(p.t.Context(), m, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return m, plan
}

// entries returns the live entries of a log, by index.
func entriesOf(t *testing.T, dir string) map[uint64]string {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[uint64]string{}
	for e, err := range view.Entries(0) {
		if err != nil {
			t.Fatal(err)
		}
		if !e.Record.Unchecked {
			all[e.Index] = e.ID().String() + string(e.Data)
		}
	}
	return all
}

// sumsOf returns the sums of all files below a folder.
func sumsOf(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		sums[name] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func remedies(p *repair.Plan) (names []string) {
	for _, s := range p.Steps {
		names = append(names, s.Remedy)
	}
	return names
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// apply applies a plan to a new directory, checks all that has to hold then, and returns the directory.
func (p *patient) apply(m *repair.Member, plan *repair.Plan) string {
	p.t.Helper()
	before := sumsOf(p.t, p.dir)
	at, err := change.Locate(vfs.OS, p.dir, "")
	if err != nil {
		p.t.Fatal(err)
	}
	out := filepath.Join(p.t.TempDir(), "new")
	if _, err := plan.Apply(p.t.Context(), m, repair.ApplyOptions{Output: out, At: at, Now: noon}); err != nil {
		p.t.Fatal(err)
	}
	if diff := cmp.Diff(before, sumsOf(p.t, p.dir)); diff != "" {
		p.t.Errorf("the source has changed: %s", diff)
	}
	again := &patient{t: p.t, dir: out}
	if _, second := again.plan(repair.PlanOptions{}); second.Status != repair.StatusHealthy && second.Status != repair.StatusBeside {
		p.t.Errorf("a second plan is %s: %v", second.Status, second.Steps)
	}
	p.compare(plan, out)
	return out
}

// compare compares the entries of the result with those of the source, and of the undamaged log.
func (p *patient) compare(plan *repair.Plan, out string) {
	p.t.Helper()
	dropped := func(index uint64) bool {
		in := func(r repair.Range) bool { return r.First <= index && index <= r.Last }
		return slices.ContainsFunc(plan.Cost.Lost, in) || slices.ContainsFunc(plan.Cost.Folded, in)
	}
	got, whole := entriesOf(p.t, out), entriesOf(p.t, p.from)
	for index, e := range entriesOf(p.t, p.dir) {
		if !dropped(index) && got[index] != e {
			p.t.Errorf("entry %d was intact, and is not in the result", index)
		}
	}
	for index, e := range got {
		if !dropped(index) && whole[index] != e {
			p.t.Errorf("entry %d of the result is not as it was", index)
		}
	}
}

// remedyTests have the damage as their key.
var remedyTests = map[string]struct {
	corpus, member string
	split          bool
	damage         func(p *patient)
	donors         []string // members of the same corpus
	options        repair.PlanOptions

	status   repair.Status
	remedies []string
	lost     []repair.Range
	same     bool // the result is byte for byte what it was before the damage
}{
	"nothing": {corpus: "c36-3m-clean", member: "m1", status: repair.StatusHealthy},
	"entries wrecked, applied, a snapshot above": {corpus: "c36-3m-clean", member: "m1",
		damage: func(p *patient) { p.wreck(700, 705) },
		status: repair.StatusRepair, remedies: []string{"begin_anew"}},
	"entries wrecked above every snapshot, applied": {corpus: "c36-3m-clean", member: "m1",
		damage: func(p *patient) { p.wreck(1935, 1936) },
		status: repair.StatusRepair, remedies: []string{"begin_anew"}},
	"entries wrecked, with a donor": {corpus: "c36-3m-clean", member: "m1",
		damage: func(p *patient) { p.wreck(700, 700) }, donors: []string{"m2"},
		status: repair.StatusRepair, remedies: []string{"restore_bytes"}, same: true},
	"a stretch with hard states zeroed, with donors": {corpus: "c36-3m-clean", member: "m1",
		damage: func(p *patient) { p.edit(0, p.record(700).Pos.Off, zero, 1024) }, donors: []string{"m2", "m3"},
		status: repair.StatusRepair, remedies: []string{"splice"}},
	"the first segment of several wrecked": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) { p.edit(0, 1<<19, zero, 1<<19) },
		status: repair.StatusRepair, remedies: []string{"drop_leading"}},
	"a segment in the middle is missing": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) { p.must(os.Remove(p.segment(1))) },
		status: repair.StatusRepair, remedies: []string{"drop_leading"}},
	"the log lost its end": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) { p.must(os.Remove(p.segment(-1))) },
		status: repair.StatusRepair, remedies: []string{"begin_anew"}},
	"a segment under a wrong name": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) {
			p.must(os.Rename(p.segment(2), filepath.Join(filepath.Dir(p.segment(2)), "0000000000000009-0000000000000123.wal")))
		},
		status: repair.StatusRepair, remedies: []string{"rename_segment"}, same: true},
	"two segments with each other's names": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) {
			a, b := p.segment(1), p.segment(2)
			p.must(os.Rename(a, a+".x"))
			p.must(os.Rename(b, a))
			p.must(os.Rename(a+".x", b))
		},
		status: repair.StatusRepair, remedies: []string{"rename_segment"}, same: true},
	"the first segment wrecked, and the head of the last is gone": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) {
			p.edit(0, 1<<19, zero, 1<<19)
			b, _ := os.ReadFile(p.segment(-1))
			p.must(os.WriteFile(p.segment(-1), b[16:], 0o600)) // without the crc record
		},
		status: repair.StatusRepair, remedies: []string{"begin_anew"}},
	"the first segment under a wrong name, and the next wrecked": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) {
			p.edit(1, 1<<15, zero, 1<<13)
			p.must(os.Rename(p.segment(0), filepath.Join(filepath.Dir(p.segment(0)), "0000000000000009-0000000000000000.wal")))
		},
		status: repair.StatusRepair, remedies: []string{"rename_segment", "drop_leading"}},
	"the log lost its end, and the .snap files that are left are damaged": {corpus: "c36-3m-clean", member: "m1", split: true,
		options: repair.PlanOptions{AcceptLoss: true},
		damage: func(p *patient) {
			p.must(os.Remove(p.segment(-1)))
			p.must(os.Remove(filepath.Join(p.dir, "member", "snap", "db")))
			names, _ := filepath.Glob(p.snap("*.snap"))
			for _, name := range names[:len(names)-1] {
				p.must(os.WriteFile(name, []byte("rubbish"), 0o600))
			}
		},
		status: repair.StatusLossy, remedies: []string{"cut"}, lost: []repair.Range{{First: 1749, Last: 1930}}},
	"a segment twice": {corpus: "c36-3m-clean", member: "m1", split: true,
		damage: func(p *patient) {
			b, _ := os.ReadFile(p.segment(-1))
			p.must(os.WriteFile(filepath.Join(filepath.Dir(p.segment(0)), "0000000000000009-000000000001dff7.wal"), b, 0o600))
		},
		status: repair.StatusRepair, remedies: []string{"drop_segment"}, same: true},
	"entries lost that were not applied": {corpus: "c36-3m-clean", member: "m1",
		damage: func(p *patient) { p.wreck(700, 705); p.must(os.Remove(filepath.Join(p.dir, "member", "snap", "db"))) },
		status: repair.StatusLoss, lost: []repair.Range{{First: 700, Last: 705}}},
	"the same, accepted": {corpus: "c36-3m-clean", member: "m1", options: repair.PlanOptions{AcceptLoss: true},
		damage: func(p *patient) { p.wreck(700, 705); p.must(os.Remove(filepath.Join(p.dir, "member", "snap", "db"))) },
		status: repair.StatusLossy, remedies: []string{"neutralise"}, lost: []repair.Range{{First: 700, Last: 705}}},
}

func TestRemedies(t *testing.T) {
	for name, test := range remedyTests {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, test.corpus, test.member)
			if test.split {
				p.split()
			}
			if test.damage != nil {
				test.damage(p)
			}
			o := test.options
			for _, donor := range test.donors {
				o.Donors = append(o.Donors, filepath.Join(corpus.Dir(t, test.corpus), donor))
			}
			m, plan := p.plan(o)
			if plan.Status != test.status {
				t.Errorf("status %s, want %s", plan.Status, test.status)
			}
			if got := remedies(plan); test.remedies != nil && !slices.Equal(got, test.remedies) {
				t.Errorf("remedies %q, want %q", got, test.remedies)
			}
			if diff := cmp.Diff(test.lost, plan.Cost.Lost); diff != "" {
				t.Errorf("lost (-want +got):\n%s", diff)
			}
			if t.Failed() {
				b, _ := json.MarshalIndent(plan, "", " ")
				t.Fatalf("%.6000s", b)
			}
			if plan.Status != repair.StatusRepair && plan.Status != repair.StatusLossy {
				return
			}
			out := p.apply(m, plan)
			if test.same {
				for _, name := range (&patient{t: t, dir: p.from}).segments() {
					want, _ := os.ReadFile(name)
					got, err := os.ReadFile(filepath.Join(out, "member", "wal", filepath.Base(name)))
					if !bytes.Equal(got, want) {
						t.Errorf("%s is not what it was before the damage (%v)", filepath.Base(name), err)
					}
				}
			}
		})
	}
}

// A plan that was stored does the same as the one that it was made of, and only on the files that it was made for.
func TestStoredPlan(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	p.wreck(700, 705)
	m, plan := p.plan(repair.PlanOptions{Store: true})
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var stored repair.Plan
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan, &stored, cmpopts.IgnoreUnexported(repair.Source{})); diff != "" {
		t.Errorf("the stored plan differs: %s", diff)
	}
	p.apply(m, &stored)

	p.edit(0, 100, func(b []byte) { b[0] ^= 1 }, 1)
	out := filepath.Join(t.TempDir(), "new")
	_, err = stored.Apply(context.Background(), p.open(), repair.ApplyOptions{Output: out, Now: noon})
	if _, changed := err.(*repair.ChangedError); !changed {
		t.Errorf("applied to other files: %v, want a ChangedError", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("there is a result")
	}
}
