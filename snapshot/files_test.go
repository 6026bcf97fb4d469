package snapshot_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// denying refuses to open a file, and calls opened ahead of every other.
type denying struct {
	fstest.MapFS
	denied string
	opened func(name string)
}

func (d denying) Open(name string) (fs.File, error) {
	if name == d.denied {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	if d.opened != nil {
		d.opened(name)
	}
	return d.MapFS.Open(name)
}

// ReadFile goes the same way as Open.
func (d denying) ReadFile(name string) ([]byte, error) {
	return fs.ReadFile(struct{ fs.FS }{d}, name)
}

// encoded returns the .snap file of a snapshot without a store.
func encoded(tb testing.TB, id raftpb.EntryID) []byte {
	tb.Helper()
	b, err := snapshot.Encode(&raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
		Index: id.Index, Term: id.Term, ConfState: raftpb.ConfState{Voters: []uint64{1}},
	}}, raftpb.FlavorGogo)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func id(term, index uint64) raftpb.EntryID { return raftpb.EntryID{Term: term, Index: index} }

// Every kind of file that etcd leaves is listed with its verdict, newest snapshots first.
func TestFilesOfEveryKind(t *testing.T) {
	name := snapshot.FileName
	good := encoded(t, id(2, 0x10))
	damaged := slices.Clone(encoded(t, id(3, 1)))
	damaged[len(damaged)-1] ^= 1
	fsys := denying{denied: name(id(2, 0xf)), MapFS: fstest.MapFS{
		name(id(2, 0x10)):              {Data: good},
		name(id(2, 0xf)):               {Data: encoded(t, id(2, 0xf))},
		name(id(3, 1)):                 {Data: damaged},
		name(id(1, 9)):                 {Data: encoded(t, id(1, 8))},
		name(id(1, 7)):                 {Data: nil},
		"copy-of-it.snap":              {Data: good},
		"000000000000001f.snap.db":     {Data: []byte("db")},
		"db":                           {Data: []byte("database")},
		name(id(3, 2)) + ".broken":     {Data: []byte("broken")},
		"tmp123456":                    {Data: []byte("tmp")},
		"db.tmp.123456":                {Data: []byte("defrag")},
		"notes.txt":                    {Data: []byte("notes")},
		name(id(9, 9)) + "/folder":     {Data: []byte("a folder is no snapshot")},
		"000000000000001F.snap.db.old": {},
	}}
	files, err := snapshot.Files(t.Context(), fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name    string
		Kind    snapshot.Kind
		ID      raftpb.EntryID
		Verdict verdict.Verdict
		Corrupt bool
		Index   uint64
	}
	var got []row
	for i := range files {
		f := &files[i]
		_, corrupt := errors.AsType[*snapshot.CorruptError](f.Err)
		got = append(got, row{f.Name, f.Kind, f.ID, f.Verdict, corrupt, f.Metadata.Index})
		if want := fsys.MapFS[f.Name]; want != nil && f.Name != fsys.denied && f.Size != int64(len(want.Data)) {
			t.Errorf("%s: size %d, want %d", f.Name, f.Size, len(want.Data))
		}
	}
	unchecked := func(name string, kind snapshot.Kind, id raftpb.EntryID) row {
		return row{Name: name, Kind: kind, ID: id, Verdict: verdict.Unchecked}
	}
	want := []row{
		{name(id(3, 1)), snapshot.KindSnapshot, id(3, 1), verdict.Problem, true, 0},
		{name(id(2, 0x10)), snapshot.KindSnapshot, id(2, 0x10), verdict.OK, false, 0x10},
		unchecked(name(id(2, 0xf)), snapshot.KindSnapshot, id(2, 0xf)),
		{name(id(1, 9)), snapshot.KindSnapshot, id(1, 9), verdict.Problem, true, 8},
		{name(id(1, 7)), snapshot.KindSnapshot, id(1, 7), verdict.Problem, true, 0},
		{"copy-of-it.snap", snapshot.KindMisnamed, id(0, 0), verdict.Problem, true, 0x10},
		unchecked("000000000000001f.snap.db", snapshot.KindReceived, id(0, 0x1f)),
		unchecked("db", snapshot.KindDatabase, id(0, 0)),
		unchecked(name(id(3, 2))+".broken", snapshot.KindBroken, id(0, 0)),
		unchecked("tmp123456", snapshot.KindTemp, id(0, 0)),
		unchecked("db.tmp.123456", snapshot.KindDefrag, id(0, 0)),
		unchecked(name(id(9, 9)), snapshot.KindOther, id(0, 0)),
		unchecked("000000000000001F.snap.db.old", snapshot.KindOther, id(0, 0)),
		unchecked("notes.txt", snapshot.KindOther, id(0, 0)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(files, func(f snapshot.File) bool { return f.Name == fsys.denied })
	if !errors.Is(files[i].Err, fs.ErrPermission) {
		t.Errorf("%s: %v, want %v", fsys.denied, files[i].Err, fs.ErrPermission)
	}
}

// Nothing in the folders of real members is left out, renamed, or less than fine.
func TestFilesReal(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		dir := filepath.Join(log.Dir, snapDir)
		before, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		files, err := snapshot.Files(t.Context(), os.DirFS(dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		for i := range files {
			f := &files[i]
			if f.Kind == snapshot.KindSnapshot && (f.Verdict != verdict.OK || f.Metadata.ID() != f.ID) {
				t.Errorf("%s: %+v", log.Name, f)
			}
			if f.Kind != snapshot.KindSnapshot && f.Kind != snapshot.KindDatabase {
				t.Errorf("%s: %s is %s", log.Name, f.Name, f.Kind)
			}
		}
		after, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != len(before) || len(after) != len(before) {
			t.Errorf("%s: %d files listed, %d were there, %d are", log.Name, len(files), len(before), len(after))
		}
	}
}

// A file that goes while it is looked at was one that a running etcd no longer keeps.
func TestFilesThatGo(t *testing.T) {
	first, second := snapshot.FileName(id(2, 9)), snapshot.FileName(id(2, 8))
	for _, at := range []string{first, second} {
		files := fstest.MapFS{first: {Data: encoded(t, id(2, 9))}, second: {Data: encoded(t, id(2, 8))}}
		opens := 0
		fsys := denying{MapFS: files, opened: func(name string) {
			if opens++; name == at {
				delete(files, second)
			}
		}}
		got, err := snapshot.Files(t.Context(), fsys, ".")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Name != first || opens == 0 {
			t.Errorf("gone at %s: %+v", at, got)
		}
	}
}

// A file that is being written is looked at again, until it is whole.
func TestFilesBeingWritten(t *testing.T) {
	name, whole := snapshot.FileName(id(2, 9)), encoded(t, id(2, 9))
	for _, tt := range []struct {
		ahead time.Duration // the clock of a file server is, of ours
		first int           // the look during which it first grows
	}{{0, 1}, {0, 2}, {time.Hour, 1}, {time.Hour, 2}, {-time.Hour, 1}} {
		ahead := tt.ahead
		files := fstest.MapFS{name: {Data: whole[:4], ModTime: time.Now().Add(ahead)}}
		looks := 0
		fsys := denying{MapFS: files, opened: func(string) {
			switch looks++; looks {
			case tt.first:
				files[name] = &fstest.MapFile{Data: whole[:9], ModTime: time.Now().Add(ahead)}
			case tt.first + 1:
				files[name] = &fstest.MapFile{Data: whole, ModTime: time.Now().Add(ahead)}
			}
		}}
		got, err := snapshot.Files(t.Context(), fsys, ".")
		if err != nil || len(got) != 1 || got[0].Verdict != verdict.OK {
			t.Errorf("%v ahead: %+v, %v", ahead, got, err)
		}
		// One that stays damaged is not waited for forever, whatever its time.
		files[name] = &fstest.MapFile{Data: whole[:5], ModTime: time.Now().Add(ahead)}
		got, err = snapshot.Files(t.Context(), fsys, ".")
		if err != nil || len(got) != 1 || got[0].Verdict != verdict.Problem {
			t.Errorf("%v ahead, damaged: %+v, %v", ahead, got, err)
		}
	}
}

// huge claims to be larger than anything etcd writes.
type huge struct{ fs.FS }

func (h huge) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(h.FS, name)
	return hugeInfo{info}, err
}

func (h huge) Open(name string) (fs.File, error) {
	f, err := h.FS.Open(name)
	if name == "." { // to be listed
		return f, err
	}
	return hugeFile{f}, err
}

type hugeFile struct{ fs.File }

func (f hugeFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return hugeInfo{info}, err
}

type hugeInfo struct{ fs.FileInfo }

func (hugeInfo) Size() int64 { return 1 << 40 }

func TestFilesHuge(t *testing.T) {
	name := snapshot.FileName(id(2, 9))
	files, err := snapshot.Files(t.Context(), huge{fstest.MapFS{name: {Data: encoded(t, id(2, 9))}}}, ".")
	if err != nil || len(files) != 1 || files[0].Verdict != verdict.Unchecked || files[0].Err == nil {
		t.Errorf("%+v, %v, want it unchecked", files, err)
	}
}

func TestFilesErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fsys := fstest.MapFS{"db": {}}
	if _, err := snapshot.Files(ctx, fsys, "."); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := snapshot.Files(t.Context(), fsys, "missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestNewest(t *testing.T) {
	files := []snapshot.File{
		{Kind: snapshot.KindSnapshot, ID: id(4, 1), Verdict: verdict.Problem},
		{Kind: snapshot.KindSnapshot, ID: id(3, 9), Verdict: verdict.Unchecked},
		{Kind: snapshot.KindSnapshot, ID: id(2, 20), Verdict: verdict.OK},
		{Kind: snapshot.KindSnapshot, ID: id(3, 5), Verdict: verdict.OK},
		{Kind: snapshot.KindMisnamed, ID: id(9, 9), Verdict: verdict.OK},
	}
	for name, tt := range map[string]struct {
		known []raftpb.EntryID
		want  raftpb.EntryID
	}{
		"the log isn't known":        {nil, id(3, 5)},
		"the log knows all":          {[]raftpb.EntryID{id(2, 20), id(3, 5), id(3, 9), id(4, 1)}, id(3, 5)},
		"the newest is an orphan":    {[]raftpb.EntryID{id(0, 0), id(2, 20)}, id(2, 20)},
		"the index at another term":  {[]raftpb.EntryID{id(2, 5)}, id(0, 0)},
		"the log knows no snapshots": {[]raftpb.EntryID{}, id(0, 0)},
	} {
		var got raftpb.EntryID
		if f := snapshot.Newest(files, tt.known); f != nil {
			got = f.ID
		}
		if got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
