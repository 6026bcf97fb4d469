package snapcmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/snapshot/bolt"
	"github.com/raftctl/raftctl/snapshot/database"
)

// damageError is what is wrong with the state that should be saved.
type damageError struct {
	source string
	err    error
}

func (e *damageError) Error() string { return ui.Quote(e.source) + ": " + e.err.Error() }
func (e *damageError) Unwrap() error { return e.err }

// verifySaved reads a saved file again: its sha256, and all of the database. It says in s which
// revision it has.
func verifySaved(ctx context.Context, a *ui.App, f partFile, s *saved) error {
	p := ui.NewProgress(a, "verify "+s.Path, s.Size)
	defer p.Done()
	if err := verifyTrailer(ctx, f, s, p.Set); err != nil {
		return err
	}
	err := verifyDatabase(ctx, f, s)
	if err != nil && ctx.Err() == nil {
		return &damageError{s.Source, err}
	}
	return err
}

// verifyTrailer checks that what is on disk is what was to be written, and has its sha256 behind it.
func verifyTrailer(ctx context.Context, f partFile, s *saved, progress func(int64)) error {
	sum := sha256.New()
	in := &progressReader{ctx: ctx, r: io.NewSectionReader(f, 0, s.Size), set: progress}
	if _, err := io.CopyN(sum, in, s.Size-sha256.Size); err != nil {
		return fmt.Errorf("reading what was written: %w", err)
	}
	if got := hexSum(sum); got != s.SHA256 {
		return fmt.Errorf("sha256 %s of what was written, want %s", got, s.SHA256)
	}
	trailer := make([]byte, sha256.Size)
	if _, err := io.ReadFull(in, trailer); err != nil {
		return fmt.Errorf("reading what was written: %w", err)
	}
	if got := hex.EncodeToString(trailer); got != s.SHA256 {
		return fmt.Errorf("sha256 %s behind what was written, want %s", got, s.SHA256)
	}
	_, _ = sum.Write(trailer) // a hash never fails
	s.plainSHA256 = hexSum(sum)
	return nil
}

// verifyDatabase reads all buckets of the database.
func verifyDatabase(ctx context.Context, f io.ReaderAt, s *saved) error {
	db, err := bolt.Open(f, s.Size-sha256.Size)
	if err != nil {
		return err
	}
	for _, m := range db.Metas() {
		if _, ok := errors.AsType[*bolt.CorruptError](m.Err); m.Err != nil && !ok {
			return m.Err // one that is corrupt doesn't matter where the other isn't
		}
	}
	keys := false
	for b, err := range db.Buckets() {
		if err != nil {
			return err
		}
		last, err := walkBucket(ctx, b)
		if err != nil {
			return fmt.Errorf("bucket %q: %w", b.Name, err)
		}
		if b.Name != keyBucket {
			continue
		}
		keys = true
		if last == nil {
			continue // of a member that nobody wrote to
		}
		revision, _, err := database.ParseRevision(last)
		if err != nil {
			return fmt.Errorf("bucket %q: %w", b.Name, err)
		}
		s.Revision = revision.Main
	}
	if !keys {
		return errors.New(`no bucket "key": not a database of etcd`)
	}
	return nil
}

// keyBucket is where etcd keeps the history of its keys, by revision.
const keyBucket = "key"

// walkBucket reads all pages of a bucket and returns its last key.
func walkBucket(ctx context.Context, b *bolt.Bucket) (last []byte, err error) {
	for p, err := range b.Leaves(nil) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if n := p.Len(); n > 0 {
			key, _ := p.Element(n - 1)
			last = append(last[:0], key...)
		}
	}
	return last, nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
