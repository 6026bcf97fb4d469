package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// writers are the formats.
var writers = map[string]func(io.Writer) (io.WriteCloser, error){
	"plain":  func(w io.Writer) (io.WriteCloser, error) { return nopCloser{w}, nil },
	"zstd":   func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	"gzip":   func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	"s2":     func(w io.Writer) (io.WriteCloser, error) { return s2.NewWriter(w), nil },
	"snappy": func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil },
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func pack(tb testing.TB, format string, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := writers[format](&b)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func formats() []string { return slices.Sorted(maps.Keys(writers)) }

// sample is a tree with what makes a difference: deep paths, an empty file, holes at the beginning,
// in the middle and at the end, and a file that is no multiple of anything.
func sample() map[string][]byte {
	rng := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 100_001)
	_, _ = rng.Read(noise) // never fails
	holes := make([]byte, 300_000)
	copy(holes[70_000:], noise[:5000])
	return map[string][]byte{
		"m1/member/wal/a":                    noise,
		"m1/member/wal/b":                    holes,
		"m1/member/snap/c":                   {},
		"m1/member/snap/d":                   []byte("small"),
		"e":                                  bytes.Repeat([]byte{1}, 4096),
		strings.Repeat("long/", 50) + "name": []byte("beyond what old headers can hold"),
	}
}

func tarOf(tb testing.TB, files map[string][]byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name, Size: int64(len(files[name])), Mode: 0o600}
		if err := w.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func openBytes(tb testing.TB, data []byte, o Options) (*FS, error) {
	tb.Helper()
	f, err := fstest.MapFS{"x.tar.gz": {Data: data}}.Open("x.tar.gz")
	if err != nil {
		tb.Fatal(err)
	}
	return Open(f, "x.tar.gz", o)
}

func TestFormats(t *testing.T) {
	files := sample()
	for _, format := range formats() {
		packed := pack(t, format, tarOf(t, files))
		if !Is(packed[:SniffSize]) {
			t.Errorf("%s: not told apart", format)
		}
		a, err := openBytes(t, packed, Options{})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		// TestFS checks that files and directories agree with each other however they are read.
		if err := fstest.TestFS(a, slices.Collect(maps.Keys(files))...); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		checkFiles(t, format, a, files)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkFiles checks the contents of files, read at once and at offsets.
func checkFiles(t *testing.T, what string, a *FS, files map[string][]byte) {
	t.Helper()
	for name, want := range files {
		got, err := fs.ReadFile(a, name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %s: %d bytes, %v, want %d", what, name, len(got), err, len(want))
			continue
		}
		f, err := a.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		at := f.(io.ReaderAt)
		part := make([]byte, 100)
		for off := 0; off+len(part) <= len(want); off += len(want)/7 + 1 {
			if _, err := at.ReadAt(part, int64(off)); err != nil || !bytes.Equal(part, want[off:off+len(part)]) {
				t.Errorf("%s: %s: offset %d: %v", what, name, off, err)
			}
		}
		if n, err := at.ReadAt(part, int64(len(want))); n != 0 || err != io.EOF {
			t.Errorf("%s: %s: %d bytes behind the end, %v", what, name, n, err)
		}
	}
}

// Archives of GNU tar and busybox-like ones, sparse and in every header format, read alike.
func TestGNUTar(t *testing.T) {
	files := map[string][]byte{"wal/a": make([]byte, 2<<20), "wal/b": []byte("x")}
	copy(files["wal/a"][1<<20:], "in the middle")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if err := writeSparseFile(filepath.Join(dir, name), data); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range []string{
		"--format=gnu", "--format=gnu -S", "--format=ustar", "--format=v7",
		"--format=pax", "--format=pax -S --sparse-version=0.0", "--format=pax -S --sparse-version=0.1",
		"--format=pax -S --sparse-version=1.0",
	} {
		out, err := exec.Command("tar", append(strings.Fields(args), "-C", dir, "-c", "wal")...).Output()
		if err != nil {
			t.Fatalf("tar %s: %v", args, err)
		}
		for _, format := range []string{"plain", "zstd"} {
			a, err := openBytes(t, pack(t, format, out), Options{})
			if err != nil {
				t.Errorf("tar %s: %v", args, err)
				continue
			}
			checkFiles(t, args, a, files)
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func writeSparseFile(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for off := 0; off < len(data); off += blockSize {
		block := data[off:min(off+blockSize, len(data))]
		if bytes.Equal(block, zeroBlock[:len(block)]) {
			continue
		}
		if _, err := f.WriteAt(block, int64(off)); err != nil {
			return err
		}
	}
	return f.Truncate(int64(len(data)))
}

// Zeros take no space in the temporary file, and a plain archive needs none.
func TestSpoolIsSparse(t *testing.T) {
	const size = 64 << 20
	files := map[string][]byte{"wal/a": make([]byte, size)}
	copy(files["wal/a"], "head")
	packed := pack(t, "zstd", tarOf(t, files))
	a, err := openBytes(t, packed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if a.spool.written != blockSize {
		t.Errorf("%d bytes written for a file of zeros with a head, want one block of %d", a.spool.written, blockSize)
	}
	if info, err := fs.Stat(a, "wal/a"); err != nil || info.Size() != size {
		t.Errorf("size %v, %v, want %d", info, err, size)
	}
	plain, err := openBytes(t, tarOf(t, sample()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if plain.spool != nil {
		t.Error("a plain archive was unpacked")
	}
}

// The temporary file has no name while it is used, and nothing is left of it.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	a, err := openBytes(t, pack(t, "gzip", tarOf(t, sample())), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s lies in the temporary directory", left[0].Name())
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestKeep(t *testing.T) {
	keep := func(name string) bool { return strings.HasSuffix(name, "/d") }
	a, err := openBytes(t, pack(t, "s2", tarOf(t, sample())), Options{Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if got, err := fs.ReadFile(a, "m1/member/snap/d"); err != nil || string(got) != "small" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := a.Open("e"); !errors.Is(err, ErrNotKept) {
		t.Errorf("got %v, want ErrNotKept", err)
	}
	if info, err := fs.Stat(a, "e"); err != nil || info.Size() != 4096 {
		t.Errorf("a file that was not kept isn't listed: %v, %v", info, err)
	}
}

// A compressed file that is no tar archive is a file system of that one file.
func TestSingleFile(t *testing.T) {
	for _, format := range formats()[1:] {
		if format == "plain" {
			continue
		}
		for _, data := range [][]byte{[]byte("short"), bytes.Repeat([]byte("long "), 10_000)} {
			a, err := openBytes(t, pack(t, format, data), Options{})
			if err != nil {
				t.Errorf("%s: %v", format, err)
				continue
			}
			name, ok := a.Only()
			if got, err := fs.ReadFile(a, name); !ok || name != "x.tar" || !bytes.Equal(got, data) {
				t.Errorf("%s: file %q with %d bytes, %v, want x.tar with %d", format, name, len(got), err, len(data))
			}
		}
	}
}

// An archive that is cut off anywhere is an error that tells where, unless it is only the second of
// the two blocks of its end marker that is missing, or what pads it.
func TestTruncated(t *testing.T) {
	files := map[string][]byte{"wal/a": bytes.Repeat([]byte("abc"), 700), "wal/b": []byte("b")}
	const enough = (2 + 5 + 1 + 1) * tarBlock // headers, data of both, half the marker
	for _, format := range formats() {
		packed := pack(t, format, tarOf(t, files))
		for size := 1; size < len(packed); size++ {
			_, err := openBytes(t, packed[:size], Options{})
			streamHeader := len("\xff\x06\x00\x00S2sTwO")
			switch {
			case format == "plain" && size >= enough:
			case (format == "s2" || format == "snappy") && size == streamHeader: // an empty file, compressed
			case err == nil || !strings.Contains(err.Error(), "offset"):
				t.Errorf("%s cut at %d of %d: %v, want an error that tells where", format, size, len(packed), err)
			}
		}
	}
}

// Names that lead out of the archive stay in it; names of many directories are refused.
func TestHostileNames(t *testing.T) {
	a, err := openBytes(t, tarOf(t, map[string][]byte{
		"../../etc/passwd": []byte("x"), "/abs/./wal//y": []byte("y"), "a/../../b": []byte("z"),
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(a, "etc/passwd", "abs/wal/y", "b"); err != nil {
		t.Error(err)
	}
	deep := strings.Repeat("d/", 1000) + "x"
	if _, err := openBytes(t, tarOf(t, map[string][]byte{deep: {1}}), Options{}); !errors.Is(err, errDepth) {
		t.Errorf("got %v, want errDepth", err)
	}
}

// Sizes that would take forever to unpack are refused before.
func TestHostileSizes(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "a", Size: MaxSize + 1, Mode: 0o600, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	for _, format := range formats() {
		if _, err := openBytes(t, pack(t, format, b.Bytes()), Options{}); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: got %v, want ErrLimit", format, err)
		}
	}
}

// FuzzOpen opens any bytes: what opens can be read as a file system.
func FuzzOpen(f *testing.F) {
	small := tarOf(f, map[string][]byte{"wal/a": []byte("aaa"), "b": {}})
	for _, format := range formats() {
		f.Add(pack(f, format, small))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := openBytes(t, b, Options{})
		if err != nil {
			return
		}
		defer a.Close()
		err = fs.WalkDir(a, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			got, err := fs.ReadFile(a, name)
			if err == nil && int64(len(got)) != info.Size() {
				err = fmt.Errorf("%s: %d bytes, want %d", name, len(got), info.Size())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
