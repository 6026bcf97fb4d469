package stat

import "time"

// waiting holds when things began that are to end, a bounded number: a new one takes the place of the oldest.
type waiting[K comparable] struct {
	since map[K]time.Time
	order []K
}

// begin notes when something began, the first time.
func (w *waiting[K]) begin(key K, t time.Time) {
	if w.since == nil {
		w.since = map[K]time.Time{}
	}
	if _, ok := w.since[key]; ok {
		return
	}
	if len(w.order) == 2*maxWaiting {
		w.drop()
	}
	w.since[key] = t
	w.order = append(w.order, key)
}

// drop forgets the older half.
func (w *waiting[K]) drop() {
	for _, key := range w.order[:maxWaiting] {
		delete(w.since, key)
	}
	w.order = append(w.order[:0], w.order[maxWaiting:]...)
}

// end returns when something began.
func (w *waiting[K]) end(key K) (t time.Time, ok bool) {
	t, ok = w.since[key]
	delete(w.since, key)
	return t, ok
}
