package bolt

import "fmt"

// leafLevels notes on which levels the leaf pages of a part of a tree lie: in bbolt all are on one. Where
// a branch refers to a leaf further below, or to one from another place, what should be there is lost.
type leafLevels struct{ first, other *leafPlace }

type leafPlace struct {
	id    uint64
	off   int64
	level int
}

// add notes a leaf page.
func (l *leafLevels) add(p *Page) {
	switch {
	case l.first == nil:
		l.first = &leafPlace{p.ID, p.Off, p.level}
	case l.other == nil && p.level != l.first.level:
		l.other = &leafPlace{p.ID, p.Off, p.level}
	}
}

// checkLevels compares the parts of a tree, in the order of their keys.
func (c *checker) checkLevels(parts []leafLevels) {
	var first *leafPlace
	for _, part := range parts {
		for _, p := range []*leafPlace{part.first, part.other} {
			switch {
			case p == nil:
			case first == nil:
				first = p
			case p.level != first.level:
				c.lose(&CorruptError{Page: p.id, Off: p.off, Err: fmt.Errorf(
					"a leaf on level %d, and page %d is one on level %d, want all on one", p.level, first.id, first.level)})
			}
		}
	}
}
