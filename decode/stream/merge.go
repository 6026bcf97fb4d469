package stream

import "iter"

// Merge returns the events of several sources in the order of their times. Of each source they keep the order they have,
// so that one that comes late there, with the time of when it was sent, comes as late as that. An event without a time
// comes right behind the one before it. Of those with the same time, that of the earlier source is first. The first error
// of a source ends all.
//
// Beside what the sources themselves hold, Merge holds one event of each. A source that waits for its next event has all
// wait.
func Merge(sources ...Events) Events {
	if len(sources) == 1 {
		return sources[0]
	}
	return func(yield func(*Event, error) bool) {
		var m merger
		defer m.stop()
		for _, s := range sources {
			if err := m.add(s); err != nil {
				yield(nil, err)
				return
			}
		}
		for len(m.heads) > 0 {
			at := m.first()
			if !yield(m.heads[at].event, nil) {
				return
			}
			if err := m.advance(at); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// merger holds the next event of each source that has one.
type merger struct {
	heads []*mergeHead
}

type mergeHead struct {
	event *Event
	next  func() (*Event, error, bool)
	stop  func()
}

func (m *merger) add(s Events) error {
	next, stop := iter.Pull2(s)
	m.heads = append(m.heads, &mergeHead{next: next, stop: stop})
	return m.advance(len(m.heads) - 1)
}

// advance asks a source for its next event, and forgets it if there is none.
func (m *merger) advance(at int) error {
	h := m.heads[at]
	e, err, ok := h.next()
	if err != nil {
		return err
	}
	if ok {
		h.event = e
		return nil
	}
	m.heads = append(m.heads[:at], m.heads[at+1:]...)
	return nil
}

// first returns the source whose event comes next.
func (m *merger) first() int {
	best := 0
	for i, h := range m.heads {
		if h.event.Time.IsZero() {
			return i
		}
		if h.event.Time.Before(m.heads[best].event.Time) {
			best = i
		}
	}
	return best
}

func (m *merger) stop() {
	for _, h := range m.heads {
		h.stop()
	}
}
