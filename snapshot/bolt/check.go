package bolt

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// CheckOptions adjusts Check. The zero value is fit for use.
type CheckOptions struct {
	// Workers is how many parts of a bucket are read at a time; 0 stands for as many as there are CPUs.
	Workers int

	// Progress is told how many bytes were read, if it isn't nil; of the file's size, pages that are
	// not in use are not read. It isn't called concurrently.
	Progress func(done int64)

	// Visit, if it isn't nil, is asked for each part of each bucket what is to see its pages; nil:
	// nothing. Buckets come one after the other, each behind the one that it lies in, and all of one is
	// seen before the next comes. The parts of a bucket come in the order of their keys.
	Visit func(b *Bucket, part int) Visitor
}

// Visitor is given the leaf pages of a part in the order of their keys. In the place of pages that can't
// be read it gets the error, a *CorruptError or that of the reader, with a nil page; it is among the
// findings already. At the end of the part, or where the check ends within it, it gets neither. An
// error that it returns ends the check. Those of different parts are called concurrently; a page is
// valid until the call returns.
type Visitor func(p *Page, lost error) error

// CheckReport is what Check found.
type CheckReport struct {
	Findings []Finding     // in the order of the file; at most 1,000 of a class
	Omitted  map[Class]int // how many findings of a class are left out
	Pages    PageCounts
	Buckets  int   // all, also those within others, without the root bucket
	Read     int64 // bytes of pages that were read
	Lost     bool  // part of the tree can't be read: which pages it has is not known
}

// Damaged reports whether there is a finding that is one of damage.
func (r *CheckReport) Damaged() bool {
	for i := range r.Findings {
		if r.Findings[i].Class != ClassLonger {
			return true
		}
	}
	return false
}

// PageCounts tells what the pages below the high water are.
type PageCounts struct {
	Meta, Branch, Leaf, Freelist uint64 // with their overflow
	Overflow                     uint64 // how many of these stand behind the first of a page
	Free                         uint64 // in the list of free pages; all that are not in use, if there is none
	Unknown                      uint64 // neither: lost to bbolt, or in the part of the tree that can't be read
}

// Check reads all pages of the database that are in use, each once, and reports what is not as bbolt
// leaves it: the meta pages, all buckets, the list of free pages, and the size of the file. What
// bbolt's own check reports is among it.
//
// The error is that of ctx or of a Visitor. Damage, also what can't be read for an error of the
// reader, is in the report.
func (db *DB) Check(ctx context.Context, o CheckOptions) (*CheckReport, error) {
	c := newChecker(ctx, db, &o)
	defer c.stop(nil)
	c.checkMetas()
	c.checkBuckets()
	if err := context.Cause(c.ctx); err != nil {
		return nil, err
	}
	c.checkFreelist()
	c.checkTwice()
	c.checkSize()
	c.report.Findings, c.report.Omitted = c.found.sorted()
	c.report.Read, c.report.Lost = c.read, c.lost.Load()
	return &c.report, nil
}

// checker is one pass over all pages.
type checker struct {
	db    *DB
	ctx   context.Context
	stop  context.CancelCauseFunc
	o     *CheckOptions
	whole uint64 // pages below the high water that the file has

	heads bitmap // pages that were met
	used  bitmap // those, with their overflow, and the freelist
	twice bitmap // of those, the ones that more than one uses
	lost  atomic.Bool
	found findings

	mu     sync.Mutex // guards what follows
	report CheckReport
	read   int64
}

func newChecker(ctx context.Context, db *DB, o *CheckOptions) *checker {
	ctx, stop := context.WithCancelCause(ctx)
	whole := min(uint64(db.size/db.meta.PageSize), db.meta.HighWater)
	c := &checker{db: db, ctx: ctx, stop: stop, o: o, whole: whole, found: newFindings(),
		heads: newBitmap(whole), used: newBitmap(whole), twice: newBitmap(whole)}
	if c.o.Workers == 0 {
		c.o.Workers = runtime.GOMAXPROCS(0)
	}
	return c
}

// checkBuckets checks all buckets, each of which may tell of more.
func (c *checker) checkBuckets() {
	next := []*Bucket{c.db.RootBucket()} // the last comes first
	for len(next) > 0 && c.ctx.Err() == nil {
		b := next[len(next)-1]
		if b.Depth > 0 {
			c.report.Buckets++
		}
		inner := c.checkBucket(b)
		slices.Reverse(inner)
		next = append(next[:len(next)-1], inner...)
	}
}

// partsPerWorker is into how many parts a bucket is divided for each worker, so that all end at about
// the same time.
const partsPerWorker = 16

// checkBucket reads a bucket and returns those that it holds, in the order of their names.
func (c *checker) checkBucket(b *Bucket) []*Bucket {
	w := newWalk(c.db, c.heads)
	w.branch = c.branch
	parts := b.split(partsPerWorker*c.o.Workers, w)
	inner, levels := make([][]*Bucket, len(parts)), make([]leafLevels, len(parts))
	var group sync.WaitGroup
	slots := make(chan struct{}, c.o.Workers)
	for i, part := range parts {
		slots <- struct{}{}
		if c.ctx.Err() != nil {
			break
		}
		var visit Visitor
		if c.o.Visit != nil {
			visit = c.o.Visit(b, i)
		}
		group.Go(func() {
			defer func() { <-slots }()
			inner[i] = c.checkPart(part, visit, &levels[i])
		})
	}
	group.Wait()
	c.checkLevels(levels)
	var all []*Bucket
	for _, buckets := range inner {
		all = append(all, buckets...)
	}
	return all
}

// checkPart reads a part of a bucket and returns the buckets in it.
func (c *checker) checkPart(part *Part, visit Visitor, levels *leafLevels) (inner []*Bucket) {
	w := newWalk(c.db, c.heads)
	w.goOn, w.branch = true, c.branch
	w.yield = func(p *Page, err error) bool {
		if err != nil {
			c.lose(err)
		} else {
			levels.add(p)
			inner = append(inner, c.leaf(part.b, p)...)
		}
		if visit != nil {
			if err := visit(p, err); err != nil {
				c.stop(err)
			}
		}
		return c.ctx.Err() == nil
	}
	part.walk(w)
	if visit != nil {
		if err := visit(nil, nil); err != nil {
			c.stop(err)
		}
	}
	return inner
}

// lose notes an error in the place of pages.
func (c *checker) lose(err error) {
	c.lost.Store(true)
	corrupt, ok := errors.AsType[*CorruptError](err)
	switch {
	case !ok:
		c.found.add(unreadable(err))
	case errors.Is(err, errUsedTwice):
		c.found.add(Finding{ClassTwice, corrupt.Page, 1, corrupt.Off, err})
	default:
		c.found.add(Finding{ClassPage, corrupt.Page, 1, corrupt.Off, err})
	}
}

// branch notes a branch page.
func (c *checker) branch(p *Page) { c.met(p, &c.report.Pages.Branch) }

// leaf notes a leaf page and returns the buckets in it.
func (c *checker) leaf(b *Bucket, p *Page) (inner []*Bucket) {
	if b.Root != 0 {
		c.met(p, &c.report.Pages.Leaf)
	}
	for i := range p.Len() {
		if b.Depth > 0 && !p.IsBucket(i) {
			continue
		}
		sub, err := b.bucketAt(p, i)
		if err != nil {
			c.lose(err)
			continue
		}
		inner = append(inner, sub)
	}
	return inner
}

// met counts a page that is in use and notes its overflow. A page that some other has run over, or that
// runs over one, is used twice.
func (c *checker) met(p *Page, kind *uint64) {
	pages := uint64(p.size / c.db.meta.PageSize)
	for id := p.ID; id < p.ID+pages; id++ {
		if !c.used.add(id) {
			c.twice.add(id)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*kind += pages
	c.report.Pages.Overflow += pages - 1
	c.read += p.size
	if c.o.Progress != nil {
		c.o.Progress(c.read)
	}
}
