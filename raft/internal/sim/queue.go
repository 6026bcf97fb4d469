package sim

// event is something that is to happen.
type event struct {
	at  int64
	seq uint64 // in the order in which they were queued
	do  func()
}

// queue holds events by time, those of the same time in the order in which they were put in. It is
// a heap.
type queue struct {
	events []event
	seq    uint64
}

func (q *queue) less(i, j int) bool {
	a, b := &q.events[i], &q.events[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (q *queue) swap(i, j int) { q.events[i], q.events[j] = q.events[j], q.events[i] }

func (q *queue) push(at int64, do func()) {
	q.seq++
	q.events = append(q.events, event{at: at, seq: q.seq, do: do})
	for i := len(q.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q.less(i, parent) {
			return
		}
		q.swap(i, parent)
		i = parent
	}
}

func (q *queue) pop() (event, bool) {
	if len(q.events) == 0 {
		return event{}, false
	}
	first, last := q.events[0], len(q.events)-1
	q.swap(0, last)
	q.events[last] = event{}
	q.events = q.events[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first, true
		}
		if child+1 < last && q.less(child+1, child) {
			child++
		}
		if !q.less(child, i) {
			return first, true
		}
		q.swap(i, child)
		i = child
	}
}
