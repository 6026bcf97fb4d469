package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/bolt"
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
	v := &verification{db: db, ctx: ctx, o: &o, found: newFindings()}
	sum := make(chan error, 1)
	go func() { sum <- v.sumUp() }()
	err := v.check()
	if err != nil {
		cancel()
	}
	if err := errors.Join(err, <-sum); err != nil {
		return nil, err
	}
	if err := db.unchanged(); err != nil {
		return nil, err
	}
	v.judgeTrailer()
	v.report.Findings, v.report.Omitted = v.found.sorted()
	v.report.Verdict = verdictOf(v.report.Findings)
	return &v.report, nil
}

// verification is one pass over a database.
type verification struct {
	db       *DB
	ctx      context.Context
	o        *VerifyOptions
	found    *findings
	report   Report
	sum      *trailer
	isEtcd   bool
	metaRead bool // all that the buckets meta and cluster say
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
		v.found.addf(ClassNoTrailer, "the file's size, %d, is %d modulo %d, want %d with a sha256", v.db.size,
			v.db.size%sector, sector, trailerSize)
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
		v.found.add(Finding{Class: ClassUnchecked, Off: v.db.size, Evidence: "the sha256 is from before a tool wrote " +
			"to the file, and tells nothing of it any more"})
	}
}

// check reads the pages and what is in them.
func (v *verification) check() error {
	names, err := v.db.Buckets()
	if fatal := v.found.addError("", err); fatal != nil {
		return fatal
	}
	v.isEtcd = v.checkBuckets(names, err == nil)
	meta, metaErr := v.db.Meta()
	v.metaRead = metaErr == nil
	if fatal := v.found.addError("", metaErr); fatal != nil {
		return fatal
	}
	h := newHistoryCheck(v.found, meta)
	if err := v.checkPages(h); err != nil {
		return err
	}
	if !v.isEtcd {
		return nil
	}
	if err := h.finish(v.ctx, v.db); err != nil {
		return err
	}
	v.conclude(h, meta)
	return v.checkSmall(h, meta)
}

// checkPages checks the container, and on the way the records of bucket key.
func (v *verification) checkPages(h *historyCheck) error {
	parts := make(chan chan []digest, 1<<10)
	followed := make(chan error, 1)
	go func() { followed <- h.follow(parts) }()
	report, err := v.db.bolt.Check(v.ctx, bolt.CheckOptions{
		Progress: v.o.Progress,
		Visit: func(b *bolt.Bucket, _ int) bolt.Visitor {
			switch {
			case b.Depth > 1:
				v.found.addf(ClassBucketUnknown, "bucket %.40q within another", b.Name)
			case b.Depth == 1 && b.Name == bucketKey && v.isEtcd:
				if h.bucket == nil { // once, before the first part is there to be followed
					h.bucket = b
				}
				return h.visitor(v.ctx, parts)
			}
			return nil
		},
	})
	close(parts)
	if err := errors.Join(err, <-followed); err != nil {
		return err
	}
	v.report.Bytes = report.Read
	p := report.Pages
	v.report.Pages = int64(p.Meta + p.Branch + p.Leaf + p.Freelist)
	for i := range report.Findings {
		v.addPage(&report.Findings[i])
	}
	for class, n := range report.Omitted {
		v.found.LeftOut(Class(class), n)
	}
	return nil
}

// addPage adds a finding about the container.
func (v *verification) addPage(f *bolt.Finding) {
	evidence := f.Err.Error()
	if e, ok := errors.AsType[*bolt.CorruptError](f.Err); ok {
		evidence = pageEvidence(e)
	}
	if f.Pages > 1 {
		evidence = fmt.Sprintf("pages %d..%d: %s", f.Page, f.Page+f.Pages-1, evidence)
	}
	class := Class(f.Class)
	if f.Class == bolt.ClassUnreadable {
		class, evidence = ClassUnchecked, "can't be read: "+evidence
	}
	v.found.add(Finding{Class: class, Page: f.Page, Off: f.Off, Evidence: evidence})
}

// conclude tells what the history comes to.
func (v *verification) conclude(h *historyCheck, meta *Meta) {
	last := h.last.Revision.Main
	r := &v.report
	r.Meta, r.Compacted, r.Revisions, r.Keys = *meta, meta.Compacted, h.records, h.live
	r.Revision = max(last, h.compacted, 1)
	if h.records > 0 && last < h.compacted {
		v.found.addf(ClassAllCompacted, "compacted up to %d, and the last revision is %d: whatever was written "+
			"between was deleted again, or is lost", h.compacted, last)
	}
}

// checkSmall checks what lies beside the keys.
func (v *verification) checkSmall(h *historyCheck, meta *Meta) error {
	members, membersErr := v.db.Members()
	auth, authErr := v.db.Auth()
	leases, leasesErr := v.db.Leases()
	alarms, alarmsErr := v.db.Alarms()
	if err := v.found.addError("", errors.Join(membersErr, authErr, leasesErr, alarmsErr)); err != nil {
		return err
	}
	v.checkMeta(meta)
	v.checkIndex(meta, h.records)
	if leasesErr == nil {
		v.checkLeases(h.leases, leases)
	}
	v.checkMembers(members, meta)
	if authErr == nil {
		v.checkAuth(auth)
	}
	v.checkAlarms(alarms, members)
	return nil
}
