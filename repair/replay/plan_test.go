package replay_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/repair/replay"
	"github.com/raftctl/raftctl/snapshot/database"
)

// backup makes the database that member m1 of a cluster had at an index, and returns its folder.
func backup(t *testing.T, cluster string, index uint64) string {
	t.Helper()
	s := source(t, filepath.Join(corpus.Dir(t, cluster), "m1"))
	dir := t.TempDir()
	store, err := kv.Open(dir, kv.Options{Member: s.View.Metadata.NodeID, Cluster: s.Cluster(), NoSync: true, WaitCompaction: true})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range s.View.Replay(1, index) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Apply([]raftpb.Entry{*e.Entry}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func source(t *testing.T, path string) *logs.Source {
	t.Helper()
	s, err := logs.Open(t.Context(), path, logs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// facts returns what a plan needs of a database.
func facts(t *testing.T, dir string) replay.PlanOptions {
	t.Helper()
	db := openDatabase(t, dir)
	meta, err := db.Meta()
	if err != nil {
		t.Fatal(err)
	}
	members, err := db.Members()
	if err != nil {
		t.Fatal(err)
	}
	revision, _, err := db.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return replay.PlanOptions{Meta: meta, Members: members, Revision: revision, Since: db.Since, Slack: time.Minute}
}

func openDatabase(t *testing.T, dir string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), os.DirFS(dir), kv.FileName, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestPlan(t *testing.T) {
	for name, tc := range map[string]struct {
		base    uint64
		logs    []string // cluster/member
		target  string
		foreign bool
		last    uint64 // that is applied
		want    string // of the error
	}{
		"to the end":              {500, []string{"c36-3m-clean/m1"}, "end", false, 1946, ""},
		"all members":             {500, []string{"c36-3m-clean/m3", "c36-3m-clean/m2", "c36-3m-clean/m4"}, "end", false, 1946, ""},
		"two that make a whole":   {900, []string{"c36-3m-clean/m3", "c36-3m-clean/m4"}, "end", false, 1946, ""},
		"an index":                {500, []string{"c36-3m-clean/m1"}, "index=777", false, 777, ""},
		"nothing to do":           {1946, []string{"c36-3m-clean/m1"}, "end", false, 1946, ""},
		"a log that lies before":  {1946, []string{"c36-3m-clean/m5"}, "end", false, 1946, ""},
		"a term":                  {500, []string{"c36-3m-clean/m1"}, "term=2", false, 1026, ""},
		"a revision":              {500, []string{"c36-3m-clean/m1"}, "revision=700", false, 718, ""},
		"a revision before a gap": {500, []string{"c36-3m-clean/m3"}, "revision=700", false, 718, ""},

		"a revision behind a gap": {500, []string{"c36-3m-clean/m3"}, "revision=1100", false, 0, "1028"},
		"a gap":                   {500, []string{"c36-3m-clean/m3"}, "end", false, 0, "entries 1028"},
		"begins too late":         {500, []string{"c36-3m-clean/m4"}, "end", false, 0, "entries 501"},
		"another cluster":         {500, []string{"c37-3m-clean/m1"}, "end", false, 0, "none of which the database has"},
		"two clusters":            {500, []string{"c36-3m-clean/m1", "c37-3m-clean/m1"}, "end", false, 0, "cluster"},
		"forced":                  {500, []string{"c37-3m-clean/m1"}, "end", true, 1948, ""},
		"beyond the end":          {500, []string{"c36-3m-clean/m1"}, "index=1947", false, 0, "the log ends at 1946"},
		"an earlier index":        {500, []string{"c36-3m-clean/m1"}, "index=499", false, 0, "an earlier one is needed"},
		"an earlier revision":     {500, []string{"c36-3m-clean/m1"}, "revision=3", false, 0, "an earlier one is needed"},
		"an earlier term":         {1100, []string{"c36-3m-clean/m1"}, "term=2", false, 0, "an earlier one is needed"},
		"an unknown time":         {500, []string{"c36-3m-clean/m1"}, "time=2026-11-28T00:00:00Z", false, 0, "time=2026-11-28T00:00:00Z: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := backup(t, "c36-3m-clean", tc.base)
			o := facts(t, dir)
			for _, name := range tc.logs {
				cluster, member, _ := strings.Cut(name, "/")
				o.Sources = append(o.Sources, source(t, filepath.Join(corpus.Dir(t, cluster), member)))
			}
			var err error
			if o.Target, err = replay.ParseTarget(tc.target); err != nil {
				t.Fatal(err)
			}
			o.Foreign = tc.foreign
			report, err := planAndRun(t, dir, o)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("error %v, want %q", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := report.After.Applied.Index; got != tc.last {
				t.Errorf("applied up to %d, want %d", got, tc.last)
			}
			if o.Target.Kind == replay.Revision && uint64(report.After.Revision) != o.Target.N {
				t.Errorf("revision %d, want %d", report.After.Revision, o.Target.N)
			}
		})
	}
}

func planAndRun(t *testing.T, dir string, o replay.PlanOptions) (*replay.Report, error) {
	t.Helper()
	plan, err := replay.NewPlan(t.Context(), o)
	if err != nil {
		return nil, err
	}
	if (plan.Foreign != nil) != o.Foreign {
		t.Errorf("foreign: %v", plan.Foreign)
	}
	return plan.Run(t.Context(), nil, dir, nil)
}

// TestBackupAndLog replays the log of each member onto a backup: the keys are then those that the real
// cluster had.
func TestBackupAndLog(t *testing.T) {
	for _, cluster := range []string{"c35-3m-clean", "c36-3m-clean", "c37-3m-clean"} {
		for _, base := range []uint64{1, 600, 1400} {
			dir := backup(t, cluster, base)
			o := facts(t, dir)
			member := filepath.Join(corpus.Dir(t, cluster), "m2")
			o.Sources = append(o.Sources, source(t, member))
			if _, err := planAndRun(t, dir, o); err != nil {
				t.Fatal(err)
			}
			if got, want := hashOf(t, dir), hashOf(t, filepath.Join(member, "member", "snap")); got != want {
				t.Errorf("%s from %d: %+v, want %+v", cluster, base, got, want)
			}
		}
	}
}

func hashOf(t *testing.T, dir string) database.HashKV {
	t.Helper()
	db, err := database.Open(t.Context(), os.DirFS(dir), kv.FileName, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := db.HashKV(t.Context(), 0, nil)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return *h
}
