package walcmd

import (
	"errors"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// checkSnapshots reads the .snap files beside the log, if their place is known. It sets the options
// to those that are intact, and returns findings on the others.
func (s *source) checkSnapshots(opts *wal.VerifyOptions) (bad []wal.Finding) {
	if s.snapFS == nil {
		return nil
	}
	ids, err := snapshot.List(s.snapFS, s.snapDir)
	if err != nil {
		return nil // verify then says that the snapshots were not checked
	}
	intact := make([]raftpb.EntryID, 0, len(ids))
	for _, id := range ids {
		_, err := snapshot.Read(s.snapFS, s.snapDir, id)
		if err == nil {
			intact = append(intact, id)
			continue
		}
		f := wal.Finding{
			Class:    "snapshot_corrupt",
			Severity: wal.SeverityWarning,
			Pos:      wal.Position{Segment: snapshot.FileName(id)},
			Evidence: err.Error(),
		}
		var corrupt *snapshot.CorruptError
		if errors.As(err, &corrupt) {
			f.Pos.Off, f.Evidence = corrupt.Off, corrupt.Err.Error()
		}
		bad = append(bad, f)
	}
	opts.Snapshots = intact
	return bad
}
