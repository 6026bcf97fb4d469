package restore_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/restore"
)

// backup is what a real etcd has saved, and what it held then.
type backup struct {
	path     string
	keys     any
	revision int64

	afterTxn, afterDelete string // saved before, when the last revision was one of these
}

var backups sync.Map

// backupOf returns a backup of a release with some of everything: keys with a history that is compacted
// in part, transactions, a lease, users, a removed member. It is made once.
func backupOf(t *testing.T, version string) *backup {
	t.Helper()
	once, _ := backups.LoadOrStore(version, sync.OnceValue(func() *backup { return makeBackup(t, version) }))
	b := once.(func() *backup)()
	if b == nil {
		t.Fatalf("no backup of etcd %s", version)
	}
	return b
}

var backupDir string // of all tests

func TestMain(m *testing.M) {
	var err error
	if backupDir, err = os.MkdirTemp("", "restore-test-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(backupDir)
	os.Exit(status)
}

func makeBackup(t *testing.T, version string) *backup {
	s := etcdtest.Start(t, version, t.TempDir(), etcdtest.Quick...)
	waitVersions(s, version)
	for i := range 30 {
		s.Ctl("put", fmt.Sprintf("k%02d", i%12), strings.Repeat(fmt.Sprint(i), 200))
	}
	s.Ctl("compact", "15")
	s.Ctl("del", "k03")
	s.Ctl("lease", "grant", "3600")
	s.Ctl("user", "add", "alice:secret")
	s.Ctl("role", "add", "reader")
	s.Ctl("member", "add", "gone", "--peer-urls", "http://127.0.0.1:1", "--learner")
	var list struct{ Members []struct{ ID uint64 } }
	if err := json.Unmarshal(s.Ctl("member", "list", "-w", "json"), &list); err != nil {
		t.Error(err)
		return nil
	}
	for _, m := range list.Members {
		if m.ID != 0x8e9e05c52164694d {
			s.Ctl("member", "remove", fmt.Sprintf("%x", m.ID))
		}
	}
	s.CtlIn("\nput t1 a\nput t2 b\nput t3 c\n\n\n", "txn", "--interactive=false")
	b := &backup{}
	save := func(name string) string {
		path := filepath.Join(backupDir, version+name+".db")
		s.Ctl("snapshot", "save", path)
		return path
	}
	b.afterTxn = save("-txn")
	s.Ctl("del", "t2")
	b.afterDelete = save("-delete")
	s.Ctl("put", "last", "one")
	b.path = save("")
	b.keys, b.revision = keysOf(t, s)
	s.Stop()
	return b
}

// waitVersions waits until a server has written its storage version, which takes it some seconds.
func waitVersions(s *etcdtest.Server, version string) {
	want := `"storageVersion":"` + version
	for version >= "3.6" && !bytes.Contains(s.Ctl("endpoint", "status", "-w", "json"), []byte(want)) {
		time.Sleep(50 * time.Millisecond)
	}
}

// keysOf returns all keys of a server, with their revisions, and its revision.
func keysOf(t *testing.T, s *etcdtest.Server) (keys any, revision int64) {
	t.Helper()
	var got struct {
		Header struct{ Revision int64 }
		Kvs    any
	}
	if err := json.Unmarshal(s.Ctl("get", "", "--from-key", "-w", "json"), &got); err != nil {
		t.Fatal(err)
	}
	return got.Kvs, got.Header.Revision
}

// tool runs etcdutl of a release.
func tool(t *testing.T, version string, args ...string) string {
	t.Helper()
	out, err := exec.Command(etcdtest.Binary(t, version, "etcdutl"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("etcdutl %s %q: %v: %s", version, args, err, out)
	}
	return string(out)
}

// asked is a restore as the flags of etcdutl ask for it.
type asked struct {
	file     string
	cluster  string
	token    string
	name     string
	skipHash bool
	bump     int64
	dir      string // the data directory; a new one if it is empty
	edit     func(o *restore.Options)
}

func (q asked) withDefaults(t *testing.T) asked {
	if q.cluster == "" {
		q.cluster, q.name = "default=http://localhost:2380", "default"
	}
	if q.token == "" {
		q.token = "etcd-cluster"
	}
	if q.dir == "" {
		q.dir = filepath.Join(t.TempDir(), "data")
	}
	return q
}

// options are those of package restore.
func (q asked) options(t *testing.T) restore.Options {
	t.Helper()
	base, err := restore.OpenBase(t.Context(), vfs.DirFS(vfs.OS, filepath.Dir(q.file)), filepath.Base(q.file),
		restore.BaseOptions{SkipHash: q.skipHash})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = base.Close() })
	c, err := restore.ParseCluster(q.cluster, q.token)
	if err != nil {
		t.Fatal(err)
	}
	o := restore.Options{FS: vfs.OS, Base: base, Cluster: c, Bump: q.bump, MarkCompacted: q.bump > 0,
		Targets: []restore.Target{{Name: q.name, DataDir: q.dir}}}
	if q.edit != nil {
		q.edit(&o)
	}
	return o
}

// ours restores with package restore and returns the data directory.
func (q asked) ours(t *testing.T, as restore.Release) string {
	t.Helper()
	dir, _ := q.planned(t, as)
	return dir
}

// planned is ours, and returns the plan as well.
func (q asked) planned(t *testing.T, as restore.Release) (string, *restore.Plan) {
	t.Helper()
	q = q.withDefaults(t)
	o := q.options(t)
	o.As = as
	p, err := restore.NewPlan(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return q.dir, p
}

// theirs restores with etcdutl.
func (q asked) theirs(t *testing.T, as restore.Release) string {
	t.Helper()
	q = q.withDefaults(t)
	args := []string{"snapshot", "restore", q.file, "--data-dir", q.dir, "--name", q.name,
		"--initial-cluster", q.cluster, "--initial-cluster-token", q.token}
	for _, pair := range strings.Split(q.cluster, ",") {
		if name, url, _ := strings.Cut(pair, "="); name == q.name {
			args = append(args, "--initial-advertise-peer-urls", url)
		}
	}
	if q.skipHash {
		args = append(args, "--skip-hash-check")
	}
	if q.bump > 0 {
		args = append(args, "--bump-revision", fmt.Sprint(q.bump), "--mark-compacted")
	}
	tool(t, as.String(), args...)
	return q.dir
}

func databaseOf(dir string) string { return filepath.Join(dir, "member", "snap", "db") }

// items are all items of a database, as "bucket/key=value" in hex.
func items(t *testing.T, path string) []string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var list []string
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("%s: %v", path, err)
		}
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			list = append(list, string(name))
			return b.ForEach(func(k, v []byte) error {
				list = append(list, fmt.Sprintf("%s/%q=%q", name, k, v))
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const segmentName = "0000000000000000-0000000000000000.wal"

// segment is the log of a data directory, which is one file.
func segment(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "member", "wal", segmentName))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	t.Errorf("%s: %d bytes, want %d; they differ at %d", what, len(got), len(want), at)
}
