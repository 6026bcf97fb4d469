package repair_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/wal"
)

// sick are members whose plans write in different ways.
var sick = map[string]func(p *patient){
	"corrected":    func(p *patient) { p.edit(0, p.record(1700).Pos.Off+30, func(b []byte) { b[0] ^= 4 }, 1) },
	"begun anew":   func(p *patient) { p.wreck(1935, 1936) },
	"written anew": func(p *patient) { p.rubbish() },
	"segments out": func(p *patient) { p.edit(0, 200, zero, 1<<12) },
}

// small makes a member's log small: nothing is allocated ahead, and the first segments are gone.
func (p *patient) small(segments int) {
	p.split()
	for _, name := range p.segments()[:len(p.segments())-segments] {
		os.Remove(name)
	}
	log, err := wal.Open(os.DirFS(p.dir), ".")
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	r, err := log.Verify(p.t.Context(), wal.VerifyOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.must(os.Truncate(p.segment(-1), r.Segments[len(r.Segments)-1].Used))
	for _, name := range []string{"0000000000000002-000000000000041e.snap"} {
		os.Remove(filepath.Join(p.dir, "member", "snap", name))
	}
}

// rubbish appends bytes to the log: it is written anew from within its last segment on.
func (p *patient) rubbish() {
	f, err := os.OpenFile(p.segment(-1), os.O_WRONLY|os.O_APPEND, 0)
	p.must(err)
	_, err = f.Write(slices.Repeat([]byte{0xa7}, 64))
	p.must(errors.Join(err, f.Close()))
	_, plan := p.plan(repair.PlanOptions{})
	if r := plan.Changes.Rewrite; plan.Status != repair.StatusRepair || r == nil || r.From.Off == 0 {
		p.t.Fatalf("%s by %q from %v on, want from within a segment: %v", plan.Status, remedies(plan), r, plan.Refused)
	}
}

// try plans and applies on a file system that may fail.
func (p *patient) try(fsys vfs.FS, output string) error {
	m, err := repair.Open(context.Background(), p.dir, repair.OpenOptions{})
	if err != nil {
		return err
	}
	defer m.Close()
	plan, err := repair.NewPlan(context.Background(), m, repair.PlanOptions{})
	if err != nil {
		return err
	}
	at, err := change.Locate(vfs.OS, p.dir, "")
	if err != nil {
		return err
	}
	_, err = plan.Apply(context.Background(), m, repair.ApplyOptions{FS: fsys, Output: output, InPlace: output == "", At: at, Now: noon})
	return err
}

// logs returns the sums of the files of the log.
func (p *patient) logs() map[string][32]byte {
	return sumsOf(p.t, filepath.Join(p.dir, "member", "wal"))
}

// Whichever operation of applying fails, the source is what it was, and there is no result and nothing else; or,
// in place, the log is the old one or the new one, and undo puts the old one back.
func TestApplyFails(t *testing.T) {
	for name, damage := range sick {
		for _, inPlace := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", in place"}[inPlace], func(t *testing.T) {
				p := newPatient(t, "c36-3m-clean", "m1")
				p.small(2)
				damage(p)
				testFailures(t, p, inPlace)
			})
		}
	}
}

func testFailures(t *testing.T, p *patient, inPlace bool) {
	before, all := p.logs(), sumsOf(t, p.dir)
	output := func() string {
		if inPlace {
			return ""
		}
		return filepath.Join(t.TempDir(), "new")
	}
	failed := 0
	for _, i := range p.operations(output(), before, all) {
		reached := false
		o := faultfs.NewOver(vfs.OS)
		o.Watch(func(op faultfs.Op) error {
			if op.N != i {
				return nil
			}
			reached = true
			return faultfs.ErrInjected
		})
		out := output()
		err := p.try(o, out)
		if !reached {
			continue // segments are copied side by side, in any order
		}
		if err != nil {
			failed++
		}
		if !inPlace {
			if diff := cmp.Diff(all, sumsOf(t, p.dir)); diff != "" {
				t.Fatalf("operation %d fails: the source is another one: %s", i, diff)
			}
			entries, _ := os.ReadDir(filepath.Dir(out))
			if err != nil && len(entries) > 0 {
				t.Errorf("operation %d fails: %v, and %s is left", i, err, entries[0].Name())
			}
			os.RemoveAll(out)
			continue
		}
		p.settle(i, err, before, all)
	}
	if failed == 0 {
		t.Error("no operation failed")
	}
}

// operations returns the numbers of the operations of applying, some of them if there are many. Of a stretch of
// reads, as of the log when it is verified, they are the first ones.
func (p *patient) operations(output string, before, all map[string][32]byte) (list []int) {
	p.t.Helper()
	const most, mostReads = 48, 4
	reads := 0
	o := faultfs.NewOver(vfs.OS)
	o.Watch(func(op faultfs.Op) error {
		if reads++; op.Kind != faultfs.OpRead {
			reads = 0
		}
		if reads <= mostReads {
			list = append(list, op.N)
		}
		return nil
	})
	if err := p.try(o, output); err != nil {
		p.t.Fatal(err)
	}
	if output == "" {
		p.settle(0, nil, before, all)
	}
	for os.Getenv("RAFTCTL_SEEDS") == "" && len(list) > most {
		for k := 0; k < len(list); k++ {
			list = slices.Delete(list, k, k+1)
		}
	}
	return list
}

// undo puts the old log back.
func (p *patient) undo() error {
	at, err := change.Locate(vfs.OS, p.dir, "")
	if err != nil {
		return err
	}
	u, err := change.PlanUndo(p.t.Context(), change.UndoOptions{FS: vfs.OS, Place: at, Now: noon})
	if err != nil {
		return err
	}
	err = u.Run(p.t.Context())
	return errors.Join(err, u.Close())
}

// settle checks what a failure in place has left, and puts the old log back.
func (p *patient) settle(i int, err error, before, all map[string][32]byte) {
	t := p.t
	t.Helper()
	if now := p.logs(); !maps.Equal(now, before) {
		log, openErr := wal.Open(os.DirFS(p.dir), ".")
		if openErr != nil {
			t.Fatalf("operation %d fails: %v, and then %v", i, err, openErr)
		}
		r, verifyErr := log.Verify(t.Context(), wal.VerifyOptions{})
		log.Close()
		if verifyErr != nil || r.Verdict != wal.VerdictOK {
			t.Fatalf("operation %d fails: %v: the log is neither the old nor the new one: %v", i, err, r.Findings)
		}
		if err := p.undo(); err != nil {
			t.Fatalf("operation %d fails, undo: %v", i, err)
		}
	} else {
		_ = p.undo() // what was begun is ended, if anything was
	}
	if now := p.logs(); !maps.Equal(now, before) {
		t.Fatalf("operation %d fails: the old log is not put back", i)
	}
	entries, _ := os.ReadDir(filepath.Join(p.dir, "member"))
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, "wal.") {
			os.RemoveAll(filepath.Join(p.dir, "member", n))
		}
	}
	os.Remove(filepath.Join(p.dir, "raftctl-changes.jsonl"))
	if diff := cmp.Diff(all, sumsOf(t, p.dir)); diff != "" {
		t.Fatalf("operation %d fails: %v: what is left is not what it was: %s", i, err, diff)
	}
}
