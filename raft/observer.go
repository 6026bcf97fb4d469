package raft

// Observer is told what happens inside the core, as it happens. It must return quickly and must not
// call the RawNode that it observes. Slices in an event are not to be kept or changed.
type Observer interface {
	// Observe is called with the member's ID and one of the event types of this package.
	Observe(id uint64, e Event)
}

// ObserverFunc is a function that observes.
type ObserverFunc func(id uint64, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(id uint64, e Event) { f(id, e) }

// Event is something that happened: one of the event types of this package, by value.
type Event interface{ event() }

// notifier passes events on. Callers ask on before they build an event, so that without an observer
// none is built and nothing is allocated.
type notifier struct {
	id       uint64
	observer Observer
}

func (n *notifier) on() bool { return n.observer != nil }

func (n *notifier) emit(e Event) { n.observer.Observe(n.id, e) }
