package ladder

import (
	"cmp"
	"slices"
)

// arrange orders the lanes by their labels; who is unknown comes last.
func (l *Ladder) arrange() {
	order := make([]int, len(l.lanes)) // the lanes of now, in the order to come
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := l.lanes[i], l.lanes[j]
		if unknown := a.id == 0; unknown != (b.id == 0) {
			if unknown {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.label(), b.label())
	})
	lanes, place := make([]lane, len(order)), make([]int, len(order))
	for to, from := range order {
		lanes[to], place[from] = l.lanes[from], to
		l.laneOf[l.lanes[from].id] = to
	}
	l.lanes = lanes
	for i := range l.rows {
		l.rows[i].from, l.rows[i].to = place[l.rows[i].from], place[l.rows[i].to]
	}
	for _, list := range [][]mark{l.marks.leaders, l.marks.elections} {
		for i := range list {
			list[i].lane = place[list[i].lane]
		}
	}
}
