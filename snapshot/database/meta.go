package database

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/coreos/go-semver/semver"

	"github.com/raftctl/raftctl/raftpb"
)

// Meta is what etcd keeps beside the keys: how far it has come, and in which form the database is.
type Meta struct {
	ConsistentIndex uint64            // index of the last entry that was applied
	Term            uint64            // its term; 0 before 3.5
	ConfState       *raftpb.ConfState // nil before 3.5
	StorageVersion  string            // "3.6.0"; empty before 3.6
	ClusterVersion  string            // "3.6.0"; empty if none was agreed on yet
	Downgrade       *Downgrade        // nil if none was ever asked for

	Scheduled int64 // the revision up to which compaction was asked for; 0 for none
	Finished  int64 // the revision up to which it was done
	Compacted int64 // the later of these: what an etcd that starts takes for compacted
}

// Downgrade says whether the cluster is on its way to an earlier release.
type Downgrade struct {
	Enabled bool   `json:"enabled"`
	Target  string `json:"target-version,omitempty"`
}

// item is an item of a bucket with its place, for errors.
type itemError struct {
	bucket, key string
	err         error
}

// Error formats the error as `bucket meta: consistent_index: 4 bytes, want 8`.
func (e *itemError) Error() string {
	return fmt.Sprintf("bucket %s: %.80q: %v", e.bucket, e.key, e.err)
}

func (e *itemError) Unwrap() error { return e.err }

// Meta reads the buckets meta and cluster. The error joins all items that can't be read; what the
// others say is there all the same.
func (db *DB) Meta() (*Meta, error) {
	m := new(Meta)
	return m, errors.Join(
		db.readItems(bucketMeta, m.set),
		db.readItems(bucketCluster, m.setCluster))
}

// maxItem bounds the keys and values of the small buckets that are looked into.
const maxItem = 1 << 20

// readItems calls set for each item of a small bucket, and joins its errors. A bucket that isn't there
// has none.
func (db *DB) readItems(bucket string, set func(key string, value []byte) error) error {
	b, err := db.bolt.Bucket(bucket)
	if err != nil || b == nil {
		return err
	}
	var errs []error
	for item, err := range b.All(nil) {
		if err == nil && len(item.Key)+len(item.Value) > maxItem {
			err = &itemError{bucket, string(item.Key[:min(len(item.Key), 80)]),
				fmt.Errorf("%d bytes, want %d at most", len(item.Key)+len(item.Value), maxItem)}
		}
		if err == nil {
			if err = set(string(item.Key), item.Value); err != nil {
				err = &itemError{bucket, string(item.Key), err}
			}
		}
		if err != nil && len(errs) < maxErrors {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// maxErrors is how many errors of one bucket are told.
const maxErrors = 100

func (m *Meta) set(key string, value []byte) (err error) {
	switch key {
	case metaConsistentIndex:
		m.ConsistentIndex, err = parseUint64(value)
	case metaTerm:
		m.Term, err = parseUint64(value)
	case metaConfState:
		m.ConfState, err = parseConfState(value)
	case metaStorageVersion:
		m.StorageVersion, err = parseVersion(value)
	case metaScheduled:
		m.Scheduled, err = parseMark(value)
	case metaFinished:
		m.Finished, err = parseMark(value)
	}
	m.Compacted = max(m.Scheduled, m.Finished)
	return err
}

func (m *Meta) setCluster(key string, value []byte) (err error) {
	switch key {
	case clusterVersion:
		m.ClusterVersion, err = parseVersion(value)
	case clusterDowngrade:
		m.Downgrade = new(Downgrade)
		err = json.Unmarshal(value, m.Downgrade)
	}
	return err
}

func parseUint64(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("%d bytes, want 8", len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// parseMark reads the revision of a compaction.
func parseMark(b []byte) (int64, error) {
	r, tombstone, err := ParseRevision(b)
	switch {
	case err != nil:
		return 0, err
	case tombstone || r.Sub != 0:
		return 0, fmt.Errorf("revision %v, want a main one", r)
	}
	return r.Main, nil
}

func parseVersion(b []byte) (string, error) {
	v, err := semver.NewVersion(string(b))
	if err != nil || len(b) > 64 {
		return "", fmt.Errorf("%.80q, want a version", b)
	}
	return v.String(), nil
}

// parseConfState reads the configuration of raft. Its IDs exceed what JSON numbers hold elsewhere.
func parseConfState(b []byte) (*raftpb.ConfState, error) {
	var j struct {
		Voters         []uint64 `json:"voters"`
		Learners       []uint64 `json:"learners"`
		VotersOutgoing []uint64 `json:"voters_outgoing"`
		LearnersNext   []uint64 `json:"learners_next"`
		AutoLeave      bool     `json:"auto_leave"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&j); err != nil {
		return nil, err
	}
	return &raftpb.ConfState{Voters: j.Voters, Learners: j.Learners, VotersOutgoing: j.VotersOutgoing,
		LearnersNext: j.LearnersNext, AutoLeave: j.AutoLeave}, nil
}

// parseLeaseID reads the key of bucket lease.
func parseLeaseID(key string) (int64, error) {
	id, err := parseUint64([]byte(key))
	if err == nil && (id > math.MaxInt64 || id == 0) {
		err = fmt.Errorf("lease %x, want one from 1 to %x", id, int64(math.MaxInt64))
	}
	return int64(id), err
}
