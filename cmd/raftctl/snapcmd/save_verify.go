package snapcmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path/filepath"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/database"
)

// damageError is what is wrong with the state that should be saved.
type damageError struct {
	source string
	err    error
}

func (e *damageError) Error() string { return ui.Quote(e.source) + ": " + e.err.Error() }
func (e *damageError) Unwrap() error { return e.err }

// verifySaved reads a saved file again: its sha256 and, unless that is to be left out, all of the
// database. It says in s which revision it has.
func verifySaved(ctx context.Context, a *ui.App, f partFile, s *saved, skip bool) error {
	p := ui.NewProgress(a, "verify "+s.Path, s.Size)
	defer p.Done()
	if err := verifyTrailer(ctx, f, s, p.Set); err != nil {
		return err
	}
	if skip {
		s.Verdict = verdict.Unchecked
		return nil
	}
	err := verifyDatabase(ctx, f, s, p.Set)
	if err != nil && ctx.Err() == nil {
		return &damageError{s.Source, fmt.Errorf("%w; --skip-verify saves it all the same", err)}
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

// verifyDatabase reads all of the database, as verify does.
func verifyDatabase(ctx context.Context, f io.ReaderAt, s *saved, progress func(int64)) error {
	db, err := database.OpenAt(f, s.Size-sha256.Size, filepath.Base(s.Path))
	if err != nil {
		return err
	}
	r, err := db.Verify(ctx, database.VerifyOptions{SkipTrailer: true, Progress: progress})
	if err != nil {
		return err
	}
	s.Revision, s.Verdict = r.Revision, r.Verdict
	if r.Verdict == verdict.OK {
		return nil
	}
	n := 0
	first := ""
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity == verdict.Error || f.Class == database.ClassUnchecked {
			if n++; n == 1 {
				first = f.String()
			}
		}
	}
	return fmt.Errorf("%d %s, the first at %s", n, ui.Plural(n, "problem"), first)
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
