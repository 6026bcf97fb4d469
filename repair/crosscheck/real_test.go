package crosscheck_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// check reads a data directory and checks it.
func check(t *testing.T, dir string) []crosscheck.Finding {
	t.Helper()
	m, err := datadir.FindPath(dir, datadir.Options{State: true, Log: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	log, err := wal.OpenMember(m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := outlook.Examine(t.Context(), log, outlook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := &crosscheck.Input{View: r.View}
	for _, o := range r.Outlooks {
		if o.Action != wal.ActionRefuses {
			in.Starts = append(in.Starts, crosscheck.Start{Releases: o.Read.Releases(), Entry: o.Read.Start})
		}
	}
	if in.Files, err = snapshot.Files(t.Context(), m.Snap.FS, m.Snap.Path); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), m.Database.FS, m.Database.Path, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	meta, err := db.Meta()
	if err != nil {
		t.Fatal(err)
	}
	members, err := db.Members()
	if err != nil {
		t.Fatal(err)
	}
	in.Database = &crosscheck.Database{Meta: *meta, Members: *members}
	if in.Replay, err = crosscheck.Replay(t.Context(), log, r.View, meta.ConsistentIndex); err != nil {
		t.Fatal(err)
	}
	return crosscheck.Check(in)
}

// What real etcd left fits together. What a restore by 3.4 leaves doesn't: its members are those of the
// cluster that was saved. m5 was removed from each cluster.
func TestEveryMember(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		for _, f := range check(t, log.Dir) {
			if log.Name == "c36-restored-from34" && f.Class == crosscheck.ClassMembers {
				continue
			}
			if strings.HasSuffix(log.Name, "-m5") && f.Class == crosscheck.ClassRemoved {
				continue
			}
			if f.Severity != verdict.Info {
				t.Errorf("%s: %+v", log.Name, f)
			}
		}
	}
}

// A database that is older than the snapshot that etcd starts from is what etcd ends on, with the words
// that are advised about.
func TestBehindEndsEtcd(t *testing.T) {
	dir := corpus.Copy(t, "c36-fnc-1n-clean")
	other := corpus.Dir(t, "c36-leasecp-1n-clean")
	b, err := os.ReadFile(filepath.Join(other, "member", "snap", "db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "member", "snap", "db"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	found := check(t, dir)
	if len(found) == 0 || found[0].Class != crosscheck.ClassBehind {
		t.Fatalf("found %+v", found)
	}
	log, ended := etcdtest.Watch(t, "3.6", dir, time.Second)
	const words = "failed to find database snapshot file"
	if !ended || !strings.Contains(log, words) || !strings.Contains(found[0].Advice, words) {
		t.Errorf("ended %v, advice %q\n%s", ended, found[0].Advice, log)
	}
}
