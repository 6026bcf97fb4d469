package repair

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
)

func plan(t *testing.T, dir string, donors ...string) (*Member, *Plan) {
	t.Helper()
	m, err := Open(context.Background(), dir, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(context.Background(), m, PlanOptions{Donors: donors})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(p, "", "  ")
	t.Logf("%s", b)
	return m, p
}

func TestScratch(t *testing.T) {
	src := corpus.Dir(t, "c36-3m-clean")
	dir := filepath.Join(t.TempDir(), "m1")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(src, "m1"))); err != nil {
		t.Fatal(err)
	}
	seg := filepath.Join(dir, "member/wal/0000000000000000-0000000000000000.wal")
	b, _ := os.ReadFile(seg)
	for i := range 600 {
		b[500000+i] = 0
	}
	os.WriteFile(seg, b, 0o600)
	m, _ := plan(t, dir)
	m.Close()
	m, p := plan(t, dir, filepath.Join(src, "m2"))
	defer m.Close()
	out := filepath.Join(t.TempDir(), "new")
	r, err := p.writeLog(context.Background(), vfs.OS, m, out)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.Verdict, r.Findings)
}
