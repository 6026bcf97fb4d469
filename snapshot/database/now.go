package database

import "context"

// Now returns the current revision, and the one up to which compaction was asked for. Little of the
// database is read.
func (db *DB) Now(ctx context.Context) (revision, compacted int64, err error) {
	at, err := db.at(ctx, 0)
	return at.revision, at.compacted, err
}
