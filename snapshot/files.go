package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
)

// File is what there is to say about one file in the folder of snapshots.
type File struct {
	Name string
	Kind Kind

	// ID is what the name of a snapshot says, and the Index in it what that of a received database
	// says. It is zero for other kinds.
	ID      raftpb.EntryID
	Size    int64 // bytes
	ModTime time.Time

	// Verdict is on a .snap file's structure, its checksum, and whether it is the one that its name
	// says. What lies in its store is not looked at: see [ParseStore]. Files of other kinds are
	// unchecked.
	Verdict verdict.Verdict

	// Err says why the verdict is not ok: a *[CorruptError] for a problem; the error of reading, or
	// nil, for a file that is unchecked.
	Err error

	// Metadata is what a .snap file says of itself, also one whose name says otherwise. It is zero for
	// one that is damaged.
	Metadata raftpb.SnapshotMetadata
}

// Files returns the files in the directory dir of fsys: first the .snap files, newest first, then
// the others kind by kind. The .snap files are read, one at a time. A file that goes while it is
// looked at is left out: a running etcd keeps a few. The error is that of listing the directory, or
// the context's.
func Files(ctx context.Context, fsys fs.FS, dir string) ([]File, error) {
	var files []File
	err := Walk(ctx, fsys, dir, func(f *File, _ *raftpb.Snapshot) { files = append(files, *f) })
	if err != nil {
		return nil, err
	}
	return files, nil
}

// Walk calls visit for every file that [Files] returns, in that order, with the snapshot in it if
// its verdict is ok.
func Walk(
	ctx context.Context, fsys fs.FS, dir string, visit func(*File, *raftpb.Snapshot),
) error {
	files, err := named(fsys, dir)
	if err != nil {
		return err
	}
	for i := range files {
		f := &files[i]
		snap, err := look(ctx, fsys, dir, f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.Err = err; err != nil {
			snap = nil
		}
		visit(f, snap)
	}
	return nil
}

// named returns the files of a directory with what their names say.
func named(fsys fs.FS, dir string) ([]File, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	files := make([]File, 0, len(entries))
	for _, e := range entries {
		f := File{Name: e.Name(), Kind: KindOf(e.Name()), Verdict: verdict.Unchecked}
		if e.IsDir() {
			f.Kind = KindOther
		}
		switch f.Kind {
		case KindSnapshot:
			f.ID, _ = ParseFileName(f.Name)
		case KindReceived:
			f.ID.Index, _ = ParseDBFileName(f.Name)
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(
			cmp.Compare(rank[a.Kind], rank[b.Kind]),
			cmp.Compare(b.ID.Term, a.ID.Term), cmp.Compare(b.ID.Index, a.ID.Index),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return files, nil
}

// errMisnamed is what is wrong with an intact snapshot in a file of another name.
var errMisnamed = errors.New("its name is not <term>-<index>.snap, and etcd reads it all the same")

// look fills in what there is to say about a file, and reads it if it is a .snap file.
func look(ctx context.Context, fsys fs.FS, dir string, f *File) (*raftpb.Snapshot, error) {
	name := path.Join(dir, f.Name)
	if f.Kind != KindSnapshot && f.Kind != KindMisnamed {
		info, err := fs.Stat(fsys, name)
		if err == nil {
			f.Size, f.ModTime = info.Size(), info.ModTime()
		}
		return nil, err
	}
	snap, info, err := readSettled(ctx, fsys, name)
	if info != nil {
		f.Size, f.ModTime = info.Size(), info.ModTime()
	}
	if err == nil {
		f.Verdict, f.Metadata = verdict.OK, snap.Metadata
		err = checkName(f, snap)
	}
	if _, corrupt := errors.AsType[*CorruptError](err); corrupt {
		f.Verdict = verdict.Problem
	}
	return snap, err
}

func checkName(f *File, snap *raftpb.Snapshot) error {
	got := snap.Metadata.ID()
	switch {
	case f.Kind == KindMisnamed:
		return &CorruptError{File: f.Name, Err: fmt.Errorf("snapshot of %v: %w", got, errMisnamed)}
	case got != f.ID:
		return &CorruptError{File: f.Name,
			Err: fmt.Errorf("snapshot of %v, but its name says %v", got, f.ID)}
	}
	return nil
}

// Newest returns the file that a server of 3.4 to 3.6 starts from: the newest that is ok and that
// the log knows. Known are the log's snapshot records; nil means that they are not known, and then
// the newest that is ok is returned. It is nil if there is none.
func Newest(files []File, known []raftpb.EntryID) *File {
	var newest *File
	for i := range files {
		f := &files[i]
		if f.Kind != KindSnapshot || f.Verdict != verdict.OK ||
			known != nil && !slices.Contains(known, f.ID) {
			continue
		}
		if newest == nil || newer(f.ID, newest.ID) {
			newest = f
		}
	}
	return newest
}

// newer reports whether a is newer than b, as etcd's file names sort.
func newer(a, b raftpb.EntryID) bool {
	return cmp.Or(cmp.Compare(a.Term, b.Term), cmp.Compare(a.Index, b.Index)) > 0
}
