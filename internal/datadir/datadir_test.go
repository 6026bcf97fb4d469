package datadir

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/raftctl/raftctl/internal/corpus"
)

// segment is the smallest segment there is: a crc record.
const segment = "\x04\x00\x00\x00\x00\x00\x00\x84\x08\x04\x10\x00\x00\x00\x00\x00"

const firstSegment = "0000000000000000-0000000000000000.wal"

var database = strings.Repeat("\x00", 16) + "\xed\xda\x0c\xed" + strings.Repeat("\x00", 4076)

// member returns the files of a member below a prefix.
func member(prefix string) map[string]string {
	return map[string]string{
		prefix + "member/wal/" + firstSegment:                               segment,
		prefix + "member/wal/0.tmp":                                         "\x00",
		prefix + "member/snap/db":                                           database,
		prefix + "member/snap/0000000000000002-0000000000000006.snap":       "\x08\x01\x12\x00",
		prefix + "member/wal.broken.20260102.150405.000000/" + firstSegment: segment,
		prefix + "member/wal.broken.20260103.150405.000000/" + firstSegment: segment,
		prefix + "member/wal.tmp/" + firstSegment:                           segment,
		prefix + "member/wal.broken-notes.txt":                              "a file is no log",
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func pack(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name, Size: int64(len(files[name])), Mode: 0o600, Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// found says of a member what was found, in a line a place.
func found(m *Member) []string {
	lines := []string{
		fmt.Sprint("log ", m.Log.State, " ", m.Log.Name), fmt.Sprint("snap ", m.Snap.State, " ", m.Snap.Name),
		fmt.Sprint("db ", m.Database.State, " ", m.Database.Name),
		fmt.Sprint("unfinished ", m.Unfinished.State, " ", m.Unfinished.Name),
	}
	for _, b := range m.Broken {
		lines = append(lines, fmt.Sprint("broken ", b.State, " ", b.Name))
	}
	if m.Second.State != Unknown {
		lines = append(lines, fmt.Sprint("second ", m.Second.State, " ", m.Second.Name))
	}
	return lines
}

// whole is what is found of a member whose member directory is typed as given.
func whole(dir string) []string {
	return []string{
		"log present " + dir + "/wal", "snap present " + dir + "/snap", "db present " + dir + "/snap/db",
		"unfinished present " + dir + "/wal.tmp", "broken present " + dir + "/wal.broken.20260102.150405.000000",
		"broken present " + dir + "/wal.broken.20260103.150405.000000",
	}
}

// Whatever of a member is named, the same is found, and every name can be typed.
func TestFindPath(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, member("data/"))
	write(t, dir, map[string]string{"m.tar.zst": pack(t, member("backup/m1/"))})
	inner := []string{"log present m.tar.zst/backup/m1/member/wal/" + firstSegment}
	for _, c := range []struct {
		path string
		want []string
	}{
		{"data", whole("data/member")},
		{"./data/", whole("data/member")},
		{"data/member", whole("data/member")},
		{"data/member/wal", whole("data/member")},
		{dir + "/data", whole(dir + "/data/member")},
		{".", whole("data/member")},
		{"m.tar.zst/backup", whole("m.tar.zst/backup/m1/member")[:3]},
		{"m.tar.zst/backup/m1/member/wal/" + firstSegment, inner},
	} {
		m, err := FindPath(c.path, Options{Dir: dir, Database: true})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		got := found(m)
		if diff := cmp.Diff(c.want, got[:min(len(c.want), len(got))]); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.path, diff)
		}
		if b, err := fs.ReadFile(m.Database.FS, m.Database.Path); err != nil || string(b) != database {
			t.Errorf("%s: the database can't be read: %v", c.path, err)
		}
		checkTyped(t, dir, m)
		if err := m.Close(); err != nil {
			t.Errorf("%s: close: %v", c.path, err)
		}
	}
}

// checkTyped checks that the names of what is there lead there.
func checkTyped(t *testing.T, dir string, m *Member) {
	t.Helper()
	again, err := FindPath(m.Log.Name, Options{Dir: dir})
	if err != nil {
		t.Errorf("%s: %v", m.Log.Name, err)
		return
	}
	if again.Log.Path != m.Log.Path {
		t.Errorf("%s leads to %s, want %s", m.Log.Name, again.Log.Path, m.Log.Path)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	for _, p := range append(m.Broken, m.Snap, m.Database, m.Unfinished) {
		if m.Archived || p.State != Present {
			continue
		}
		name := p.Name
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if _, err := os.Stat(name); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

// Of several logs each is named by a path that can be typed, also from within a folder, and also into
// an archive.
func TestSeveralLogs(t *testing.T) {
	dir := t.TempDir()
	both := member("m1/")
	maps.Copy(both, member("m2/"))
	write(t, dir, map[string]string{"m.tar.zst": pack(t, both)})
	write(t, filepath.Join(dir, "two"), both)
	for _, given := range []string{"two", dir + "/two", "two/../two", "m.tar.zst", dir + "/m.tar.zst"} {
		_, err := FindPath(given, Options{Dir: dir})
		several, ok := errors.AsType[*SeveralLogsError](err)
		if !ok || !errors.Is(err, ErrSeveralLogs) || len(several.Names) < 2 {
			t.Errorf("%s: got %v, want *SeveralLogsError", given, err)
			continue
		}
		for _, name := range several.Names {
			m, err := FindPath(name, Options{Dir: dir})
			if err != nil || m.Log.State != Present {
				t.Errorf("%s, named for %s: %v", name, given, err)
				continue
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A dedicated directory of segments, with and without the data directory that goes with it.
func TestWalDir(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"logs/" + firstSegment: segment, "logs.tmp/x": "", "data/member/snap/db": database,
	})
	write(t, dir, member("full/"))
	for _, c := range []struct {
		data string
		want []string
	}{
		{"", []string{"log present logs", "snap unknown ", "db unknown ", "unfinished present logs.tmp"}},
		{"data", []string{"log present logs", "snap present data/member/snap",
			"db present data/member/snap/db", "unfinished present logs.tmp", "second missing data/member/wal"}},
		{"data/member", []string{"log present logs", "snap present data/member/snap",
			"db present data/member/snap/db", "unfinished present logs.tmp", "second missing data/member/wal"}},
		{"full", []string{"log present logs", "snap present full/member/snap",
			"db present full/member/snap/db", "unfinished present logs.tmp", "second present full/member/wal"}},
	} {
		m, err := FindPath(c.data, Options{Dir: dir, WalDir: "logs"})
		if err != nil {
			t.Errorf("%q: %v", c.data, err)
			continue
		}
		if diff := cmp.Diff(c.want, found(m)); diff != "" {
			t.Errorf("%q: -want +got\n%s", c.data, diff)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "logs"), filepath.Join(dir, "data", "member", "wal")); err != nil {
		t.Fatal(err)
	}
	for data, wal := range map[string]string{"data": "logs", "full": "full/member/wal"} {
		m, err := FindPath(data, Options{Dir: dir, WalDir: wal})
		if err != nil || m.Second.State != Unknown {
			t.Errorf("%s is told to be a second log beside %s (%v)", m.Second.Name, wal, err)
		}
	}
	if _, err := FindPath("logs/..", Options{Dir: dir, WalDir: "logs"}); err == nil {
		t.Error("a folder that is no data directory was taken for one")
	}
}

// What is missing or can't be read is told as that, and never taken for nothing.
func TestWhatIsNotThere(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}
	for name, c := range map[string]struct {
		files map[string]string
		deny  string
		want  []string
		err   error
	}{
		"no log": {map[string]string{"member/snap/db": database}, "", []string{
			"log missing member/wal", "snap present member/snap", "db present member/snap/db",
			"unfinished missing member/wal.tmp"}, ErrNoLog},
		"etcd died while it created the log": {
			map[string]string{"member/wal.tmp/" + firstSegment: segment, "member/snap/db": database}, "",
			[]string{"log missing member/wal", "snap present member/snap", "db present member/snap/db",
				"unfinished present member/wal.tmp"}, new(UnfinishedError)},
		"no snap": {map[string]string{"member/wal/" + firstSegment: segment}, "", []string{
			"log present member/wal", "snap missing member/snap", "db missing member/snap/db",
			"unfinished missing member/wal.tmp"}, nil},
		"snap can't be read": {member(""), "member/snap", append([]string{
			"log present member/wal", "snap unreadable member/snap", "db unreadable member/snap/db"},
			whole("member")[3:]...), nil},
		"the database can't be read": {member(""), "member/snap/db", append([]string{
			"log present member/wal", "snap present member/snap", "db unreadable member/snap/db"},
			whole("member")[3:]...), nil},
		"the log can't be read": {member(""), "member/wal", append([]string{
			"log unreadable member/wal", "snap present member/snap", "db present member/snap/db"},
			whole("member")[3:]...), fs.ErrPermission},
	} {
		fsys := denyFS{fstest.MapFS{}, c.deny, denied}
		for file, data := range c.files {
			fsys.MapFS[file] = &fstest.MapFile{Data: []byte(data)}
		}
		m, err := Find(fsys, ".", Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, found(m)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if !sameError(m.Log.Err, c.err) {
			t.Errorf("%s: %v, want %v", name, m.Log.Err, c.err)
		}
	}
}

func sameError(err, want error) bool {
	if _, unfinished := want.(*UnfinishedError); unfinished {
		_, ok := errors.AsType[*UnfinishedError](err)
		return ok && errors.Is(err, ErrNoLog)
	}
	return errors.Is(err, want)
}

// denyFS refuses what lies at or below a name.
type denyFS struct {
	fstest.MapFS
	deny string
	err  error
}

func (d denyFS) denied(name string) bool {
	return d.deny != "" && (name == d.deny || strings.HasPrefix(name, d.deny+"/"))
}

func (d denyFS) Open(name string) (fs.File, error) {
	if d.denied(name) {
		return nil, d.err
	}
	return d.MapFS.Open(name)
}

func (d denyFS) Stat(name string) (fs.FileInfo, error) {
	if d.denied(name) {
		return nil, d.err
	}
	return d.MapFS.Stat(name)
}

func (d denyFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if d.denied(name) {
		return nil, d.err
	}
	return d.MapFS.ReadDir(name)
}

// A folder of members of which none can be read is no folder without members.
func TestUnreadableBelow(t *testing.T) {
	fsys := denyFS{fstest.MapFS{}, "m1/member/wal", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}}
	fsys.MapFS["m1/member/wal/"+firstSegment] = &fstest.MapFile{Data: []byte(segment)}
	if _, err := Find(fsys, ".", Options{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want ErrPermission", err)
	}
}

// A file that is no log is named for what it is.
func TestContents(t *testing.T) {
	for want, data := range map[Content]string{
		ContentSnapshot: "\x08\x84\x9a\xb5\x88\x05\x12\x05hello",
		ContentDatabase: database,
		ContentText:     "level=info msg=\"ready to serve\" größe=3\n",
		ContentLFS:      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 64000000\n",
		ContentHTML:     "\n<!DOCTYPE html>\n<title>404</title>",
		ContentXZ:       "\xfd7zXZ\x00\x00\x04",
		ContentBzip2:    "BZh91AY&SY",
		ContentZip:      "PK\x03\x04\x14\x00",
		ContentOther:    "\x01\x02\x03\x04\xff",
	} {
		fsys := fstest.MapFS{"f": {Data: []byte(data)}}
		_, err := Find(fsys, "f", Options{})
		e, ok := errors.AsType[*ContentError](err)
		if !ok || e.Content != want || !errors.Is(err, ErrNoLog) || !strings.Contains(err.Error(), want.String()) {
			t.Errorf("%q: got %v, want %v", data[:min(10, len(data))], err, want)
		}
	}
	// A segment with a damaged head is told by its name, but not what was put in its place.
	for data, ok := range map[string]bool{
		"garbage": true, segment: true, "version https://git-lfs.github.com/spec/v1\n": false,
	} {
		_, err := Find(fstest.MapFS{firstSegment: {Data: []byte(data)}}, firstSegment, Options{})
		if (err == nil) != ok {
			t.Errorf("%q as a segment: %v", data, err)
		}
	}
}

// What real etcds wrote is what is looked for.
func TestRealDirectories(t *testing.T) {
	for _, l := range corpus.Logs(t) {
		m, err := FindPath(l.Dir, Options{})
		if err != nil {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		for _, p := range []Place{m.Log, m.Snap, m.Database} {
			if _, err := os.Stat(p.Name); err != nil || p.State != Present {
				t.Errorf("%s: %s is %v (%v)", l.Name, p.Name, p.State, err)
			}
		}
		if m.Unfinished.State != Missing || len(m.Broken) > 0 {
			t.Errorf("%s: leftovers %v, %v", l.Name, m.Unfinished, m.Broken)
		}
	}
}
