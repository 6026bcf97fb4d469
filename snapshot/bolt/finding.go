package bolt

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// Class says what is wrong with a database.
type Class string

// The classes.
const (
	ClassMetaPage    Class = "meta_page"        // a meta page is not intact, or doesn't agree with the other
	ClassTruncated   Class = "truncated"        // the file ends before the pages that it had
	ClassPage        Class = "page"             // not as bbolt writes it, or not where it belongs
	ClassUnreadable  Class = "page_unreadable"  // the file can't be read there
	ClassTwice       Class = "page_twice"       // referred to, or run over, by more than one
	ClassBothFree    Class = "page_both_free"   // in use, and in the list of free pages
	ClassUnreachable Class = "page_unreachable" // neither in use nor in the list of free pages
	ClassFreelist    Class = "freelist"         // the list of free pages is not as bbolt writes it
	ClassLonger      Class = "file_longer"      // the file has room for pages that were never used: no damage
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

// findings collects findings, the first maxFindings of each class, and counts the others. It may be
// used concurrently.
type findings struct {
	mu   sync.Mutex
	list []Finding
	kept map[Class]int
	more map[Class]int
}

func (fs *findings) add(f Finding) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.kept == nil {
		fs.kept, fs.more = map[Class]int{}, map[Class]int{}
	}
	if fs.kept[f.Class] == maxFindings {
		fs.more[f.Class]++
		return
	}
	fs.kept[f.Class]++
	fs.list = append(fs.list, f)
}

// sorted returns the findings in the order of the file.
func (fs *findings) sorted() []Finding {
	slices.SortStableFunc(fs.list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Off, b.Off), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Page, b.Page),
			cmp.Compare(a.Err.Error(), b.Err.Error()))
	})
	return fs.list
}
