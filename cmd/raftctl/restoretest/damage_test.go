package restoretest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// nothingIn checks that nothing was made in a folder.
func nothingIn(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was left", e.Name())
	}
}

// refuses checks that a restore ends with a status and a text, and leaves nothing.
func refuses(t *testing.T, want int, text string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, more := range []string{"--dry-run", "--rehearse"} {
		status, out, errs := run(t, append(slices.Clone(args), more, "--data-dir", filepath.Join(dir, "new"))...)
		if status != want || !strings.Contains(errs, text) || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q %s: exit status %d, want %d and %q: %s%s", args, more, status, want, text, errs, out)
		}
		nothingIn(t, dir)
	}
}

// copied is a copy of a data directory.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// spoil flips a bit in an entry of a log.
func spoil(t *testing.T, dir string, index uint64) {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), "member/wal")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pos, err := view.Locate(index)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "member", "wal", filepath.Base(pos.Segment))
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[pos.Off+20] ^= 4
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// without is a log of the same member that begins behind an entry.
func without(t *testing.T, dir string, upTo uint64) string {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), "member/wal")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "later")
	w, err := wal.Create(vfs.OS, to, wal.CreateOptions{Metadata: view.Metadata,
		First: wal.SegmentName{Seq: 1, Index: upTo + 1}})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range view.Replay(upTo+1, view.Last.Index) {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(view.State, []raftpb.Entry{*e.Entry}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}

// What can't be restored is refused, with the reason and the next command; sources stay as they are.
func TestRestoreDamage(t *testing.T) {
	w, s, o := startOld(t, "3.6")
	w.random(rand.New(rand.NewPCG(1, 5)), 20)
	w.put("a/1", 0)
	early := copied(t, o.dir)
	w.put("a/1", 0)
	w.put("a/1", 0)
	o.save(s, w)
	for i := range 40 {
		w.put(fmt.Sprint("a/", i%7), 0)
	}
	w.killed(s)
	base := o.moments[o.base].Index
	bad := copied(t, o.dir)
	spoil(t, bad, base+20)
	gap := without(t, o.dir, base+10)
	unchanged(t, o.dir, bad, gap, early, filepath.Dir(o.backup))

	t.Run("gap", func(t *testing.T) {
		refuses(t, ui.StatusRefused, fmt.Sprintf("begins at %d", base+11), o.backup, "--wal", gap)
	})
	t.Run("gap that another log fills", func(t *testing.T) {
		short := *o
		m := o.moments[o.base+30]
		short.replays(t, fmt.Sprint("index=", m.Index), m, "--wal", gap)
	})
	t.Run("corrupt", func(t *testing.T) {
		refuses(t, ui.StatusDamage, fmt.Sprintf("--until index=%d stops before", base+19), o.backup, "--wal", bad)
	})
	t.Run("corrupt in one of two", func(t *testing.T) {
		r := o.replays(t, "", o.last(), "--wal", bad)
		if len(r.Replay.Damage) != 1 || !strings.Contains(r.Replay.Damage[0], "another log has them") {
			t.Errorf("damage %q", r.Replay.Damage)
		}
	})
	t.Run("corrupt behind the target", func(t *testing.T) {
		other := *o
		other.dir = bad
		m := o.moments[o.base+15]
		other.replays(t, fmt.Sprint("index=", m.Index), m)
		other.replays(t, fmt.Sprint("revision=", m.Rev), m)
	})
	t.Run("ends before the backup", func(t *testing.T) {
		args := append([]string{o.backup, "--wal", early}, to(t)...)
		status, out, errs := run(t, args...)
		if status != ui.StatusOK || !strings.Contains(out, "nothing up to end: the database has applied entry") {
			t.Errorf("exit status %d: %s%s", status, out, errs)
		}
	})
	t.Run("no such entry", func(t *testing.T) {
		// Neither is there more behind what is committed, nor does that lead back.
		for until, why := range map[string]string{"index=1000": "the log ends at", "index=2": "an earlier one is needed"} {
			refuses(t, ui.StatusUsage, why, o.backup, "--wal", o.dir, "--until", until)
			_, _, errs := run(t, o.backup, "--wal", o.dir, "--until", until, "--dry-run")
			if strings.Contains(errs, "--include-uncommitted") {
				t.Errorf("--until %s: %s", until, errs)
			}
		}
	})
	t.Run("no log", func(t *testing.T) {
		refuses(t, ui.StatusUsage, "no log", o.backup, "--wal", filepath.Dir(o.backup))
	})
}

// A log of another cluster is refused, even one that has the same IDs.
func TestRestoreForeign(t *testing.T) {
	w, s, o := startOld(t, "3.6")
	for range 10 {
		w.put("a/1", 0)
	}
	o.save(s, w)
	w.put("a/1", 0)
	w.killed(s)
	t.Run("other IDs", func(t *testing.T) {
		w, s, other := startOld(t, "3.6", "--name", "x", "--initial-cluster-token", "other", "--initial-cluster",
			"x=http://localhost:2380")
		for range 20 {
			w.put("b/1", 0)
		}
		w.killed(s)
		refuses(t, ui.StatusRefused, "--force-foreign", o.backup, "--wal", other.dir)
		refuses(t, ui.StatusRefused, "--force-foreign", o.backup, "--wal", other.dir, "--wal", o.dir)
		r := restore(t, append([]string{o.backup, "--wal", other.dir, "--force-foreign"}, to(t)...)...)
		if r.Replay.Entries == 0 {
			t.Errorf("%+v", r.Replay)
		}
	})
	t.Run("same IDs, begun alike", func(t *testing.T) {
		w, s, other := startOld(t, "3.6")
		for range 20 {
			w.put("b/1", 0)
		}
		w.killed(s)
		refuses(t, ui.StatusRefused, "--force-foreign", o.backup, "--wal", other.dir)
	})
	t.Run("restored twice", func(t *testing.T) {
		var dirs, backups []string
		for i := range 2 {
			r := restore(t, append([]string{o.backup}, to(t)...)...)
			s := boot(t, "3.6", r)
			s.Ctl("put", "in both", "the same")
			for n := range 9 {
				s.Ctl("put", fmt.Sprintf("k%d/%d", i, n%3), fmt.Sprint(n))
			}
			backups = append(backups, filepath.Join(t.TempDir(), "second.db"))
			s.Ctl("snapshot", "save", backups[i])
			for n := range 10 {
				s.Ctl("put", fmt.Sprintf("k%d", i), fmt.Sprint(n))
			}
			s.Kill()
			dirs = append(dirs, r.Members[0].DataDir)
		}
		refuses(t, ui.StatusRefused, "--force-foreign", backups[0], "--wal", dirs[1])
		restore(t, append([]string{backups[0], "--wal", dirs[1], "--force-foreign"}, to(t)...)...)
		refuses(t, ui.StatusDamage, "are of two histories", backups[0], "--wal", dirs[1], "--wal", dirs[0])
		r := restore(t, append([]string{backups[0], "--wal", dirs[0]}, to(t)...)...)
		if r.RevisionAfter != o.moments[o.base].Rev+20 {
			t.Errorf("revision %d, want %d", r.RevisionAfter, o.moments[o.base].Rev+20)
		}
	})
}

// An alarm stays, or is taken back.
func TestRestoreOfFull(t *testing.T) {
	for _, version := range etcdtest.Versions[1:] {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w, s, o := startOld(t, version, "--quota-backend-bytes", "300000")
			w.put("a/1", 0)
			o.save(s, w)
			big := strings.Repeat("x", 100_000)
			ctx, cancel := withPatience(t)
			defer cancel()
			for err := error(nil); err == nil; {
				_, err = w.c.Put(ctx, "a/big", big)
			}
			last, err := w.c.Get(ctx, "a/big") // the put that raised the alarm may have been applied
			if err != nil {
				t.Fatal(err)
			}
			s.Kill()
			for _, clear := range []bool{false, true} {
				args := append([]string{o.backup, "--wal", o.dir}, to(t)...)
				if clear {
					args = append(args, "--clear-alarms")
				}
				r := restore(t, args...)
				if want := last.Header.Revision; r.RevisionAfter != want {
					t.Errorf("revision %d, want %d", r.RevisionAfter, want)
				}
				c := dial(t, "", "", boot(t, version, r).Endpoint)
				if _, err := c.Put(ctx, "a/1", "x"); (err == nil) != clear {
					t.Errorf("cleared %v: a write gives %v", clear, err)
				}
			}
		})
	}
}
