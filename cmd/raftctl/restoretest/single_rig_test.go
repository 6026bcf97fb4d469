package restoretest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// old is a cluster of one member that was: its backup, its disk as kill -9 left it, and its history.
type old struct {
	*history
	version string
	seed    uint64
	backup  string
	dir     string // the data directory
	base    int    // the moment of the backup
}

// startOld starts the cluster.
func startOld(t *testing.T, version string, args ...string) (*writer, *etcdtest.Server, *old) {
	t.Helper()
	o := &old{version: version, dir: filepath.Join(t.TempDir(), "old")}
	s := etcdtest.Start(t, version, o.dir, append(args, bootFlags...)...)
	w := newWriter(t, s.Endpoint)
	o.history, o.backup = w.history, filepath.Join(t.TempDir(), "backup.db")
	return w, s, o
}

// save saves a backup as etcdctl does. The backup may have applied entries behind the last moment before it, of
// versions and logins, so that it has a moment of its own.
func (o *old) save(s *etcdtest.Server, w *writer) {
	w.t.Helper()
	args := []string{"snapshot", "save", o.backup}
	if w.now.Auth {
		args = append([]string{"--user", "root:" + rootPassword}, args...)
	}
	s.Ctl(args...)
	w.ack("backup", w.now.Rev)
	o.base = len(o.moments) - 1
}

// lived lets a cluster of one live: some of everything before and after a backup, until it is killed in
// the middle of its writes. Authentication is turned on before the backup or after.
func lived(t *testing.T, version string, seed uint64) *old {
	t.Helper()
	t.Logf("etcd %s, RAFTCTL_SEED=%d", version, seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var args []string
	if version == "3.5" {
		args = []string{"--enable-v2"}
	}
	w, s, o := startOld(t, version, args...)
	o.seed = seed
	w.random(rng, 30)
	kept, before := w.grant(1), w.grant(2)
	w.put("leased/before", before)
	w.put("leased/kept", kept)
	w.keepAlive(kept)
	w.put("pods/1", 0)
	w.put("pods/2", 0)
	w.changeMembers()
	w.expire("session/1")
	w.compact(max(w.now.Rev/3, w.now.Compacted+1))
	early := (seed+uint64(version[len(version)-1]))%2 == 0
	if early {
		w.setUpAuth()
	}
	o.save(s, w)

	w.random(rng, 15)
	if version == "3.5" {
		putV2(t, s.URL())
	}
	w.keepAlive(kept)
	w.changeMembers()
	w.put("victim", 0)
	w.del("victim", false)
	w.put("pods/1", 0)
	w.txnDelete("pods/1", true)
	w.txnDelete("pods/1", false)
	w.put("session/2", 0)
	after := w.grant(3)
	w.put("leased/after", after)
	w.revoke(before)
	w.compact(max(w.now.Rev-10, w.now.Compacted+1))
	w.random(rng, 15)
	if !early {
		w.setUpAuth()
	}
	w.random(rng, 15)
	w.expire("session/3")
	w.killed(s)
	return o
}

// lastWrites is how many writes come right before a kill.
const lastWrites = 5

// killed kills the server right after the last write was acknowledged.
func (w *writer) killed(s *etcdtest.Server) {
	w.t.Helper()
	for i := range lastWrites {
		w.putLast(fmt.Sprintf("a/%d", i))
	}
	s.Kill()
}

// contents is every file below a folder, to be compared.
func contents(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			info, _ := d.Info()
			files[path] = fmt.Sprint(info.ModTime(), len(b)) + strings.TrimRight(string(b), "\x00")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// unchanged reports, when the test ends, what was changed in what is restored from.
func unchanged(t *testing.T, dirs ...string) {
	t.Helper()
	before := contents(t, dirs...)
	t.Cleanup(func() {
		after := contents(t, dirs...)
		for path, b := range after {
			if before[path] != b {
				t.Errorf("%s was changed, or is new", path)
			}
		}
		if len(after) < len(before) {
			t.Errorf("of %d files %d are left", len(before), len(after))
		}
	})
}
