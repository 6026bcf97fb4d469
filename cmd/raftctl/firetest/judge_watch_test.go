package firetest

import (
	"fmt"
	"sort"
)

// event is a change of a key, as a watcher is told of it.
type event struct {
	rev             int64
	key, value      string
	deleted         bool
	create, version int64
	lease           int64
}

// response is what a watcher gets at once.
type response struct {
	at     int64 // when
	rev    int64 // the header's
	events []event
}

// stream is what one watcher of all keys got, from the first revision on.
type stream struct {
	member    int
	responses []response
}

// truth is all that happened, as watchers tell it. That they tell all of it, once, and the same, is what judgeStreams decides.
type truth struct {
	events  []event
	at      map[int64]int64 // when the first watcher was told of a revision
	byValue map[string]int64
	byKey   map[string][]event
}

// firstRevision is that of the first change in a new cluster.
const firstRevision = 2

// newTruth takes the longest of the streams.
func newTruth(streams []stream) *truth {
	t := &truth{at: map[int64]int64{}, byValue: map[string]int64{}, byKey: map[string][]event{}}
	for _, s := range streams {
		var all []event
		for _, r := range s.responses {
			for _, e := range r.events {
				all = append(all, e)
				if at, ok := t.at[e.rev]; !ok || r.at < at {
					t.at[e.rev] = r.at
				}
			}
		}
		if len(all) > len(t.events) {
			t.events = all
		}
	}
	for _, e := range t.events {
		t.byKey[e.key] = append(t.byKey[e.key], e)
		if !e.deleted {
			t.byValue[e.value] = e.rev
		}
	}
	return t
}

// last returns the revision of the last event.
func (t *truth) last() int64 {
	if len(t.events) == 0 {
		return firstRevision - 1
	}
	return t.events[len(t.events)-1].rev
}

// get returns what a key was at a revision; a cell without a revision if it wasn't there.
func (t *truth) get(key string, rev int64) cell {
	all := t.byKey[key]
	i := sort.Search(len(all), func(i int) bool { return all[i].rev > rev }) - 1
	if i < 0 || all[i].deleted {
		return cell{}
	}
	return cell{value: all[i].value, rev: all[i].rev}
}

// judgeStreams decides whether each watcher was told of each change, once, in order, whole transactions at a time, and of the same ones
// as all others.
func judgeStreams(streams []stream) error {
	for _, s := range streams {
		if err := s.judgeOrder(); err != nil {
			return fmt.Errorf("the watcher of member %d: %w", s.member, err)
		}
	}
	all := newTruth(streams)
	for _, s := range streams {
		if err := s.compare(all); err != nil {
			return fmt.Errorf("the watcher of member %d: %w", s.member, err)
		}
	}
	return all.judgeVersions()
}

func (s *stream) judgeOrder() error {
	last := int64(firstRevision - 1)
	for _, r := range s.responses {
		seen := map[string]bool{}
		for i, e := range r.events {
			if i == 0 || e.rev != last {
				clear(seen)
				if e.rev != last+1 {
					return fmt.Errorf("revision %d follows %d", e.rev, last)
				}
			}
			if last = e.rev; seen[e.key] {
				return fmt.Errorf("revision %d: key %s twice", e.rev, e.key)
			}
			seen[e.key] = true
		}
		if r.rev < last || len(r.events) == 0 && r.rev > last {
			return fmt.Errorf("it has heard of all until revision %d, and was told until %d", r.rev, last)
		}
	}
	return nil
}

func (s *stream) compare(all *truth) error {
	n := 0
	for _, r := range s.responses {
		for _, e := range r.events {
			if want := all.events[n]; e != want {
				return fmt.Errorf("%+v, another was told %+v", e, want)
			}
			n++
		}
	}
	if n != len(all.events) {
		return fmt.Errorf("told of %d events, another of %d", n, len(all.events))
	}
	return nil
}

// judgeVersions decides whether keys' versions and creations follow from the changes.
func (t *truth) judgeVersions() error {
	for _, all := range t.byKey {
		var before event
		before.deleted = true
		for _, e := range all {
			want := event{create: before.create, version: before.version + 1}
			switch {
			case e.deleted && before.deleted:
				return fmt.Errorf("%+v deletes a key that isn't there", e)
			case e.deleted:
				want = event{}
			case before.deleted:
				want = event{create: e.rev, version: 1}
			}
			if e.create != want.create || e.version != want.version {
				return fmt.Errorf("%+v, want creation %d and version %d", e, want.create, want.version)
			}
			before = e
		}
	}
	return nil
}
