package datadir

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const snapFile = "\x08\x01\x12\x00"

func compressed(t *testing.T, data string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tarred returns an archive of files.
func tarred(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a path leads to where a state is wanted: a file, or what lies in a directory.
func TestFindState(t *testing.T) {
	root := t.TempDir()
	secondMeta := strings.Repeat("\x00", 4096) + database
	files := map[string]string{
		"saved.db": database, "any name": database, "saved.db.zst": compressed(t, database),
		"damaged.db": strings.Repeat("\xff", 64), "damaged": secondMeta, "x.snap.zst": compressed(t, snapFile),
		"0000000000000002-0000000000000006.snap": snapFile, "damaged.snap": "\xff\xff\xff", "a.tar": tarred(t, member("m1/")),
		"both.tar": tarred(t, map[string]string{"m1/member/snap/db": database, "m2/member/snap/db": database}),
		"one.tar":  tarred(t, map[string]string{"backup.db": database}),
		"text.db":  "a text", "notes.txt": "a text", "segment.wal": segment, "empty": "", "snaps/x/db": database,
		"nolog/member/snap/db": database, "hollow/other": "x", "two/m1/member/snap/db": database, "two/m2/member/snap/db": database,
	}
	for name, data := range member("data/") {
		files[name] = data
	}
	write(t, root, files)
	for path, tc := range map[string]struct {
		want    string // what is found: the file, or the database
		content Content
		err     error
	}{
		"saved.db":                               {"saved.db", ContentDatabase, nil},
		"any name":                               {"any name", ContentDatabase, nil},
		"saved.db.zst":                           {"saved.db.zst", ContentDatabase, nil},
		"damaged.db":                             {"damaged.db", ContentDatabase, nil},
		"damaged":                                {"damaged", ContentDatabase, nil},
		"0000000000000002-0000000000000006.snap": {"0000000000000002-0000000000000006.snap", ContentSnapshot, nil},
		"damaged.snap":                           {"damaged.snap", ContentSnapshot, nil},
		"x.snap.zst":                             {"x.snap.zst", ContentSnapshot, nil},
		"one.tar/backup.db":                      {"one.tar/backup.db", ContentDatabase, nil},
		"a.tar/m1/member/snap/db":                {"a.tar/m1/member/snap/db", ContentDatabase, nil},
		"a.tar":                                  {"a.tar/m1/member/snap/db", 0, nil},
		"a.tar/m1":                               {"a.tar/m1/member/snap/db", 0, nil},
		"data":                                   {"data/member/snap/db", 0, nil},
		"data/member":                            {"data/member/snap/db", 0, nil},
		"data/member/snap":                       {"data/member/snap/db", 0, nil},
		"data/member/wal":                        {"data/member/snap/db", 0, nil},
		"snaps/x":                                {"snaps/x/db", 0, nil},
		"nolog":                                  {"nolog/member/snap/db", 0, nil},
		"two":                                    {"", 0, ErrSeveralLogs},
		"both.tar":                               {"", 0, ErrSeveralLogs},
		"text.db":                                {"", 0, ErrNoState},
		"notes.txt":                              {"", 0, ErrNoState},
		"segment.wal":                            {"", 0, ErrNoState},
		"hollow":                                 {"", 0, ErrNoState},
		"empty":                                  {"", 0, ErrEmpty},
		"missing":                                {"", 0, os.ErrNotExist},
	} {
		t.Run(path, func(t *testing.T) {
			m, err := FindPath(path, Options{Dir: root, State: true})
			if tc.err != nil {
				if !errors.Is(err, tc.err) {
					t.Fatalf("got %v, want %v", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			p := m.Database
			if tc.content != 0 {
				p = m.File
			}
			if p.State != Present || p.Name != filepath.FromSlash(tc.want) || m.Content != tc.content {
				t.Errorf("got %+v, content %v", p, m.Content)
			}
			f, err := p.FS.Open(p.Path)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.Close() // opened for reading
		})
	}
}

// Segments in an archive are unpacked only if the log is wanted as well.
func TestStateWithLog(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"a.tar.zst": compressed(t, tarred(t, member("m1/")))})
	for _, wanted := range []bool{false, true} {
		m, err := FindPath("a.tar.zst", Options{Dir: root, State: true, Log: wanted})
		if err != nil {
			t.Fatal(err)
		}
		if m.Log.State != Present {
			t.Fatalf("the log is %v: %v", m.Log.State, m.Log.Err)
		}
		f, err := m.Log.FS.Open(m.Log.Path + "/" + firstSegment)
		if (err == nil) != wanted {
			t.Errorf("wanted %v: %v", wanted, err)
		}
		if err == nil {
			_ = f.Close() // opened for reading
		}
		_ = m.Close() // likewise
	}
}
