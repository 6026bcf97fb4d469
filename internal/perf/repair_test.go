package perf

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// BenchmarkDiagnose makes all checks on a healthy log, beside what 'wal verify' does with it. The database is
// there, so that log and database are set side by side.
func BenchmarkDiagnose(b *testing.B) {
	eachLog(b, func(b *testing.B, l bigLog) {
		dir := withDatabase(b, l)
		run := func(name string, once func()) {
			b.Run("impl="+name, func(b *testing.B) {
				l.warm(b)
				b.SetBytes(l.size)
				for b.Loop() {
					once()
				}
			})
		}
		run("ours", func() {
			m := openMember(b, dir)
			defer m.Close()
			d, err := repair.Diagnose(b.Context(), repair.DiagnoseOptions{}, m)
			if err != nil || d.Members[0].DatabaseReport == nil {
				b.Fatal(err, d)
			}
		})
		run("wal-verify", func() {
			log, err := wal.Open(os.DirFS(l.dir), ".")
			if err != nil {
				b.Fatal(err)
			}
			defer log.Close()
			if _, err := outlook.Examine(b.Context(), log, outlook.Options{}); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// withDatabase returns a data directory with the log, and a database that has applied all of it.
func withDatabase(b *testing.B, l bigLog) string {
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "member", "snap"), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(l.dir, "member", "wal"), filepath.Join(dir, "member", "wal")); err != nil {
		b.Fatal(err)
	}
	log, err := wal.Open(os.DirFS(l.dir), ".")
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	view, err := log.View(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(dir, "member", "snap", "db")
	dbtest.New(b, name).Close()
	dbtest.Edit(b, name, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, view.Last.Index))
	})
	return dir
}

func openMember(b *testing.B, dir string) *repair.Member {
	m, err := repair.Open(b.Context(), dir, repair.OpenOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// wounds are damages to a log: one that is corrected in its place, and one behind which all is written anew.
var wounds = []struct {
	name string
	edit func(b []byte)
}{
	{"bit", func(b []byte) { b[0] ^= 4 }},
	{"bytes", func(b []byte) {
		for i := range b {
			b[i] = ^b[i]
		}
	}},
}

// BenchmarkRepair repairs a log with one damage in its middle, from the first look at it to the new directory, beside
// copying it with sync. Where bytes are wrong that nothing tells, the entry is replaced, and half of the log is
// written anew.
func BenchmarkRepair(b *testing.B) {
	l := newBigLog(b, 1<<10)
	for _, w := range wounds {
		dir := wounded(b, l, w.edit)
		out := filepath.Join(b.TempDir(), "out")
		run := func(name string, once func()) {
			b.Run("damage="+w.name+"/impl="+name, func(b *testing.B) {
				l.warm(b)
				b.SetBytes(l.size)
				for b.Loop() {
					once()
					b.StopTimer()
					if err := os.RemoveAll(out); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			})
		}
		run("ours", func() { repairTo(b, dir, out) })
		run("copy-sync", func() { copySync(b, filepath.Join(dir, "member", "wal"), out) })
	}
}

// wounded copies a log and damages it in the middle of its segment in the middle.
func wounded(b *testing.B, l bigLog, edit func([]byte)) string {
	dir := filepath.Join(b.TempDir(), "member-with-damage")
	if err := os.CopyFS(dir, os.DirFS(l.dir)); err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(dir, "member", "wal", filepath.Base(l.files[len(l.files)/2]))
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	bytes, off := make([]byte, 64), int64(wal.SegmentSize/2)
	if len(l.files) == 1 {
		off = l.size / 2
	}
	if _, err := f.ReadAt(bytes, off); err != nil {
		b.Fatal(err)
	}
	edit(bytes)
	if _, err := f.WriteAt(bytes, off); err != nil {
		b.Fatal(err)
	}
	return dir
}

func repairTo(b *testing.B, dir, out string) {
	m := openMember(b, dir)
	defer m.Close()
	p, err := repair.NewPlan(b.Context(), m, repair.PlanOptions{AcceptLoss: true})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.Apply(b.Context(), m, repair.ApplyOptions{Output: out, Now: time.Now()}); err != nil {
		b.Fatal(err)
	}
}

// copySync copies the files of a folder, one after the other, each synced.
func copySync(b *testing.B, dir, out string) {
	if err := os.MkdirAll(out, 0o700); err != nil {
		b.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		in, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			b.Fatal(err)
		}
		to, err := os.Create(filepath.Join(out, e.Name()))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(to, in); err != nil {
			b.Fatal(err)
		}
		if err := to.Sync(); err != nil {
			b.Fatal(err)
		}
		in.Close()
		to.Close()
	}
}
