package restoretest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// key is what etcd tells of a key.
type key struct {
	Value                string
	Create, Mod, Version int64
	Lease                int64
}

// event is what a watch tells.
type event struct {
	Rev   int64
	Key   string
	Value string
	Del   bool
}

// moment is what is known to be true after an acknowledged request.
type moment struct {
	What      string
	Index     uint64 // applied by then; what follows up to the next moment's write changes nothing of this
	Rev       int64
	Compacted int64
	Keys      map[string]key
	Leases    []int64
	Auth      bool // enabled, with the users of setUpAuth
}

// history is a client's record: its moments, and every event. It knows what etcd's answers have to be, so
// that it is a model, too.
type history struct {
	now     moment
	moments []moment
	events  []event
}

func newHistory() *history { return &history{now: moment{Rev: 1, Keys: map[string]key{}}} }

func (h *history) put(rev int64, name, value string, lease int64) {
	k := h.now.Keys[name]
	if k.Version == 0 {
		k.Create = rev
	}
	k.Value, k.Mod, k.Lease = value, rev, lease
	k.Version++
	h.now.Keys[name] = k
	h.events = append(h.events, event{Rev: rev, Key: name, Value: value})
}

func (h *history) del(rev int64, name string) {
	delete(h.now.Keys, name)
	h.events = append(h.events, event{Rev: rev, Key: name, Del: true})
}

// withPrefix lists keys in their order.
func (h *history) withPrefix(prefix string) (names []string) {
	for name := range h.now.Keys {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// note ends a request: the revision that etcd told, and what it had applied then.
func (h *history) note(t *testing.T, what string, rev int64, index uint64) {
	t.Helper()
	want := h.now.Rev
	if n := len(h.events); n > 0 {
		want = max(want, h.events[n-1].Rev)
	}
	if rev != want {
		t.Fatalf("%s: etcd says revision %d, want %d", what, rev, want)
	}
	h.now.Rev, h.now.What, h.now.Index = rev, what, index
	m := h.now
	m.Keys, m.Leases = maps.Clone(m.Keys), slices.Clone(m.Leases)
	h.moments = append(h.moments, m)
}

// last is the last moment.
func (h *history) last() moment { return h.moments[len(h.moments)-1] }

// atRevision is the first moment at or behind a base that has a revision.
func (h *history) atRevision(base int, rev int64) moment {
	i := base + slices.IndexFunc(h.moments[base:], func(m moment) bool { return m.Rev == rev })
	return h.moments[i]
}

// beforeDelete is the moment before the last deletion of a key, or of a key that begins so, behind a base;
// false if there is none.
func (h *history) beforeDelete(base int, name string) (moment, bool) {
	for _, exact := range []bool{true, false} {
		for i := len(h.moments) - 1; i > base; i-- {
			for k := range h.moments[i-1].Keys {
				_, still := h.moments[i].Keys[k]
				if !still && (k == name || !exact && strings.HasPrefix(k, name)) {
					return h.moments[i-1], true
				}
			}
		}
	}
	return moment{}, false
}

// between returns the events of the revisions first to last.
func (h *history) between(first, last int64) (list []event) {
	for _, e := range h.events {
		if e.Rev >= first && e.Rev <= last {
			list = append(list, e)
		}
	}
	return list
}
