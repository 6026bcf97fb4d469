package wal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Real etcds of all versions start from a log that the writer wrote, in both flavours, and serve
// the same keys as from their own. What they then write to it reads back without a finding.
func TestEtcdBootsFromWrittenLog(t *testing.T) {
	for _, version := range etcdtest.Versions {
		for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			t.Run(fmt.Sprintf("%s/%v", version, flavor), func(t *testing.T) {
				t.Parallel()
				log := "chain-1n-after" + strings.ReplaceAll(version, ".", "")
				dir := corpus.Copy(t, log)
				rewrite(t, filepath.Join(dir, "member"), flavor)

				s := etcdtest.Start(t, version, dir)
				got := keys(t, s.Ctl("get", "", "--prefix", "-w", "json"))
				want := keys(t, corpus.Golden(t, log+".keys.json"))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("keys differ from those before the rewrite (-want +got):\n%s", diff)
				}
				s.Ctl("put", "written-after", "the rewrite")
				s.Kill()

				s = etcdtest.Start(t, version, dir)
				if got := keys(t, s.Ctl("get", "written-after", "-w", "json")); len(got) != 1 {
					t.Errorf("%d keys after kill -9 and a second start, want 1", len(got))
				}
				s.Stop()
				mustVerify(t, dir)
			})
		}
	}
}

// rewrite replaces member/wal by a log of the same contents that the writer writes.
func rewrite(t *testing.T, member string, flavor raftpb.Flavor) {
	t.Helper()
	old := filepath.Join(member, "wal.old")
	if err := os.Rename(filepath.Join(member, "wal"), old); err != nil {
		t.Fatal(err)
	}
	log, err := wal.Open(os.DirFS(old), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var w *wal.Writer
	for rec, err := range log.Records(wal.Recover) {
		if err != nil {
			t.Fatal(err)
		}
		if err := copyRecord(&w, filepath.Join(member, "wal"), rec, flavor); err != nil {
			t.Fatalf("%v: %v", rec.Pos, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
}

// copyRecord decodes a record and writes it again in the given flavour.
func copyRecord(w **wal.Writer, dir string, rec *wal.Record, flavor raftpb.Flavor) (err error) {
	switch rec.Kind {
	case wal.KindMetadata:
		if *w != nil {
			return nil // the head of a later segment
		}
		opts := wal.CreateOptions{WriterOptions: wal.WriterOptions{Flavor: flavor}}
		if err := opts.Metadata.Unmarshal(rec.Data); err != nil {
			return err
		}
		*w, err = wal.Create(vfs.OS, dir, opts)
	case wal.KindEntry:
		var e raftpb.Entry
		if err := e.Unmarshal(rec.Data); err != nil {
			return err
		}
		err = (*w).Append(raftpb.HardState{}, []raftpb.Entry{e})
	case wal.KindState:
		var s raftpb.HardState
		if err := s.Unmarshal(rec.Data); err != nil {
			return err
		}
		err = (*w).Append(s, nil)
	case wal.KindSnapshot:
		err = copySnapshot(*w, rec)
	}
	return err
}

// copySnapshot writes a snapshot record again. What etcd 3.4 wrote has no ConfState, which the
// writer requires, as later etcds do; the bytes are copied then.
func copySnapshot(w *wal.Writer, rec *wal.Record) error {
	var s wal.Snapshot
	if err := s.Unmarshal(rec.Data); err != nil {
		return err
	}
	switch {
	case s.Index == 0:
		return nil // Create wrote it
	case s.ConfState == nil:
		return w.AppendRecord(wal.KindSnapshot, rec.Data)
	}
	return w.SaveSnapshot(s)
}

// keys returns the key-value pairs of an answer of etcdctl, without its header.
func keys(t *testing.T, answer []byte) []map[string]any {
	t.Helper()
	var parsed struct {
		KVs []map[string]any `json:"kvs"`
	}
	if err := json.Unmarshal(answer, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed.KVs
}

func mustVerify(t *testing.T, dir string) {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	report, err := log.Verify(t.Context(), wal.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Verdict != wal.VerdictOK {
		t.Errorf("verdict %s, want ok: %v", report.Verdict, report.Findings)
	}
}

// Real etcds of all versions start from a copy of their log, and serve the same keys.
func TestEtcdBootsFromCopy(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			name := "chain-1n-after" + strings.ReplaceAll(version, ".", "")
			dir := corpus.Copy(t, name)
			copyLog(t, filepath.Join(dir, "member", "wal"))
			s := etcdtest.Start(t, version, dir)
			got := keys(t, s.Ctl("get", "", "--prefix", "-w", "json"))
			if diff := cmp.Diff(keys(t, corpus.Golden(t, name+".keys.json")), got); diff != "" {
				t.Errorf("keys differ from those before the copy (-want +got):\n%s", diff)
			}
			s.Ctl("put", "written-after", "the copy")
			s.Stop()
			mustVerify(t, dir)
		})
	}
}

// copyLog puts a copy of a log in its place.
func copyLog(t *testing.T, dir string) {
	t.Helper()
	old := dir + ".old"
	if err := os.Rename(dir, old); err != nil {
		t.Fatal(err)
	}
	log, err := wal.Open(os.DirFS(old), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	opts, err := log.CreateOptions()
	if err != nil {
		t.Fatal(err)
	}
	w, err := wal.Create(nil, dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := wal.Copy(w, log.Records(wal.Recover)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
}
