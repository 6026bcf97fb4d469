package etcdlog

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// provocation is what makes real servers write a line that they end on, or that they warn with.
type provocation struct {
	releases []string
	log      func(t *testing.T, release string) (log string) // what was printed
}

// onFiles makes a server write some files, spoils them, and starts it again.
func onFiles(spoil func(t *testing.T, dir string)) func(t *testing.T, release string) string {
	return func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, release, dir, quickly("--snapshot-count", "5")...)
		for range 12 {
			s.Ctl("put", "key", "value")
		}
		s.Stop()
		spoil(t, dir)
		return watch(t, release, dir)
	}
}

func quickly(args ...string) []string {
	return append(append([]string(nil), etcdtest.Quick...), args...)
}

// watch starts a server on files, and returns what it printed, with the place of the files as in the field.
func watch(t *testing.T, release, dir string, args ...string) string {
	t.Helper()
	log, _ := etcdtest.Watch(t, release, dir, time.Second, quickly(args...)...)
	return strings.ReplaceAll(log, dir, "/var/lib/etcd")
}

const segment = "wal/0000000000000000-0000000000000000.wal"

func below(dir, name string) string { return filepath.Join(dir, "member", filepath.FromSlash(name)) }

// locate returns where the record of an entry lies, and the view of the log.
func locate(t *testing.T, dir string, index uint64) (off int64, v *wal.View) {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	if v, err = log.View(t.Context()); err != nil {
		t.Fatal(err)
	}
	if index == 0 {
		return 0, v
	}
	at, err := v.Locate(index)
	if err != nil {
		t.Fatal(err)
	}
	return at.Off, v
}

// overwrite writes bytes into a file.
func overwrite(t *testing.T, name string, off int64, b ...byte) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err == nil {
		_, err = f.WriteAt(b, off)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func setIndex(t *testing.T, name string, index uint64) {
	t.Helper()
	dbtest.Edit(t, name, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, index))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}

// rewrite writes a log anew, through change, which says what becomes of each record.
func rewrite(t *testing.T, dir string, change func(r *wal.Record) (keep bool)) {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	must(t, err)
	defer func() { _ = log.Close() }()
	o, err := log.CreateOptions()
	must(t, err)
	w, err := wal.Create(vfs.OS, below(dir, "new"), o)
	must(t, err)
	records := func(yield func(*wal.Record, error) bool) {
		for r, err := range log.Records(wal.Inspect) {
			if err == nil && !change(r) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
	must(t, wal.Copy(w, records))
	must(t, w.Close())
	must(t, os.RemoveAll(below(dir, "wal")))
	must(t, os.Rename(below(dir, "new"), below(dir, "wal")))
}

// appendTo appends an entry to a log.
func appendTo(t *testing.T, dir string, typ raftpb.EntryType, data []byte) {
	t.Helper()
	_, v := locate(t, dir, 0)
	w, _, err := wal.OpenForAppend(vfs.OS, below(dir, "wal"), wal.AppendOptions{})
	must(t, err)
	st := v.State
	st.Commit = v.LastIndex() + 1
	must(t, w.Append(st, []raftpb.Entry{{Type: typ, Term: st.Term, Index: st.Commit, Data: data}}))
	must(t, w.Close())
}

var all = etcdtest.Versions

// provocations are those that need one server, or one after the other.
var provocations = map[string]provocation{
	"crc": {all, onFiles(func(t *testing.T, dir string) {
		off, _ := locate(t, dir, 9)
		overwrite(t, below(dir, segment), off+30, 0xff)
	})},
	"zeroed": {all, onFiles(func(t *testing.T, dir string) {
		const sector, frame = 512, 80
		index := uint64(5)
		off, _ := locate(t, dir, index)
		for off%sector+frame > sector { // across sectors it may pass for an unfinished write
			index++
			off, _ = locate(t, dir, index)
		}
		overwrite(t, below(dir, segment), off+8, make([]byte, 24)...)
	})},
	"length": {[]string{"3.4", "3.5.6", "3.6"}, func(t *testing.T, release string) string {
		dir := corpus.Copy(t, map[string]string{"3.4": "c34-1n-clean", "3.5.6": "c35-3m-clean", "3.6": "c36-leasecp-1n-clean"}[release])
		if release == "3.5.6" {
			dir = filepath.Join(dir, "m4")
		}
		_, v := locate(t, dir, 0)
		off, _ := locate(t, dir, v.Last.Index)
		if release == "3.5.6" {
			must(t, os.Truncate(below(dir, segment), off+20))
		} else {
			overwrite(t, below(dir, segment), off+3, 0x70)
		}
		return watch(t, release, dir)
	}},
	"snapdb": {all, onFiles(func(t *testing.T, dir string) { setIndex(t, below(dir, "snap/db"), 2) })},
	"snapdb-older": {all, onFiles(func(t *testing.T, dir string) {
		setIndex(t, below(dir, "snap/db"), 2)
		ids, err := snapshot.List(os.DirFS(below(dir, "snap")), ".")
		must(t, err)
		copyFile(t, below(dir, "snap/db"), below(dir, "snap/"+snapshot.DBFileName(ids[0].Index)))
	})},
	"no-segment": {all, func(t *testing.T, release string) string {
		dir := corpus.Copy(t, "c36-multiseg-1n-clean")
		names, err := filepath.Glob(below(dir, "wal/*.wal"))
		must(t, err)
		for _, name := range names[:len(names)-1] {
			must(t, os.Remove(name))
		}
		snaps, err := filepath.Glob(below(dir, "snap/*.snap"))
		must(t, err)
		for _, name := range snaps {
			must(t, os.Remove(name))
		}
		return watch(t, release, dir)
	}},
	"removed": {[]string{"3.5", "3.6", "3.7"}, func(t *testing.T, release string) string {
		dir := corpus.Copy(t, map[string]string{"3.5": "c35-3m-clean", "3.6": "c36-3m-clean", "3.7": "c37-3m-clean"}[release])
		return watch(t, release, dir+"/m5")
	}},
	"newer": {[]string{"3.4", "3.5", "3.6"}, func(t *testing.T, release string) string {
		dir := corpus.Copy(t, map[string]string{"3.4": "chain-1n-after35", "3.5": "chain-1n-after36", "3.6": "c37-3m-clean"}[release])
		if release == "3.6" {
			dir += "/m4"
		}
		return watch(t, release, dir)
	}},
	"v2": {[]string{"3.6", "3.7"}, func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, "3.5", dir, quickly("--enable-v2")...)
		must(t, exec.Command("curl", "-sf", "-XPUT", s.URL()+"/v2/keys/foo", "-d", "value=bar").Run())
		s.Stop()
		return watch(t, release, dir)
	}},
	"v2-store": {[]string{"3.6"}, func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, "3.5", dir, quickly("--enable-v2", "--snapshot-count", "3")...)
		must(t, exec.Command("curl", "-sf", "-XPUT", s.URL()+"/v2/keys/foo", "-d", "value=bar").Run())
		for range 8 {
			s.Ctl("put", "key", "value")
		}
		s.Stop()
		return watch(t, release, dir)
	}},
	"undecodable": {all, onFiles(func(t *testing.T, dir string) {
		appendTo(t, dir, raftpb.EntryNormal, []byte{0x0b, 1, 2})
	})},
	"no-header": {all, onFiles(func(t *testing.T, dir string) {
		appendTo(t, dir, raftpb.EntryNormal, []byte{0x22, 0})
	})},
	"conf-change": {all, onFiles(func(t *testing.T, dir string) {
		cc := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: 7, Context: []byte("x")}
		appendTo(t, dir, raftpb.EntryConfChange, cc.Marshal(raftpb.FlavorGogo))
	})},
	"no-voter": {all, onFiles(func(t *testing.T, dir string) {
		_, v := locate(t, dir, 0)
		cc := raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: v.Metadata.NodeID}
		appendTo(t, dir, raftpb.EntryConfChange, cc.Marshal(raftpb.FlavorGogo))
	})},
	"gap": {all, func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, release, dir, etcdtest.Quick...)
		for range 60 {
			s.Ctl("put", "key", "value")
		}
		s.Stop()
		rewrite(t, dir, func(r *wal.Record) bool { return r.Kind != wal.KindEntry || r.ID.Index < 7 || r.ID.Index > 55 })
		return watch(t, release, dir)
	}},
	"commit": {all, func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, release, dir, etcdtest.Quick...)
		for range 9 {
			s.Ctl("put", "key", "value")
		}
		s.Stop()
		_, v := locate(t, dir, 0)
		rewrite(t, dir, func(r *wal.Record) bool {
			if r.Kind == wal.KindState {
				st := v.State
				st.Commit += 100
				r.Data = st.Marshal(raftpb.FlavorGogo)
			}
			return true
		})
		return watch(t, release, dir)
	}},
	"metadata": {all, func(t *testing.T, release string) string {
		dir := corpus.Copy(t, "c36-multiseg-1n-clean")
		names, err := filepath.Glob(below(dir, "wal/*.wal"))
		must(t, err)
		b, err := os.ReadFile(names[len(names)-1])
		must(t, err)
		overwrite(t, names[len(names)-1], 16+8+10, b[16+8+10]^1)
		return watch(t, release, dir)
	}},
	"snap": {all, onFiles(func(t *testing.T, dir string) {
		names, err := filepath.Glob(below(dir, "snap/*.snap"))
		must(t, err)
		for _, name := range names {
			overwrite(t, name, 40, 0xff, 0xff)
		}
	})},
	"db-meta": {all, onFiles(func(t *testing.T, dir string) {
		for page := range int64(2) {
			overwrite(t, below(dir, "snap/db"), page*4096+16, make([]byte, 64)...)
		}
	})},
	"db-page": {all, onFiles(func(t *testing.T, dir string) {
		for page := int64(2); page < 12; page++ {
			overwrite(t, below(dir, "snap/db"), page*4096, make([]byte, 64)...)
		}
	})},
	"db-short": {all, onFiles(func(t *testing.T, dir string) { must(t, os.Truncate(below(dir, "snap/db"), 8192)) })},
	"db-empty": {all, onFiles(func(t *testing.T, dir string) { must(t, os.Truncate(below(dir, "snap/db"), 1000)) })},
	"no-db":    {all, onFiles(func(t *testing.T, dir string) { must(t, os.Remove(below(dir, "snap/db"))) })},
	"permission": {all, func(t *testing.T, release string) string {
		name := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(name, nil, 0o600))
		return strings.ReplaceAll(watch(t, release, name), name, "/var/lib/etcd")
	}},
	"locked": {all, func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, release, dir, etcdtest.Quick...)
		other := t.TempDir()
		must(t, os.MkdirAll(below(other, "snap"), 0o700))
		log := watch(t, release, other, "--wal-dir", below(dir, "wal"))
		s.Stop()
		return strings.ReplaceAll(log, dir, "/var/lib/etcd")
	}},
	"address": {all, func(t *testing.T, release string) string {
		s := etcdtest.Start(t, release, t.TempDir(), etcdtest.Quick...)
		return watch(t, release, t.TempDir(), "--listen-client-urls", s.URL())
	}},
	"quota": {all, func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, release, dir, quickly("--quota-backend-bytes", "100000")...)
		for range 30 {
			_ = exec.Command(etcdtest.Binary(t, release, "etcdctl"), "--endpoints", s.URL(), "put", "a", strings.Repeat("x", 9000)).Run()
		}
		_ = exec.Command("curl", "-s", s.URL()+"/health").Run()
		s.Stop()
		log := s.Log()
		return strings.ReplaceAll(log, dir, "/var/lib/etcd")
	}},
	"names": {all, func(t *testing.T, release string) string {
		return watch(t, release, t.TempDir(), "--name", "m1", "--initial-cluster", "m2=http://127.0.0.1:2380")
	}},
	"nobody": {all, func(t *testing.T, release string) string {
		return watch(t, release, t.TempDir(), "--name", "m1", "--initial-cluster", "m1=http://127.0.0.1:1,m2=http://127.0.0.1:2",
			"--initial-advertise-peer-urls", "http://127.0.0.1:1", "--initial-cluster-state", "existing")
	}},
}
