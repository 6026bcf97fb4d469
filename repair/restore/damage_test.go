package restore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/restore"
)

// damaged restores bytes, and returns what came of it. There is no result if there is an error.
func damaged(t *testing.T, b []byte, base restore.BaseOptions, edit func(o *restore.Options)) error {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "damaged.db")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	err := restoreFile(t, name, base, edit)
	if after, readErr := os.ReadFile(name); readErr != nil || !bytes.Equal(b, after) {
		t.Errorf("the source is another one, %v", readErr)
	}
	if left := tree(t, dir); err != nil && len(left) > 1 {
		t.Errorf("%v, and %q is left", err, left)
	}
	_ = os.RemoveAll(dir)
	return err
}

func restoreFile(t *testing.T, name string, bo restore.BaseOptions, edit func(o *restore.Options)) error {
	t.Helper()
	dir := filepath.Dir(name)
	base, err := restore.OpenBase(t.Context(), vfs.DirFS(vfs.OS, dir), filepath.Base(name), bo)
	if err != nil {
		return err
	}
	defer func() { _ = base.Close() }()
	c, err := restore.ParseCluster("default=http://localhost:2380", "etcd-cluster")
	if err != nil {
		t.Fatal(err)
	}
	o := restore.Options{FS: vfs.OS, Base: base, Cluster: c,
		Targets: []restore.Target{{Name: "default", DataDir: filepath.Join(dir, "data")}}}
	if edit != nil {
		edit(&o)
	}
	p, err := restore.NewPlan(o)
	if err != nil {
		return err
	}
	_, err = p.Run(t.Context())
	return err
}

func isDamage(err error) bool {
	_, is := errors.AsType[*restore.DamageError](err)
	return is
}

func isRefused(err error) bool {
	_, is := errors.AsType[*restore.RefusedError](err)
	return is
}

func saved(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(backupOf(t, "3.6").path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A flipped byte anywhere, in a page of whatever kind or in the sum, is damage where there is a sum.
func TestFlippedWithSum(t *testing.T) {
	b := saved(t)
	for at := 0; at < len(b); at += 997 {
		if err := damaged(t, flip(b, at), restore.BaseOptions{}, nil); !isDamage(err) {
			t.Errorf("byte %d: %v, want damage", at, err)
		}
	}
	if err := damaged(t, flip(b, len(b)-1), restore.BaseOptions{}, nil); !isDamage(err) || !contains(err, "sha256") {
		t.Errorf("the sum: %v, want damage", err)
	}
}

// flip returns b with the bits of one byte turned over.
func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0xff
	return b
}

// Without a sum, what is structure is seen, and no byte makes the restore panic or leave half a result,
// whether pages are checked or not.
func TestFlippedWithoutSum(t *testing.T) {
	b := saved(t)
	b = b[:len(b)-32]
	var places []int
	for at := 0; at < len(b); at += 661 {
		places = append(places, at)
	}
	for page := 0; page < len(b); page += 4096 { // what kind a page is, and how many elements it has
		places = append(places, page+8, page+10)
	}
	seen, unchecked := 0, 0
	for _, at := range places {
		err := damaged(t, flip(b, at), restore.BaseOptions{SkipHash: true}, nil)
		if err != nil && !isDamage(err) {
			t.Errorf("byte %d: %v, want damage or none", at, err)
		}
		if err == nil {
			continue // a value's byte, or a free one
		}
		seen++
		err = damaged(t, flip(b, at), restore.BaseOptions{SkipHash: true}, func(o *restore.Options) {
			o.SkipVerify, o.Bump, o.MarkCompacted = true, 10, true
		})
		if err == nil {
			unchecked++
		} else if !isDamage(err) {
			t.Errorf("byte %d, not verified: %v, want damage or none", at, err)
		}
	}
	if seen < 3 || unchecked == 0 {
		t.Errorf("damage was seen %d times, and taken all the same %d times", seen, unchecked)
	}
}

// Every byte of the pages that are edited may be anything: bbolt doesn't get to see it.
func TestFlippedRoot(t *testing.T) {
	b := saved(t)
	b = b[:len(b)-32]
	for at := 0; at < 2*4096; at += 257 {
		err := damaged(t, flip(b, at), restore.BaseOptions{SkipHash: true}, func(o *restore.Options) { o.SkipVerify = true })
		if err != nil && !isDamage(err) {
			t.Errorf("byte %d: %v, want damage or none", at, err)
		}
	}
}

func TestTruncated(t *testing.T) {
	b := saved(t)
	whole := len(b) - 32
	for _, size := range []int{0, 1, 100, 4096, 8192, whole / 2, whole/2 + 32, whole - 4096, whole - 4064, whole - 1, whole + 31} {
		for _, skip := range []bool{false, true} {
			err := damaged(t, b[:size], restore.BaseOptions{SkipHash: skip}, nil)
			switch {
			case err == nil && skip && size >= whole: // what is missing is of the sum only
			case err == nil:
				t.Errorf("%d bytes of %d, skip %v: no error", size, len(b), skip)
			case !isDamage(err) && !isRefused(err):
				t.Errorf("%d bytes of %d: %v, want damage or a refusal", size, len(b), err)
			}
		}
	}
	b = b[:whole]
	err := damaged(t, b, restore.BaseOptions{}, nil)
	if !isRefused(err) || !contains(err, "--skip-hash-check") {
		t.Errorf("without its sum: %v, want a refusal with the flag", err)
	}
	if err := damaged(t, b, restore.BaseOptions{SkipHash: true}, nil); err != nil {
		t.Errorf("without its sum, which is not wanted: %v", err)
	}
	if err := damaged(t, b, restore.BaseOptions{Member: true}, nil); err != nil {
		t.Errorf("as a member's own: %v", err)
	}
	wrong := flip(saved(t), whole)
	if err := damaged(t, wrong, restore.BaseOptions{SkipHash: true}, nil); err != nil {
		t.Errorf("with a wrong sum that is not wanted: %v", err)
	}
	text := []byte("no database, but some text of some length")
	if err := damaged(t, text, restore.BaseOptions{SkipHash: true}, nil); !isDamage(err) {
		t.Errorf("text: %v, want damage", err)
	}
}

// What a release doesn't know isn't given to it.
func TestForms(t *testing.T) {
	put := func(bucket, key, value string) func(tx *bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte(bucket))
			if err == nil && key != "" {
				err = b.Put([]byte(key), []byte(value))
			}
			return err
		}
	}
	for _, tc := range []struct {
		name string
		edit func(tx *bbolt.Tx) error
		as   restore.Release
		want string // empty: it is restored
	}{
		{"future", put("meta", "storageVersion", "3.8.0"), 0, "storage version 3.8.0, want 3.7 at most"},
		{"future, as an old one", put("meta", "storageVersion", "3.8.0"), restore.Release36, "storage version 3.8.0"},
		{"another etcd", put("meta", "storageVersion", "4.0.0"), 0, "4.0.0"},
		{"item", put("meta", "shiny", "new"), restore.Release35, `item "shiny" of bucket meta`},
		{"item, as it is", put("meta", "shiny", "new"), restore.Release36, ""},
		{"bucket", put("shiny", "", ""), restore.Release35, `bucket "shiny"`},
		{"bucket, as it is", put("shiny", "", ""), 0, ""},
	} {
		name := filepath.Join(t.TempDir(), "a.db")
		b := saved(t)
		if err := os.WriteFile(name, b[:len(b)-32], 0o600); err != nil {
			t.Fatal(err)
		}
		dbtest.Edit(t, name, tc.edit)
		err := restoreFile(t, name, restore.BaseOptions{SkipHash: true}, func(o *restore.Options) { o.As = tc.as })
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.want != "" && (!isRefused(err) && !isDamage(err) || !contains(err, tc.want)):
			t.Errorf("%s: %v, want a refusal: %s", tc.name, err, tc.want)
		}
	}
}

// A bump counts from the last key, and must lead beyond what was compacted.
func TestBumpBelowCompaction(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.db")
	s := dbtest.New(t, name)
	s.Put("a", "1", 0)
	s.Put("b", "1", 0)
	last := s.Delete("b", "")
	s.Close()
	dbtest.Edit(t, name, func(tx *bbolt.Tx) error {
		mark := []byte{0, 0, 0, 0, 0, 0, 0, 20, '_', 0, 0, 0, 0, 0, 0, 0, 0}
		return tx.Bucket([]byte("meta")).Put([]byte("finishedCompactRev"), mark)
	})
	bump := func(n int64) error {
		return restoreFile(t, name, restore.BaseOptions{Member: true}, func(o *restore.Options) {
			o.Bump, o.MarkCompacted, o.SkipVerify = n, true, true
		})
	}
	if err := bump(20 - last); !isRefused(err) || !contains(err, "give 17 at least") {
		t.Errorf("%v, want a refusal", err)
	}
	if err := bump(17); err != nil {
		t.Error(err)
	}
}
