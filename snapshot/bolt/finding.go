package bolt

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
)

// Class says what is wrong with a database.
type Class string

// The classes.
const (
	ClassMetaPage    Class = "meta_page"        // one is not intact, or they don't agree
	ClassTruncated   Class = "truncated"        // the file ends before the pages that it had
	ClassPage        Class = "page"             // not as bbolt writes it, or not where it belongs
	ClassUnreadable  Class = "page_unreadable"  // the file can't be read there
	ClassTwice       Class = "page_twice"       // referred to, or run over, by more than one
	ClassBothFree    Class = "page_both_free"   // in use, and in the list of free pages
	ClassUnreachable Class = "page_unreachable" // neither in use nor in the list of free pages
	ClassFreelist    Class = "freelist"         // the list of free pages is not as bbolt writes it
	ClassLonger      Class = "file_longer"      // it has room for pages never used: no damage
)

// Finding is one thing that is not as bbolt leaves it.
type Finding struct {
	Class Class
	Page  uint64 // the first page that it is about
	Pages uint64 // how many it is about, from there on
	Off   int64  // of what is wrong, in bytes from the start of the file
	Err   error  // what was found, and what was expected; a *CorruptError where it is about a page's bytes
}

// String returns place, class and evidence on one line.
func (f *Finding) String() string {
	return fmt.Sprintf("page %d: offset %d: %s: %v", f.Page, f.Off, f.Class, f.Err)
}

// maxFindings is how many findings of one class are kept.
const maxFindings = 1000

// findings collects findings. It may be used concurrently.
type findings struct {
	*verdict.Kept[Class, Finding]
}

func newFindings() findings { return findings{verdict.Keep[Class, Finding](maxFindings)} }

func (fs findings) add(f Finding) { fs.Add(f.Class, f) }

// sorted returns the findings in the order of the file, and how many of each class are left out.
func (fs findings) sorted() (list []Finding, omitted map[Class]int) {
	list, omitted = fs.All()
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Off, b.Off), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Page, b.Page),
			cmp.Compare(a.Err.Error(), b.Err.Error()))
	})
	return list, omitted
}
