package outlook

import (
	"archive/tar"
	"context"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// flip changes a byte in the middle of the i-th of the .snap files, the newest first; -1 is the
// oldest.
func flip(i int) func(t *testing.T, dir string, r *Report) {
	return func(t *testing.T, dir string, _ *Report) {
		ids, err := snapshot.List(os.DirFS(dir), "member/snap")
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "member", "snap", snapshot.FileName(ids[(i+len(ids))%len(ids)]))
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// writeSnap writes a .snap file with the given members and no keys.
func writeSnap(t *testing.T, dir string, id raftpb.EntryID, voters ...uint64) {
	t.Helper()
	s := raftpb.Snapshot{Data: []byte(`{"Root":{"Path":"/","Children":{}}}`)}
	s.Metadata.Index, s.Metadata.Term, s.Metadata.ConfState.Voters = id.Index, id.Term, voters
	data := s.Marshal(raftpb.FlavorGogo)
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(sum))
	b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), data)
	name := filepath.Join(dir, "member", "snap", snapshot.FileName(id))
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestExamineFiles(t *testing.T) {
	type want struct {
		class    wal.Class // of the only finding that is more than information; empty for none
		severity wal.Severity
		verdict  wal.Verdict
	}
	tests := map[string]struct {
		change func(t *testing.T, dir string, r *Report)
		want   want
	}{
		"nothing": {func(*testing.T, string, *Report) {}, want{"", "", wal.VerdictOK}},
		"the newest .snap is damaged": {flip(0),
			want{ClassSnapshotCorrupt, wal.SeverityError, wal.VerdictProblem}},
		"the oldest .snap is damaged": {flip(-1),
			want{ClassSnapshotCorrupt, wal.SeverityWarning, wal.VerdictOK}},
		"a .snap beyond the log": {func(t *testing.T, dir string, r *Report) {
			writeSnap(t, dir, raftpb.EntryID{Term: r.Last.Term, Index: r.Last.Index + 9},
				r.View.Metadata.NodeID)
		}, want{ClassSnapshotNewer, wal.SeverityError, wal.VerdictProblem}},
		"another member's .snap": {func(t *testing.T, dir string, r *Report) {
			writeSnap(t, dir, raftpb.EntryID{Term: 1, Index: 2}, 0xa1, 0xa2)
		}, want{ClassSnapshotForeign, wal.SeverityError, wal.VerdictProblem}},
		"another cluster's .snap": {func(t *testing.T, dir string, r *Report) {
			writeSnap(t, dir, r.View.NewestSnapshot().EntryID, r.View.Metadata.NodeID, 0xa2)
		}, want{ClassSnapshotForeign, wal.SeverityError, wal.VerdictProblem}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(corpus.Copy(t, "c36-3m-clean"), "m1")
			tt.change(t, dir, examine(t, dir))
			r := examine(t, dir)
			got := want{verdict: r.Verdict}
			if found := slices.DeleteFunc(slices.Clone(r.Findings), func(f wal.Finding) bool {
				return f.Severity == wal.SeverityInfo
			}); len(found) == 1 {
				got.class, got.severity = found[0].Class, found[0].Severity
			} else if len(found) > 1 {
				t.Errorf("findings %v, want one", found)
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// denied is a file system in which some names can't be opened.
type denied struct {
	fs.FS
	name string
}

func (d denied) Open(name string) (fs.File, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.FS.Open(name)
}

// What can't be looked at is never fine.
func TestExamineUnreadable(t *testing.T) {
	dir := filepath.Join(corpus.Dir(t, "c36-3m-clean"), "m1")
	ids, err := snapshot.List(os.DirFS(dir), "member/snap")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"member/snap", "member/snap/" + snapshot.FileName(ids[0])} {
		log, err := wal.Open(denied{os.DirFS(dir), name}, ".")
		if err != nil {
			t.Fatal(err)
		}
		r, err := Examine(t.Context(), log, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != wal.VerdictUnchecked {
			t.Errorf("%s can't be read: verdict %s, want %s", name, r.Verdict, wal.VerdictUnchecked)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExamineSecondLog(t *testing.T) {
	dir := filepath.Join(corpus.Copy(t, "c36-3m-clean"), "m1")
	other := filepath.Join(corpus.Dir(t, "c36-3m-clean"), "m2", "member", "wal")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(dir, "member", "wal"), link); err != nil {
		t.Fatal(err)
	}
	for walDir, want := range map[string]bool{other: true, link: false} {
		m, err := datadir.FindPath(dir, datadir.Options{WalDir: walDir})
		if err != nil {
			t.Fatal(err)
		}
		log, err := wal.Open(os.DirFS(walDir), ".")
		if err != nil {
			t.Fatal(err)
		}
		r, err := Examine(t.Context(), log, Options{Member: m})
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(r.Findings, func(f wal.Finding) bool { return f.Class == ClassSecondLog })
		if found != want || want && r.Verdict != wal.VerdictProblem {
			t.Errorf("--wal-dir %s: second log found: %v, want %v; verdict %s", walDir, found, want, r.Verdict)
		}
		if err := errors.Join(log.Close(), m.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// No log of the corpus has a finding of this package: all are healthy.
func TestExamineHealthy(t *testing.T) {
	for _, l := range corpus.Logs(t) {
		r := examine(t, l.Dir)
		for _, f := range r.Findings {
			own := slices.ContainsFunc(Classes(), func(c wal.ClassInfo) bool { return c.Class == f.Class })
			removed := strings.HasSuffix(l.Name, "-m5") && f.Class == ClassEtcdStop // m5 was removed
			if own && !removed {
				t.Errorf("%s: %v", l.Name, &f)
			}
		}
		if len(r.Outlooks) == 0 {
			t.Errorf("%s: no outlooks", l.Name)
		}
	}
}

// An archive of the log alone says nothing about the files beside it.
func TestExamineArchivedLog(t *testing.T) {
	dir := filepath.Join(corpus.Dir(t, "c36-3m-clean"), "m1")
	name := filepath.Join(t.TempDir(), "log.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	segments, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, segment := range segments {
		b, err := os.ReadFile(segment)
		if err != nil {
			t.Fatal(err)
		}
		h := &tar.Header{Name: "m1/member/wal/" + filepath.Base(segment), Mode: 0o600, Size: int64(len(b))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	log, err := wal.Open(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	r, err := Examine(t.Context(), log, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range []string{"3.6", "3.7"} {
		if o := r.Outlook(release); o.Action != wal.ActionBoots || o.Read.Start.Index == 0 {
			t.Errorf("%v, from %v", o, o.Read.Start)
		}
	}
}

func TestExamineStops(t *testing.T) {
	log, err := wal.Open(os.DirFS(filepath.Join(corpus.Dir(t, "c36-3m-clean"), "m1")), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Examine(ctx, log, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// A log of another program is advised to go back to that, not through releases of etcd.
func TestAdviceOnAnotherProgramsLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := wal.Create(nil, dir, wal.CreateOptions{RawMetadata: []byte("\x08\x01\x12\x05swarm")})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Append(raftpb.HardState{Term: 1, Vote: 1, Commit: 1}, []raftpb.Entry{
		{Term: 1, Index: 1, Data: []byte("\x08\x01\x12\x05of its own")},
	})
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	l, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := Examine(t.Context(), l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	stops := 0
	for _, o := range r.Outlooks {
		if s := o.Stop; s != nil {
			stops++
			if !strings.Contains(s.Advice, "start the program that wrote the log") {
				t.Errorf("%v: %s", &o, s.Advice)
			}
		}
	}
	if stops == 0 {
		t.Errorf("no release stops: %v", r.Outlooks)
	}
}
