package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/internal/verdict"
)

// VerifyOptions adjusts Verify. The zero value checks everything.
type VerifyOptions struct {
	// SkipTrailer leaves out the sha256, which takes about as long as all the rest.
	SkipTrailer bool

	// Progress is told how many bytes are done, of [DB.Size]; it may be nil.
	Progress func(done int64)
}

// Report is what Verify found.
type Report struct {
	Verdict  verdict.Verdict
	Findings []Finding     // in the order of [Classes]; at most 100 of a class
	Omitted  map[Class]int // how many findings of a class are left out

	Revision  int64 // the store's current revision
	Compacted int64
	Keys      int64 // that there are at the current revision
	Revisions int64 // records of bucket key
	Pages     int64 // in use
	Bytes     int64 // read
	Trailer   TrailerState
	Meta      Meta
}

// Verify reads all of a database and reports what is not as a healthy etcd leaves it: the pages and
// what refers to them, the sha256 behind it, and whether what etcd keeps in it agrees with itself.
//
// The error is about the file, not about damage, which the report tells.
func (db *DB) Verify(ctx context.Context, o VerifyOptions) (*Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &verification{db: db, ctx: ctx, o: &o}
	sum := make(chan error, 1)
	go func() { sum <- v.sumUp() }()
	err := v.check()
	if err != nil {
		cancel()
	}
	if err := errors.Join(err, <-sum); err != nil {
		return nil, err
	}
	v.judgeTrailer()
	v.report.Verdict, v.report.Findings, v.report.Omitted = v.found.verdict(), v.found.sorted(), v.found.more
	return &v.report, nil
}

// verification is one pass over a database.
type verification struct {
	db     *DB
	ctx    context.Context
	o      *VerifyOptions
	found  findings
	report Report
	sum    *trailer
}

// sumUp computes the sha256, if there is one to compare it with.
func (v *verification) sumUp() (err error) {
	if v.db.origin.HasTrailer && !v.o.SkipTrailer {
		v.sum, err = v.db.readTrailer(v.ctx)
	}
	return err
}

func (v *verification) judgeTrailer() {
	r := &v.report
	switch {
	case !v.db.origin.HasTrailer:
		r.Trailer = TrailerMissing
		v.found.addf(ClassNoTrailer, "the file's size, %d, is a multiple of %d", v.db.size, sector)
		return
	case v.sum == nil:
		r.Trailer = TrailerSkipped
		return
	}
	switch r.Trailer = v.sum.state; {
	case r.Trailer == TrailerWrong:
		v.found.add(Finding{Class: ClassTrailer, Off: v.db.size, Evidence: fmt.Sprintf(
			"sha256 %x, want %x", v.sum.stored, v.sum.computed)})
	case v.sum.proven:
		v.found.add(Finding{Class: ClassTrailerStale, Off: v.db.size, Evidence: fmt.Sprintf(
			"sha256 %x, want %x; it is right for all but the meta pages, which a tool has written since",
			v.sum.stored, v.sum.computed)})
	case r.Trailer == TrailerStale:
		v.found.add(Finding{Class: ClassTrailerStale, Off: v.db.size, Evidence: fmt.Sprintf(
			"sha256 %x, want %x; the meta pages, of transaction %d, are not as they are saved",
			v.sum.stored, v.sum.computed, v.db.bolt.Meta().TxID)})
	}
}

// check reads the pages and what is in them.
func (v *verification) check() error {
	names, err := v.db.Buckets()
	if err := v.found.addError("", err); err != nil {
		return err
	}
	isEtcd := v.checkBuckets(names)
	if !isEtcd {
		return nil
	}
	return v.checkContents()
}

func (v *verification) checkContents() error {
	meta, metaErr := v.db.Meta()
	members, membersErr := v.db.Members()
	auth, authErr := v.db.Auth()
	leases, leasesErr := v.db.Leases()
	alarms, alarmsErr := v.db.Alarms()
	if err := v.found.addError("", errors.Join(metaErr, membersErr, authErr, leasesErr, alarmsErr)); err != nil {
		return err
	}
	h := newHistoryCheck(&v.found, meta)
	if err := v.checkHistory(h); err != nil {
		return err
	}
	v.checkMeta(meta)
	v.checkIndex(meta, v.report.Revisions)
	v.checkLeases(h.leases, leases)
	v.checkMembers(members, meta)
	v.checkAuth(auth)
	v.checkAlarms(alarms, members)
	v.report.Meta, v.report.Compacted, v.report.Keys = *meta, meta.Compacted, h.live
	return nil
}

func (v *verification) checkHistory(h *historyCheck) error {
	b, err := v.db.bolt.Bucket(bucketKey)
	if err != nil || b == nil {
		return v.found.addError(bucketKey, err)
	}
	if err := h.read(v.ctx, v.db, b, v.o.Progress); err != nil {
		return err
	}
	v.report.Revisions = h.records
	last := h.last.Revision.Main
	v.report.Revision = max(last, h.compacted, 1)
	if h.records > 0 && last < h.compacted && last > 0 {
		v.found.addf(ClassAllCompacted, "compacted up to %d, and the last revision is %d", h.compacted, last)
	}
	return nil
}
