package walcmd

import "iter"

// ring keeps the last lines of many.
type ring struct {
	size  int
	lines [][]byte
	next  int // where the next line goes, once there are size of them
}

// push keeps a copy of the line, in place of the oldest where there is no room.
func (r *ring) push(line []byte) {
	if len(r.lines) < r.size {
		r.lines = append(r.lines, append([]byte(nil), line...))
		return
	}
	r.lines[r.next] = append(r.lines[r.next][:0], line...)
	r.next = (r.next + 1) % r.size
}

// all yields the lines, the oldest first.
func (r *ring) all() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range r.lines {
			if !yield(r.lines[(r.next+i)%len(r.lines)]) {
				return
			}
		}
	}
}
