package perf

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/internal/dbtest"
)

// bigDB is a database of puts. It is a bigLog of one file.
func newBigDB(tb testing.TB, valueSize int) bigLog {
	tb.Helper()
	return newBigDBAt(tb, valueSize, 0)
}

// newBigDBAt returns the database with some changes made at its end: to every key whose number is
// less than changed in 1000. It is made once, by etcd's own store, and kept in build/bench.
func newBigDBAt(tb testing.TB, valueSize, changed int) bigLog {
	tb.Helper()
	want := logBytes(tb)
	path := filepath.Join(buildDir(), "bench", fmt.Sprintf("db-%d-%d-%d", valueSize, changed, want))
	if _, err := os.Stat(path); err != nil {
		makeDB(tb, path, valueSize, changed)
	}
	info, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	return bigLog{dir: path, files: []string{path}, size: info.Size()}
}

// makeDB writes keys as Kubernetes has them, one in eight of which is written twice, with values half of
// whose bytes are random: they can be compressed, but not by much. It is compacted in the middle.
func makeDB(tb testing.TB, path string, valueSize, changed int) {
	tb.Helper()
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	tmp := path + ".part"
	check(os.MkdirAll(filepath.Dir(path), 0o755))
	check(os.RemoveAll(tmp))
	s := dbtest.New(tb, tmp)
	rng := rand.NewChaCha8([32]byte{byte(valueSize)})
	keys := int(logBytes(tb)) / (valueSize + 160) * 8 / 9
	for i := range keys {
		rev := s.Put(podKey(i), podValue(rng, valueSize), 0)
		if i%8 == 0 {
			rev = s.Put(podKey(i/2), podValue(rng, valueSize), 0)
		}
		if i == keys/2 {
			s.Compact(rev)
		}
	}
	for i := range keys {
		if i%1000 < changed {
			s.Put(podKey(i), podValue(rng, valueSize), 0)
		}
	}
	s.Close()
	check(os.Rename(tmp, path))
}

func podKey(i int) string { return fmt.Sprintf("/registry/pods/ns-%02d/web-%08d", i%40, i) }

func podValue(rng *rand.ChaCha8, size int) string {
	const text = `{"kind":"Pod","metadata":{"labels":{"app":"web"}},"status":"`
	const digits = "0123456789abcdef"
	value := make([]byte, 0, size+len(text))
	value = append(value, text...)
	for len(value) < size {
		value = append(value, digits[rng.Uint64()&15])
	}
	return string(value[:size])
}
