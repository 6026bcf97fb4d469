package change

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/raftctl/raftctl/internal/vfs"
)

// Sum is the sha256 of a file.
type Sum [sha256.Size]byte

// String formats it as sha256sum does.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// File is what is on record of a file.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`             // bytes
	SHA256 string `json:"sha256,omitempty"` // in hex; empty where it isn't known
	Error  string `json:"error,omitempty"`  // why it could not be read
}

// summer sums up the files of folders, some at a time.
type summer struct {
	fs       vfs.FS
	known    map[string]Sum
	progress func(done, total int64)
	lenient  []string // the folders whose files may be unreadable

	total int64
	mu    sync.Mutex // guards done, and progress
	done  int64
}

// folder returns the files in a folder, sorted by name, without their sums. Folders in it, and what is no
// file, are left out.
func (s *summer) folder(dir string) ([]File, error) {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	list := []File{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		list = append(list, File{Name: e.Name(), Size: info.Size()})
	}
	slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// sum fills in the sums of files, each in the folder of its list. In a lenient folder, a file that can't be
// read has an error in the place of a sum.
func (s *summer) sum(ctx context.Context, dirs map[string][]File) error {
	type task struct {
		path string
		file *File
	}
	var tasks []task
	for dir, files := range dirs {
		for i := range files {
			path := filepath.Join(dir, files[i].Name)
			if sum, ok := s.known[path]; ok {
				files[i].SHA256 = sum.String()
				continue
			}
			tasks = append(tasks, task{path, &files[i]})
			s.total += files[i].Size
		}
	}
	slices.SortFunc(tasks, func(a, b task) int { return cmp.Compare(a.path, b.path) })
	next, errs := atomic.Int64{}, make([]error, min(runtime.GOMAXPROCS(0), len(tasks)))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			buf := make([]byte, sumPiece)
			for i := next.Add(1) - 1; i < int64(len(tasks)) && errs[w] == nil; i = next.Add(1) - 1 {
				errs[w] = s.one(ctx, tasks[i].path, tasks[i].file, buf)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sumPiece is how many bytes are summed up at a time: they stay in the processor's cache.
const sumPiece = 256 << 10

// one sums up a file.
func (s *summer) one(ctx context.Context, path string, file *File, buf []byte) error {
	f, err := s.fs.Open(path)
	if err != nil {
		return s.unreadable(path, file, err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	h := sha256.New()
	size := int64(0)
	for {
		n, err := f.Read(buf)
		_, _ = h.Write(buf[:n]) // a hash never fails
		size += int64(n)
		s.tell(int64(n))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s.unreadable(path, file, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if size != file.Size {
		return fmt.Errorf("%s: %d bytes, %d before: it is being written to", path, size, file.Size)
	}
	file.SHA256 = Sum(h.Sum(nil)).String()
	return nil
}

// unreadable notes why a file has no sum, where that may be. One that has gone is another matter.
func (s *summer) unreadable(path string, file *File, err error) error {
	if errors.Is(err, fs.ErrNotExist) || !slices.Contains(s.lenient, filepath.Dir(path)) {
		return err
	}
	file.Error = err.Error()
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		file.Error = e.Err.Error()
	}
	return nil
}

func (s *summer) tell(n int64) {
	if s.progress == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done += n
	s.progress(s.done, s.total)
}

// differ returns where a folder's files are not those on record: the first file by name, and why; an empty
// name if they are.
func differ(got, want []File) (name, why string) {
	for len(got) > 0 || len(want) > 0 {
		switch {
		case len(want) == 0 || len(got) > 0 && got[0].Name < want[0].Name:
			return got[0].Name, "it was not there"
		case len(got) == 0 || want[0].Name < got[0].Name:
			return want[0].Name, "it is missing"
		case got[0].Size != want[0].Size:
			return got[0].Name, fmt.Sprintf("%d bytes, want %d", got[0].Size, want[0].Size)
		case got[0].Error != want[0].Error && got[0].Error != "":
			return got[0].Name, got[0].Error
		case want[0].SHA256 != "" && got[0].SHA256 != want[0].SHA256:
			return got[0].Name, fmt.Sprintf("sha256 %s, want %s", got[0].SHA256, want[0].SHA256)
		}
		got, want = got[1:], want[1:]
	}
	return "", ""
}

// same reports whether two files are the same by size and sum.
func same(a, b File) bool { return a.Size == b.Size && a.SHA256 == b.SHA256 && a.SHA256 != "" }

// sumOne sums up one file.
func sumOne(ctx context.Context, fsys vfs.FS, path string) (File, error) {
	info, err := fsys.Stat(path)
	if err != nil {
		return File{}, err
	}
	list := []File{{Name: filepath.Base(path), Size: info.Size()}}
	s := summer{fs: fsys}
	err = s.sum(ctx, map[string][]File{filepath.Dir(path): list})
	return list[0], err
}
