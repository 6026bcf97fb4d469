package database_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/snapshot/database"
)

// A compressed database is told by its content, whatever its name is, and is the same database.
func TestOpenCompressed(t *testing.T) {
	path := sample(t)
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := status(t, path)
	for name, compress := range map[string]func(io.Writer) io.WriteCloser{
		"gzip":   func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"s2":     func(w io.Writer) io.WriteCloser { return s2.NewWriter(w) },
		"snappy": func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	} {
		packed := filepath.Join(t.TempDir(), "any name")
		var b bytes.Buffer
		w := compress(&b)
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(packed, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		db := open(t, packed)
		if o := db.Origin(); !o.Compressed || o.Size != int64(b.Len()) || db.Size() != int64(len(plain)) {
			t.Errorf("%s: %+v, %d bytes unpacked, want %d", name, o, db.Size(), len(plain))
		}
		if got := status(t, packed); *got.Hashes != *want.Hashes {
			t.Errorf("%s: hashes %+v, want %+v", name, got.Hashes, want.Hashes)
		}
		cut := filepath.Join(t.TempDir(), "cut")
		if err := os.WriteFile(cut, b.Bytes()[:b.Len()/2], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := database.Open(t.Context(), os.DirFS(filepath.Dir(cut)), "cut", database.Options{})
		if err == nil || !strings.Contains(err.Error(), "cut: archive: near offset") {
			t.Errorf("%s: half a file: %v", name, err)
		}
	}
}

func TestOpenArchiveOfFiles(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "member/snap/db", Size: 1, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{0}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.tar"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := database.Open(t.Context(), os.DirFS(dir), "m.tar", database.Options{})
	if err == nil || !strings.Contains(err.Error(), "m.tar: an archive of files, want a database") {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("empty", nil)
	write("text", []byte("version https://git-lfs.github.com/spec/v1\n"))
	write("zeros", make([]byte, 1<<16))
	for name, want := range map[string]string{
		"empty":   "empty: empty file",
		"text":    "text: not a bbolt database: page 0: offset 16: no meta page: 43 bytes, want 80",
		"zeros":   "zeros: not a bbolt database: page 0: offset 16: no meta page: magic 00000000, want ed0cdaed",
		"missing": "missing: no such file or directory",
		".":       ".: not a file: drwx",
	} {
		_, err := database.Open(t.Context(), os.DirFS(dir), name, database.Options{})
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A database that changes under the reader, without a lock that could be seen, is not judged.
func TestChangedUnderTheReader(t *testing.T) {
	path := sample(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.OpenAt(f, info.Size(), "db")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Verify(t.Context(), database.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	dbtest.Edit(t, path, put(13, database.KeyValue{Key: []byte("f"), CreateRevision: 13, ModRevision: 13, Version: 1}))
	if r, err := db.Verify(t.Context(), database.VerifyOptions{}); !errors.Is(err, database.ErrChanged) {
		t.Errorf("verify: %v, %v", r, err)
	}
	if s, err := db.Status(t.Context(), nil); !errors.Is(err, database.ErrChanged) {
		t.Errorf("status: %v, %v", s, err)
	}
}

// The example of the package documentation is what lies in a database of a real etcd.
func TestDocumentedKey(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for item, err := range open(t, "testdata/small.db").Bucket(t.Context(), "key") {
		if text := fmt.Sprintf("//\t% x\n", item.Key); err != nil || !strings.Contains(string(doc), text) {
			t.Errorf("%v: doc.go doesn't have %s", err, text)
		}
		return
	}
}
