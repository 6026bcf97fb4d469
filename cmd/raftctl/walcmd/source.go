package walcmd

import (
	"io/fs"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/wal"
)

// wantedPaths is what commands on a log take.
const wantedPaths = "a data directory, a wal directory, a segment or an archive"

// pathErr says of other paths what to do with them.
var pathErr = paths.Wanted{Paths: wantedPaths, Else: func(c datadir.Content) string {
	switch c {
	case datadir.ContentSnapshot, datadir.ContentDatabase:
		return "'raftctl snapshot status' reads it"
	}
	return ""
}}

// pathHelp says in help texts what PATH is.
const pathHelp = `PATH is a data directory, a wal directory, one segment, or an archive of these (tar, perhaps
compressed with zstd, gzip, s2 or snappy); a path may lead on into an archive. Nothing is written and
no lock is taken, so that the directory of a running etcd is fine. A compressed archive is unpacked
into an unnamed file in the temporary folder (TMPDIR, or /tmp), which takes the size of its segments.`

// source is an open log and where its snapshot files are.
type source struct {
	log     *wal.Log
	snapFS  fs.FS // nil if unknown
	snapDir string
}

// Close closes the log.
func (s *source) Close() error { return s.log.Close() }

// open opens the log at a path that the user gave. What is wrong is told with that path.
func open(a *ui.App, o *paths.Options, name string) (*source, error) {
	m, err := datadir.FindPath(name, datadir.Options{WalDir: o.WalDir, Dir: a.Dir})
	if err != nil {
		return nil, pathErr.Error(name, err)
	}
	log, err := wal.OpenMember(m)
	if err != nil {
		return nil, pathErr.Error(name, err)
	}
	s := &source{log: log}
	if m.Snap.State == datadir.Present {
		s.snapFS, s.snapDir = m.Snap.FS, m.Snap.Path
	}
	return s, nil
}
