package kv

import (
	"github.com/coreos/go-semver/semver"
	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/storage/schema"
)

// StorageVersion returns the release that the database says it has the form of, nil if it doesn't: 3.6 and later
// write it.
func (s *Store) StorageVersion() (v *semver.Version) {
	_ = s.failure.guard(func() error {
		v = schema.ReadStorageVersion(s.database().ReadTx())
		return nil
	})
	return v
}

// DetectedVersion returns the release whose form the database has; nil for one of before 3.5, or in which
// 3.5 has recorded no snapshot yet.
func (s *Store) DetectedVersion() (v *semver.Version) {
	_ = s.failure.guard(func() error {
		found, err := schema.DetectSchemaVersion(zap.NewNop(), s.database().ReadTx())
		if err == nil {
			v = &found
		}
		return nil
	})
	return v
}

// Migrate gives the database the form of a release. To an earlier one it may be called only when a snapshot is
// recorded behind the entry that lowered the version of the cluster: the log behind it has nothing then
// that the earlier release doesn't know.
func (s *Store) Migrate(to semver.Version) error {
	return s.failure.guard(func() error {
		tx := s.database().BatchTx()
		tx.LockOutsideApply()
		defer tx.Unlock()
		return schema.UnsafeMigrate(s.lg, tx, plainLog{}, to)
	})
}

// plainLog is a log that every release can read.
type plainLog struct{}

// MinimalEtcdVersion implements etcd's wal.Version.
func (plainLog) MinimalEtcdVersion() *semver.Version { return nil }
