package wal

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
)

// dataDir returns a data directory as files, under a prefix.
func dataDir(prefix string) map[string][]byte {
	files := map[string][]byte{
		prefix + "member/snap/db":                                     []byte("a database"),
		prefix + "member/snap/0000000000000002-0000000000000006.snap": []byte("a snapshot"),
		prefix + "member/wal/0.tmp":                                   make([]byte, 4096),
		prefix + "member/wal/x.wal.broken":                            []byte("a copy"),
	}
	for name, data := range buildLog(raftpb.FlavorPbgo, 3).files(4096) {
		files[prefix+"member/wal/"+name] = data
	}
	return files
}

func asMapFS(files map[string][]byte) fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range files {
		m[name] = &fstest.MapFile{Data: data}
	}
	return m
}

func TestOpenDirectories(t *testing.T) {
	tests := []struct {
		files map[string][]byte
		name  string
		snap  string
	}{
		{dataDir("default.etcd/"), "default.etcd", "default.etcd/member/snap"},
		{dataDir("default.etcd/"), "default.etcd/member", "default.etcd/member/snap"},
		{dataDir("default.etcd/"), "default.etcd/member/wal", "default.etcd/member/snap"},
		{dataDir("default.etcd/"), ".", "default.etcd/member/snap"},
		{dataDir(""), ".", "member/snap"},
		{dataDir(""), "member", "member/snap"},
		{buildLog(raftpb.FlavorPbgo, 3).files(0), ".", ""},
	}
	for _, test := range tests {
		l, err := Open(asMapFS(test.files), test.name)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		checkWhole(t, l)
		if _, snap, ok := l.SnapDir(); snap != test.snap || ok != (snap != "") {
			t.Errorf("%s: snapshots in %q, want %q", test.name, snap, test.snap)
		}
	}
}

// checkWhole checks that l is the log of dataDir, and closes it.
func checkWhole(t *testing.T, l *Log) {
	t.Helper()
	defer l.Close()
	b := buildLog(raftpb.FlavorPbgo, 3)
	n := 0
	for i, s := range l.Segments() {
		n += len(b.segs[i].frames)
		if want := b.segs[i].name; s.Name != want || s.File != want.String() {
			t.Errorf("segment %d: %v, want %v", i, s, want)
		}
	}
	if got := collect(t, l, Inspect); len(got) != n || slices.ContainsFunc(got, isDamage) {
		t.Errorf("%d records, want %d and no damage", len(got), n)
	}
	if len(l.Spares()) > 0 && !slices.Equal(l.Spares(), []string{"0.tmp"}) {
		t.Errorf("spares %q, want 0.tmp", l.Spares())
	}
	if len(l.Spares()) > 0 && !slices.Equal(l.Ignored(), []string{"x.wal.broken"}) {
		t.Errorf("ignored %q, want x.wal.broken", l.Ignored())
	}
}

func isDamage(r seen) bool { return r.Kind == KindDamage }

func TestOpenSegment(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 3)
	fsys := asMapFS(b.files(512))
	fsys["renamed"] = &fstest.MapFile{Data: b.segs[1].b}
	for name, want := range map[string]int{
		b.segs[0].name.String(): len(b.segs[0].frames),
		b.segs[1].name.String(): len(b.segs[1].frames),
		b.segs[2].name.String(): len(b.segs[2].frames),
		"renamed":               len(b.segs[1].frames),
	} {
		l, err := Open(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(t, l, Recover); len(got) != want || slices.ContainsFunc(got, isDamage) {
			t.Errorf("%s: %d records, want %d and no damage", name, len(got), want)
		}
	}
}

// compressors are the formats that an archive may have.
var compressors = map[string]func(io.Writer) io.WriteCloser{
	"tar":    func(w io.Writer) io.WriteCloser { return nopCloser{w} },
	"gzip":   func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"s2":     func(w io.Writer) io.WriteCloser { return s2.NewWriter(w) },
	"snappy": func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err) // there are no options to be wrong
		}
		return z
	},
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func compress(t *testing.T, format string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := compressors[format](&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name, Size: int64(len(files[name])), Mode: 0o600, Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An archive is opened whatever its name is.
func TestOpenArchives(t *testing.T) {
	for _, format := range slices.Sorted(maps.Keys(compressors)) {
		for _, prefix := range []string{"", "./", "backup/m1/", "/var/lib/etcd/"} {
			packed := compress(t, format, tarOf(t, dataDir(prefix)))
			l, err := Open(fstest.MapFS{"x": {Data: packed}}, "x")
			if err != nil {
				t.Errorf("%s: %v", format, err)
				continue
			}
			if fsys, dir, ok := l.SnapDir(); !ok {
				t.Errorf("%s: no snapshot directory", format)
			} else if b, err := fs.ReadFile(fsys, dir+"/0000000000000002-0000000000000006.snap"); err != nil ||
				string(b) != "a snapshot" {
				t.Errorf("%s: snapshot file: %q, %v", format, b, err)
			}
			checkWhole(t, l)
		}
	}
}

func TestOpenCompressedSegment(t *testing.T) {
	s := buildLog(raftpb.FlavorPbgo, 1).tail()
	for _, format := range []string{"gzip", "s2", "snappy", "zstd"} {
		name := s.name.String() + ".zst"
		l, err := Open(fstest.MapFS{name: {Data: compress(t, format, s.b)}}, name)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if got := collect(t, l, Inspect); len(got) != len(s.frames) {
			t.Errorf("%s: %d records, want %d", format, len(got), len(s.frames))
		}
		if got := l.Segments()[0].Name; got != s.name {
			t.Errorf("%s: segment %v, want %v", format, got, s.name)
		}
		check(t, l.Close())
	}
}

// One log of several in an archive is named by a path that leads on into it.
func TestOpenInArchive(t *testing.T) {
	files := dataDir("backup/m1/")
	maps.Copy(files, dataDir("backup/m2/"))
	fsys := fstest.MapFS{"dir/backup.tar.zst": {Data: compress(t, "zstd", tarOf(t, files))}}
	_, err := Open(fsys, "dir/backup.tar.zst")
	if !errors.Is(err, ErrSeveralLogs) || !strings.Contains(err.Error(), "backup/m2/member/wal") {
		t.Errorf("got %v, want ErrSeveralLogs with their names", err)
	}
	for _, inner := range []string{"backup/m2", "backup/m2/member/wal"} {
		l, err := Open(fsys, "dir/backup.tar.zst/"+inner)
		if err != nil {
			t.Fatal(err)
		}
		checkWhole(t, l)
	}
	segment := buildLog(raftpb.FlavorPbgo, 1).segs[0].name.String()
	l, err := Open(fsys, "dir/backup.tar.zst/backup/m1/member/wal/"+segment)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(l.Segments()); n != 1 {
		t.Errorf("%d segments, want the one that was named", n)
	}
	check(t, l.Close())
	if _, err := Open(fsys, "dir/backup.tar.zst/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

func TestOpenErrors(t *testing.T) {
	bolt := make([]byte, 4096)
	copy(bolt[16:], "\xed\xda\x0c\xed")
	two := dataDir("a/")
	maps.Copy(two, dataDir("b/"))
	segment := buildLog(raftpb.FlavorGogo, 1).tail()
	good := compress(t, "zstd", tarOf(t, dataDir("")))
	tests := []struct {
		what  string
		files map[string][]byte
		name  string
		want  error
		text  string
	}{
		{"nothing there", nil, "none", fs.ErrNotExist, "none: "},
		{"an empty file", map[string][]byte{"x": {}}, "x", ErrEmpty, "x: empty file"},
		{"an empty segment", map[string][]byte{"0000000000000000-0000000000000000.wal": {}},
			"0000000000000000-0000000000000000.wal", ErrEmpty, ""},
		{"a directory of other things", map[string][]byte{"d/x": []byte("?")}, "d", ErrNoLog, "d: no log"},
		{"a member without a log", map[string][]byte{"member/snap/db": bolt}, ".", ErrNoLog, "--wal-dir"},
		{"an empty wal directory", map[string][]byte{"member/wal/0.tmp": bolt}, ".", ErrNoLog, "member/wal"},
		{"a database", map[string][]byte{"db": bolt}, "db", ErrNoLog, "bbolt"},
		{"a text", map[string][]byte{"x": []byte("hello")}, "x", ErrNoLog, "68656c6c6f"},
		{"two members", two, ".", ErrSeveralLogs, "a/member/wal, b/member/wal"},
		{"an archive without a log", map[string][]byte{"x": tarOf(t, map[string][]byte{"y": {1}})}, "x", ErrNoLog, ""},
		{"an archive cut off", map[string][]byte{"x": good[:len(good)/2]}, "x", io.ErrUnexpectedEOF, "offset"},
		{"a path into a segment", map[string][]byte{"d/" + segment.name.String(): segment.b},
			"d/" + segment.name.String() + "/x", fs.ErrNotExist, ""},
	}
	for _, test := range tests {
		_, err := Open(asMapFS(test.files), test.name)
		if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.text) {
			t.Errorf("%s: got %v, want %v with %q", test.what, err, test.want, test.text)
		}
	}
}

// A log that loses its first segments to a purge while it is read is read to its end.
func TestPurgedWhileReading(t *testing.T) {
	dir := t.TempDir()
	b := buildLog(raftpb.FlavorPbgo, 3)
	for name, data := range b.files(0) {
		writeFile(t, filepath.Join(dir, name), data)
	}
	l, err := Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range b.segs[:2] {
		check(t, os.Remove(filepath.Join(dir, s.name.String())))
	}
	checkWhole(t, l)

	l, err = Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := collect(t, l, Inspect); len(got) != len(b.segs[2].frames) || slices.ContainsFunc(got, isDamage) {
		t.Errorf("%d records of a log without its beginning, want %d and no damage", len(got), len(b.segs[2].frames))
	}
}

// A log elsewhere is opened with the snapshots of the data directory that goes with it.
func TestOpenMember(t *testing.T) {
	dir := t.TempDir()
	for name, data := range dataDir("") {
		path := filepath.Join(dir, strings.Replace(name, "member/wal/", "logs/", 1))
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		writeFile(t, path, data)
	}
	m, err := datadir.FindPath(dir, datadir.Options{WalDir: filepath.Join(dir, "logs")})
	check(t, err)
	l, err := OpenMember(m)
	check(t, err)
	fsys, snap, ok := l.SnapDir()
	if _, err := fs.Stat(fsys, snap); err != nil || !ok || path.Base(snap) != "snap" {
		t.Errorf("snapshots in %q, %v (%v)", snap, ok, err)
	}
	checkWhole(t, l)
	check(t, os.RemoveAll(filepath.Join(dir, "logs")))
	check(t, os.Mkdir(filepath.Join(dir, "logs"), 0o700))
	m, err = datadir.FindPath(filepath.Join(dir, "member"), datadir.Options{})
	check(t, err)
	if _, err := OpenMember(m); !errors.Is(err, ErrNoLog) {
		t.Errorf("got %v, want ErrNoLog", err)
	}
}
