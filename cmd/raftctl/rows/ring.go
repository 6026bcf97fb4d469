package rows

import "iter"

// Ring keeps the last lines of many.
type Ring struct {
	Size  int // how many
	lines [][]byte
	next  int // where the next line goes, once there are Size of them
}

// Len returns how many lines are kept.
func (r *Ring) Len() int { return len(r.lines) }

// Push keeps a copy of the line, in place of the oldest where there is no room.
func (r *Ring) Push(line []byte) {
	if len(r.lines) < r.Size {
		r.lines = append(r.lines, append([]byte(nil), line...))
		return
	}
	r.lines[r.next] = append(r.lines[r.next][:0], line...)
	r.next = (r.next + 1) % r.Size
}

// All yields the lines, the oldest first.
func (r *Ring) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range r.lines {
			if !yield(r.lines[(r.next+i)%len(r.lines)]) {
				return
			}
		}
	}
}
