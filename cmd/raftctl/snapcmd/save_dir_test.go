package snapcmd

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
)

const multiseg = "c36-multiseg-1n-clean"

// Each way to name a database gives the same file, which doesn't depend on what lies behind the pages
// that are in use.
func TestSavePaths(t *testing.T) {
	w := newWorld(t)
	dir := corpus.Copy(t, multiseg)
	w.saved(t, dir, "want.db")
	want := w.read(t, "want.db")
	db := filepath.Join(dir, "member", "snap", "db")
	f, err := os.OpenFile(db, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 8192)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, w.app.Path("link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "member"), db, "want.db", "link", "./link/member/snap/db"} {
		w.saved(t, path, "a.db", "--overwrite")
		if got := w.read(t, "a.db"); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want the same %d", path, len(got), len(want))
		}
	}
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	w.save(t, ui.StatusError, "no database: ", dir, "b.db")
}

// All members of the corpus can be saved, and are not changed by it.
func TestSaveCorpus(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		db := filepath.Join(log.Dir, "member", "snap", "db")
		before, err := os.ReadFile(db)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(db)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		w.saved(t, log.Dir, "a.db")
		b := w.read(t, "a.db")
		checkWhole(t, b)
		if size := len(b) - 32; !bytes.Equal(b[:size], before[:size]) {
			t.Errorf("%s: another database", log.Name)
		}
		etcdutl(t, "3.7", "snapshot", "status", w.app.Path("a.db"))
		after, err := os.ReadFile(db)
		if err != nil {
			t.Fatal(err)
		}
		again, err := os.Stat(db)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) || !os.SameFile(info, again) || info.ModTime() != again.ModTime() {
			t.Errorf("%s: the source was changed", log.Name)
		}
	}
}

// A database that is damaged is not saved, and a new sum never hides that the old one was wrong.
func TestSaveDamaged(t *testing.T) {
	w := newWorld(t)
	w.saved(t, corpus.Dir(t, multiseg), "good.db")
	good := w.read(t, "good.db")
	size := len(good) - 32
	for name, tc := range map[string]struct {
		corrupt func(b []byte) []byte
		text    string
	}{
		"value":       {func(b []byte) []byte { return flipped(b, bytes.LastIndex(b[:size], []byte("key"))) }, "which lies behind it"},
		"trailer":     {func(b []byte) []byte { return flipped(b, size+5) }, "which lies behind it"},
		"end missing": {func(b []byte) []byte { return b[:size-4096] }, "its end is missing"},
		"both metas":  {func(b []byte) []byte { return flipped(flipped(b, 40), 4096+40) }, "checksum"},
		"page header": {func(b []byte) []byte { return withoutPages(b[:size]) }, "page "},
		"no etcd":     {func(b []byte) []byte { return bytes.ReplaceAll(b[:size], []byte("key"), []byte("kez")) }, "bucket_missing"},
	} {
		if err := os.WriteFile(w.app.Path("bad.db"), tc.corrupt(bytes.Clone(good)), 0o600); err != nil {
			t.Fatal(err)
		}
		w.save(t, ui.StatusDamage, "bad.db: ", "bad.db", "a.db")
		if !bytes.Contains(w.errs.Bytes(), []byte(tc.text)) {
			t.Errorf("%s: %s, want %q", name, w.errs.String(), tc.text)
		}
		w.wantFiles(t, "bad.db", "good.db")
	}
}

// What is no database at all is not what the command takes.
func TestSaveOther(t *testing.T) {
	w := newWorld(t)
	for text, b := range map[string][]byte{
		"bad.db: no snapshot or database: ": bytes.Repeat([]byte("text"), 3000), "bad.db: empty file": nil,
	} {
		if err := os.WriteFile(w.app.Path("bad.db"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		w.save(t, ui.StatusUsage, text, "bad.db", "a.db")
		w.wantFiles(t, "bad.db")
	}
}

// What verify finds fault with can be saved nevertheless, and then says so.
func TestSaveSkipsVerify(t *testing.T) {
	w := newWorld(t)
	w.saved(t, corpus.Dir(t, multiseg), "good.db")
	good := w.read(t, "good.db")
	if err := os.WriteFile(w.app.Path("bad.db"), withoutPages(good[:len(good)-32]), 0o600); err != nil {
		t.Fatal(err)
	}
	w.save(t, ui.StatusDamage, "--skip-verify", "bad.db", "a.db")
	w.save(t, ui.StatusOK, "", "bad.db", "a.db", "--skip-verify")
	if !bytes.Contains(w.out.Bytes(), []byte("the database was not verified")) {
		t.Errorf("printed %s", w.out.String())
	}
	w.wantFiles(t, "a.db", "bad.db", "good.db")
}

// flipped returns b with the bits of one byte turned over.
func flipped(b []byte, at int) []byte {
	b[at] ^= 0xff
	return b
}

// withoutPages returns b with nothing in its pages but the meta pages.
func withoutPages(b []byte) []byte {
	clear(b[2*4096:])
	return b
}
