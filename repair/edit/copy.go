package edit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"

	"github.com/raftctl/raftctl/repair/staging"
)

// pieceSize is that of a piece of a copy, in bytes: it stays in the processor's cache until it is summed up and
// written. flushSize is how many bytes are given to the disk at a time.
const (
	pieceSize = 256 << 10
	flushSize = 8 << 20
)

// sums are those of files that were copied.
type sums struct {
	mu     sync.Mutex
	source map[string]change.Sum // of segments of the source, by name
	made   map[string]change.Sum // of segments of the result
}

func (s *sums) set(m *map[string]change.Sum, name string, h hash.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *m == nil {
		*m = map[string]change.Sum{}
	}
	(*m)[name] = change.Sum(h.Sum(nil))
}

// copyJob is a segment that is copied, under its new name.
type copyJob struct {
	file  string
	size  int64 // bytes of it
	whole bool  // these are all
}

// copySegments copies segments, some at a time.
func (m *maker) copySegments(ctx context.Context, jobs []copyJob) error {
	return InParallel(ctx, len(jobs), func(ctx context.Context, i int) error {
		if err := m.copySegment(ctx, jobs[i]); err != nil {
			return fmt.Errorf("%s: %w", jobs[i].file, err)
		}
		return nil
	})
}

// copyJobs returns the segments, or those up to where the rest is written anew.
func (m *maker) copyJobs(r *Rewrite) (list []copyJob) {
	defer func() {
		for _, j := range list {
			m.toCopy += j.size
		}
	}()
	for _, s := range m.log.Segments() {
		if r != nil && s.File == r.From.Segment {
			if r.From.Off > 0 {
				list = append(list, copyJob{s.File, r.From.Off, false})
			}
			break
		}
		list = append(list, copyJob{s.File, s.Size, true})
	}
	return list
}

// copySegment copies a segment, corrected.
func (m *maker) copySegment(ctx context.Context, j copyJob) (err error) {
	name, _ := m.laid.source(path.Join(m.log.Dir(), j.file))
	in, _, err := vfs.OpenRegular(m.Source.FS(), name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	from, ok := in.(io.ReaderAt)
	if !ok {
		return errors.New("can't be read at an offset")
	}
	c := segmentCopy{ctx: ctx, from: from, size: j.size, patches: m.laid.patches[path.Base(name)], tell: m.tellCopied}
	c.to, err = m.FS.OpenFile(filepath.Join(m.Dir, j.file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, staging.FileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.to.Close()) }()
	if err := c.to.Allocate(c.size); err != nil { // what is zero isn't written
		return err
	}
	if err := c.run(); err != nil {
		return err
	}
	if j.whole {
		m.sums.set(&m.sums.source, path.Base(name), c.raw)
		m.sums.set(&m.sums.made, j.file, c.made)
	}
	return c.to.Sync()
}

// segmentCopy copies the first bytes of a file, with some of them corrected, and sums up both.
type segmentCopy struct {
	ctx       context.Context
	from      io.ReaderAt
	to        vfs.File
	size      int64
	patches   []Patch
	raw, made hash.Hash
	tell      func(n int64) // that so many bytes more are copied
}

func (c *segmentCopy) run() error {
	c.made = sha256.New()
	if c.raw = c.made; len(c.patches) > 0 {
		c.raw = sha256.New()
	}
	buf, begun := make([]byte, pieceSize), int64(0)
	for off := int64(0); off < c.size; {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		b := buf[:min(pieceSize, c.size-off)]
		if _, err := c.from.ReadAt(b, off); err != nil {
			return fmt.Errorf("offset %d: %w", off, err)
		}
		if err := c.piece(b, off); err != nil {
			return err
		}
		if off += int64(len(b)); off-begun >= flushSize {
			vfs.WriteBehind(c.to, begun, off-begun)
			c.tell(off - begun)
			begun = off
		}
	}
	return nil
}

// tellCopied tells that so many bytes more are copied.
func (m *maker) tellCopied(n int64) {
	if m.Progress == nil {
		return
	}
	m.sums.mu.Lock()
	defer m.sums.mu.Unlock()
	m.copied += n
	m.Progress("copy the log", m.copied, m.toCopy)
}

// piece corrects and writes a piece.
func (c *segmentCopy) piece(b []byte, off int64) error {
	if len(c.patches) > 0 {
		c.raw.Write(b)
		for i := range c.patches {
			overwrite(b, off, &c.patches[i])
		}
	}
	c.made.Write(b)
	if isZero(b) {
		return nil
	}
	_, err := c.to.WriteAt(b, off)
	return err
}

var zeros [pieceSize]byte

func isZero(b []byte) bool { return bytes.Equal(b, zeros[:len(b)]) }

// Sums returns the sums of the segments that were copied, of the source's and of those made, by their paths.
func (m *Made) Sums(source, made string) map[string]change.Sum {
	all := map[string]change.Sum{}
	for name, sum := range m.sums.made {
		all[filepath.Join(made, name)] = sum
	}
	if source == "" {
		return all
	}
	for name, sum := range m.sums.source {
		all[filepath.Join(source, name)] = sum
	}
	return all
}
