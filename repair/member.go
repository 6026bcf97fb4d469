package repair

import (
	"context"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// OpenOptions say where a member's files lie, and what is told while they are read.
type OpenOptions struct {
	// WalDir is the directory of segments where etcd was started with a dedicated one. The path that is
	// opened is then the data directory.
	WalDir string
	// Dir is the directory that relative paths start from; the process's own by default.
	Dir string
	// State says that the path must have snapshot files or a database: a log alone is not enough.
	State bool
	// Progress is told now and then how many bytes of the log were read.
	Progress func(bytes, total int64)
	// Unpacked is told how many bytes of the database were unpacked or copied, where it is compressed or a
	// running process holds it; the total is 0 if it isn't known.
	Unpacked func(done, total int64)
}

// Member is the files of one member, open for reading.
type Member struct {
	Name   string // the path, as it was given
	Place  *datadir.Member
	walDir string // as it was given; empty where there is none

	Log    *wal.Log        // nil if there is none, or it can't be opened: see LogErr
	Report *outlook.Report // of the log
	LogErr error

	Files    []snapshot.File // in member/snap
	FilesErr error

	Database *Database // nil if there is none, or it can't be read: see DatabaseErr
	// DatabaseErr says why there is no Database though there is a file; nil if there is none.
	DatabaseErr error

	stamps   []stamp          // of the segments, from before the log was read; nil if there are none
	dir      string           // that relative paths start from
	db       *database.DB     // nil if it can't be opened
	storeErr map[string]error // by the name of a .snap file that is intact: why its v2 store can't be read
	newest   *newestStore     // of the newest intact .snap file with a store; nil if there is none
}

// Database is what the database says of how far the member has come, and of the cluster.
type Database struct {
	Meta    database.Meta
	Members database.Members
	Alarms  []database.Alarm
	Size    int64
}

// Applied returns the last entry that the database has applied; the term is 0 where it doesn't say.
func (d *Database) Applied() raftpb.EntryID {
	if d == nil {
		return raftpb.EntryID{}
	}
	return raftpb.EntryID{Term: d.Meta.Term, Index: d.Meta.ConsistentIndex}
}

// Open opens and reads a member: a data directory, a directory of segments, one segment, a database, a .snap
// file, or an archive of these. What is missing or can't be read of it is noted in the Member. The error is
// that of a path that holds nothing of a member, or of the context.
func Open(ctx context.Context, name string, o OpenOptions) (*Member, error) {
	place, err := findMember(name, &o)
	if err != nil {
		return nil, err
	}
	m := &Member{Name: name, Place: place, walDir: o.WalDir, dir: o.Dir}
	m.readLog(ctx, &o)
	m.readFiles(ctx)
	m.readDatabase(ctx, &o)
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// Close closes the files.
func (m *Member) Close() error {
	if m.db != nil {
		_ = m.db.Close() // opened for reading
	}
	if m.Log != nil {
		_ = m.Log.Close() // likewise
	}
	return m.Place.Close()
}

// readLog verifies the log. It is read before the database: whatever snapshot it has then, the database
// of a running etcd has by the time that it is opened.
func (m *Member) readLog(ctx context.Context, o *OpenOptions) {
	if p := &m.Place.Log; p.State != datadir.Present {
		m.LogErr = p.Err
		return
	}
	log, err := wal.OpenMember(m.Place.Borrow())
	if err != nil {
		m.LogErr = err
		return
	}
	m.Log = log
	if m.stamps, err = stampsOf(log); err != nil {
		m.stamps = nil // reading tells why
	}
	m.Report, m.LogErr = outlook.Examine(ctx, log, outlook.Options{
		Member: m.Place, Verify: wal.VerifyOptions{Progress: progressOf(log, o.Progress)},
	})
}

func progressOf(log *wal.Log, tell func(bytes, total int64)) func(int64) {
	if tell == nil {
		return nil
	}
	total := sizeOf(log)
	return func(bytes int64) { tell(bytes, total) }
}

// sizeOf returns the size of all segments, in bytes.
func sizeOf(log *wal.Log) (size int64) {
	for _, s := range log.Segments() {
		size += s.Size
	}
	return size
}

func readDatabase(db *database.DB) (*Database, error) {
	meta, err := db.Meta()
	if err != nil {
		return nil, fmt.Errorf("meta: %w", err)
	}
	d := &Database{Meta: *meta, Size: db.Size()}
	if members, err := db.Members(); err == nil {
		d.Members = *members
	}
	d.Alarms, _ = db.Alarms() // what can be read
	return d, nil
}
