package database

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Finding is one thing about a database that is not as a healthy etcd leaves it.
type Finding struct {
	Class    Class
	Severity verdict.Severity
	Off      int64    // in the file, in bytes; of the page that it is about, or of what is wrong in it
	Page     uint64   // 0 if it is about no page
	Bucket   string   // empty if it is about no bucket
	Key      []byte   // of a client, or of an item of the bucket; nil if it is about none
	Revision Revision // of the change that it is about, if it is about one
	Evidence string   // one line: what was found, and what was expected
}

// String returns place, class and evidence on one line.
func (f *Finding) String() string {
	return fmt.Sprintf("offset %d: %s: %s", f.Off, f.Class, f.Evidence)
}

// maxFindings is how many findings of one class are kept: enough to see a pattern, little enough for a
// report on a database that is damaged all over.
const maxFindings = 100

// findings collects findings. It may be used concurrently.
type findings struct {
	*verdict.Kept[Class, Finding]
}

func newFindings() *findings { return &findings{verdict.Keep[Class, Finding](maxFindings)} }

func (fs *findings) add(f Finding) {
	f.Severity = classes[rank[f.Class]].Severity
	fs.Add(f.Class, f)
}

// addf adds a finding about the database as a whole.
func (fs *findings) addf(c Class, format string, args ...any) {
	fs.add(Finding{Class: c, Evidence: fmt.Sprintf(format, args...)})
}

// addError adds damage, which an error of reading tells, and returns an error of any other kind.
func (fs *findings) addError(bucket string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, fs.addError(bucket, e))
		}
		return errors.Join(errs...)
	}
	if e, ok := errors.AsType[*bolt.CorruptError](err); ok {
		fs.add(Finding{Class: ClassPage, Off: e.Off, Page: e.Page, Bucket: bucket, Evidence: pageEvidence(e)})
		return nil
	}
	if e, ok := errors.AsType[*RecordError](err); ok {
		fs.add(Finding{Class: ClassRecord, Off: e.Off, Page: e.Page, Bucket: bucket,
			Evidence: fmt.Sprintf("element %d: %v", e.Element, e.Err)})
		return nil
	}
	if e, ok := errors.AsType[*itemError](err); ok {
		fs.add(Finding{Class: ClassItem, Bucket: e.bucket, Key: []byte(e.key), Evidence: e.err.Error()})
		return nil
	}
	return err
}

// pageEvidence says what is wrong with a page, and what is lost with it.
func pageEvidence(e *bolt.CorruptError) string {
	if e.Before == nil && e.After == nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v; what lies from %s on and before %s is lost", e.Err, boundText(e.Before, "the start"),
		boundText(e.After, "the end"))
}

// boundText names a key of a bucket for people: a revision, or else what it is.
func boundText(key []byte, none string) string {
	if key == nil {
		return none
	}
	if r, _, err := ParseRevision(key); err == nil {
		return "revision " + r.String()
	}
	return fmt.Sprintf("%.40q", key)
}

// sorted returns the findings in the order of the classes, then of the file, and how many of each class
// are left out.
func (fs *findings) sorted() (list []Finding, omitted map[Class]int) {
	list, omitted = fs.All()
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Class], rank[b.Class]), a.Revision.Compare(b.Revision),
			cmp.Compare(a.Off, b.Off), cmp.Compare(a.Evidence, b.Evidence))
	})
	return slices.CompactFunc(list, same), omitted
}

// same reports whether two findings say the same: a page is met again by who looks for another bucket.
func same(a, b Finding) bool {
	return a.Class == b.Class && a.Off == b.Off && a.Page == b.Page && a.Bucket == b.Bucket &&
		a.Revision == b.Revision && a.Evidence == b.Evidence && bytes.Equal(a.Key, b.Key)
}

// verdictOf says what comes of findings.
func verdictOf(list []Finding) verdict.Verdict {
	v := verdict.OK
	for _, f := range list {
		switch {
		case f.Severity == verdict.Error:
			return verdict.Problem
		case f.Class == ClassUnchecked:
			v = verdict.Unchecked
		}
	}
	return v
}
