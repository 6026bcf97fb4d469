package restore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/rehearse"
	"github.com/raftctl/raftctl/repair/staging"
	"github.com/raftctl/raftctl/snapshot/database"
)

// rehearse boots a copy of a member, and compares what it then has with what was written.
func (r *run) rehearse(ctx context.Context, s *staged) error {
	if !r.plan.o.Rehearse {
		return nil
	}
	if r.hash == nil {
		if err := r.computeHash(ctx, s); err != nil {
			return err
		}
	}
	got, err := rehearse.Run(ctx, rehearse.Options{
		FS: r.fs, SnapDir: s.Snap(), WALDir: s.Log(), Scratch: filepath.Join(s.Dir.Member(), "rehearsal"),
		Progress: func(stage rehearse.Stage, done, total int64) {
			r.progress(map[rehearse.Stage]Step{rehearse.StageCopy: StepBootCopy, rehearse.StageRead: StepBoot}[stage], done, total)
		},
	})
	if err != nil {
		return fmt.Errorf("rehearsal of member %s: %w", s.Name, err)
	}
	if got.Hash != r.hash.Hash || got.Revision != r.plan.Revision {
		return fmt.Errorf("rehearsal of member %s: hash %d at revision %d, want %d at %d", s.Name, got.Hash, got.Revision,
			r.hash.Hash, r.plan.Revision)
	}
	r.result.Rehearsals = append(r.result.Rehearsals, got)
	return nil
}

// computeHash reads the database as it was written; all members have the same one.
func (r *run) computeHash(ctx context.Context, s *staged) error {
	db, err := database.Open(ctx, vfs.DirFS(r.fs, s.Snap()), staging.DatabaseName, database.Options{})
	if err != nil {
		return err
	}
	r.hash, err = db.HashKV(ctx, 0, func(done int64) { r.progress(StepHash, done, db.Size()) })
	return errors.Join(err, db.Close())
}
