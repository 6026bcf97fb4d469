package change_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

// A real etcd holds its log against a change and against undo. It starts on what a change has made, and on what
// undo has put back, with all that lies beside them. All that it says of these is that the audit file isn't its own. What
// it then writes is a loss for undo.
func TestEtcd(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			w := &world{t: t, fs: vfs.OS, root: t.TempDir(), form: forms["data"]}
			w.serve(version, 0, func() {
				if _, err := w.begin(); !isLocked(err) {
					t.Errorf("a change while etcd runs: %v", err)
				}
			})
			for _, dir := range []string{"wal.changing-01234567", "snap.changing-01234567"} {
				if err := os.Mkdir(w.path("data/member/"+dir), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			w.copyInPlace()
			if _, err := w.undo(); err != nil {
				t.Fatal(err)
			}
			w.serve(version, 1, nil)
			w.copyInPlace()
			w.serve(version, 2, func() {
				if _, err := w.undo(); !isLocked(err) {
					t.Errorf("undo while etcd runs: %v", err)
				}
			})
			_, err := w.undo()
			if _, ok := errors.AsType[*change.RefusedError](err); !ok {
				t.Errorf("undo after etcd has run: %v", err)
			}
			w.serve(version, 3, nil)
		})
	}
}

// copyInPlace puts a copy of the log in its place.
func (w *world) copyInPlace() {
	w.t.Helper()
	s, err := w.begin()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.CopyFS(s.Log(), os.DirFS(w.path(w.form.log))); err != nil {
		w.t.Fatal(err)
	}
	if _, err := s.Place(w.t.Context(), record); err != nil {
		w.t.Fatal(err)
	}
}

var ours = regexp.MustCompile(`raftctl|before-2|undone-2|changing-`)

// invalid is what etcd says, once a start, of any file in the data directory that isn't its own.
var invalid = regexp.MustCompile(`found invalid file.*raftctl-changes\.jsonl`)

// serve runs an etcd, which has n keys already, and gets another one.
func (w *world) serve(version string, n int, do func()) {
	w.t.Helper()
	s := etcdtest.Start(w.t, version, w.path("data"), etcdtest.Quick...)
	for i := range n {
		if got := string(s.Ctl("get", fmt.Sprint("key", i), "--print-value-only")); got != fmt.Sprintf("value%d\n", i) {
			w.t.Errorf("key%d: %q", i, got)
		}
	}
	s.Ctl("put", fmt.Sprint("key", n), fmt.Sprint("value", n))
	if do != nil {
		do()
	}
	s.Stop()
	for line := range strings.Lines(s.Log()) {
		if ours.MatchString(line) && !invalid.MatchString(line) {
			w.t.Errorf("etcd says: %s", line)
		}
	}
	if _, err := os.Stat(filepath.Join(w.path("data"), "member", "wal")); err != nil {
		w.t.Error(err)
	}
}
