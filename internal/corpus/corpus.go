package corpus

import (
	"encoding/hex"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

const archiveSuffix = ".tar.zst"

// Log is the data directory of one etcd member.
type Log struct {
	// Name is the archive's name, followed by "-" and the member's where the archive holds several:
	// c36-3m-clean-m1. The golden files about it begin with this name.
	Name string
	Dir  string // the data directory: it holds member/wal and member/snap
}

// Names returns the names of all archives, sorted.
func Names() []string {
	paths, err := filepath.Glob(filepath.Join(root(), "testdata", "*"+archiveSuffix))
	if err != nil {
		return nil // the pattern is constant and well formed
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(p), archiveSuffix)
	}
	slices.Sort(names)
	return names
}

// Archive returns the path of an archive.
func Archive(name string) string { return filepath.Join(root(), "testdata", name+archiveSuffix) }

// Dir unpacks the archive and returns the path of the one folder in it. The folder is shared by all
// tests and must not be changed.
func Dir(tb testing.TB, name string) string {
	tb.Helper()
	dir, err := shared(Archive(name))
	if err != nil {
		tb.Fatalf("corpus %s: %v", name, err)
	}
	return only(tb, dir)
}

// Copy unpacks the archive into a folder of the test's own, which goes with the test, and returns
// the path of the one folder in it.
func Copy(tb testing.TB, name string) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := unpack(Archive(name), dir); err != nil {
		tb.Fatalf("corpus %s: %v", name, err)
	}
	return only(tb, dir)
}

// Logs unpacks every archive and returns the data directories in them, sorted by name. They are
// shared, as those of [Dir] are.
func Logs(tb testing.TB) []Log {
	tb.Helper()
	var logs []Log
	for _, name := range Names() {
		logs = append(logs, members(tb, name)...)
	}
	return logs
}

func members(tb testing.TB, name string) []Log {
	tb.Helper()
	dir := Dir(tb, name)
	if isDataDir(dir) {
		return []Log{{Name: name, Dir: dir}}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var logs []Log
	for _, e := range entries {
		if sub := filepath.Join(dir, e.Name()); isDataDir(sub) {
			logs = append(logs, Log{Name: name + "-" + e.Name(), Dir: sub})
		}
	}
	return logs
}

func isDataDir(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "member", "wal"))
	return err == nil && info.IsDir()
}

// Golden returns the contents of one golden file, such as "c36-3m-clean-m1.raw.txt".
func Golden(tb testing.TB, name string) []byte {
	tb.Helper()
	b, ok := LookupGolden(tb, name)
	if !ok {
		tb.Fatalf("no golden file %s", name)
	}
	return b
}

// LookupGolden is [Golden] for a file that may not exist.
func LookupGolden(tb testing.TB, name string) ([]byte, bool) {
	tb.Helper()
	for _, archive := range goldenArchives() {
		if !strings.HasPrefix(name, strings.TrimSuffix(filepath.Base(archive), archiveSuffix)) {
			continue
		}
		dir, err := shared(archive)
		if err != nil {
			tb.Fatalf("golden %s: %v", name, err)
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			return b, true
		}
	}
	return nil, false
}

func goldenArchives() []string {
	paths, err := filepath.Glob(filepath.Join(root(), "testdata", "golden", "*"+archiveSuffix))
	if err != nil {
		return nil // the pattern is constant and well formed
	}
	return paths
}

// root returns the path of the module.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// unpacked holds, by the archive's path, a function that unpacks it once in this process.
var unpacked sync.Map

// shared unpacks an archive into build/corpus, unless an earlier process has, and returns where.
func shared(archive string) (string, error) {
	once, _ := unpacked.LoadOrStore(archive, sync.OnceValues(func() (string, error) {
		return unpackShared(archive)
	}))
	return once.(func() (string, error))()
}

// unpackShared unpacks under a name that holds the digest of the archive, so that a changed archive
// is unpacked anew. Processes that do so at the same time end up with the same folder.
func unpackShared(archive string) (string, error) {
	packed, err := os.ReadFile(archive)
	if err != nil {
		return "", err
	}
	sum := fnv.New128a()
	_, _ = sum.Write(packed) // a hash never fails
	parent := filepath.Join(root(), "build", "corpus")
	name := strings.TrimSuffix(filepath.Base(archive), archiveSuffix)
	if filepath.Base(filepath.Dir(archive)) == "golden" {
		name += ".golden"
	}
	dir := filepath.Join(parent, name+"-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(parent, "unpacking-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // gone already where the rename succeeded
	if err := unpack(archive, tmp); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, statErr := os.Stat(dir); statErr != nil {
			return "", err
		}
	}
	return dir, nil
}

// only returns the path of the single entry of dir.
func only(tb testing.TB, dir string) string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	if len(entries) != 1 || !entries[0].IsDir() {
		tb.Fatalf("%s: %d entries, want one folder", dir, len(entries))
	}
	return filepath.Join(dir, entries[0].Name())
}
