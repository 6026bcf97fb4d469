package edit

import (
	"bytes"
	"io/fs"
	"time"

	"github.com/raftctl/raftctl/repair/staging"
)

// memFile is a file that a plan adds, before it is written.
type memFile struct {
	*bytes.Reader
	name string
}

func newMemFile(s *SnapFile) *memFile { return &memFile{bytes.NewReader(s.Data), s.Name} }

func (f *memFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *memFile) Close() error               { return nil }

// What follows implements [fs.FileInfo].

func (f *memFile) Name() string       { return f.name }
func (f *memFile) Mode() fs.FileMode  { return staging.FileMode }
func (f *memFile) ModTime() time.Time { return time.Time{} }
func (f *memFile) IsDir() bool        { return false }
func (f *memFile) Sys() any           { return nil }
