package firetest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// toldOf returns a stream of puts, each a revision, of the keys of group 0.
func toldOf(member int, puts ...event) stream {
	s := stream{member: member}
	for i, e := range puts {
		e.rev = firstRevision + int64(i)
		s.responses = append(s.responses, response{at: 100 * e.rev, rev: e.rev, events: []event{e}})
	}
	return s
}

// history is a right one: a = 1, then b, then a = 2.
func history() stream {
	return toldOf(1,
		event{key: keyOf(0, 0), value: "1", create: 2, version: 1},
		event{key: keyOf(0, 1), value: "b", create: 3, version: 1},
		event{key: keyOf(0, 0), value: "2", create: 2, version: 2})
}

// check compares what a judge says with what is planted: "" for a right history.
func check(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
		t.Errorf("the judge says %v, want %q", err, want)
	}
}

func TestStreamsPlanted(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(r []response) []response
		want  string
	}{
		"right":          {func(r []response) []response { return r }, ""},
		"a gap":          {func(r []response) []response { return slices.Delete(r, 1, 2) }, "revision 4 follows 2"},
		"the first lost": {func(r []response) []response { return r[1:] }, "revision 3 follows 1"},
		"the end lost":   {func(r []response) []response { return r[:2] }, "told of 2 events, another of 3"},
		"a duplicate":    {func(r []response) []response { return slices.Insert(r, 1, r[0]) }, "revision 2 follows 2"},
		"out of order":   {func(r []response) []response { return []response{r[0], r[2], r[1]} }, "revision 4 follows 2"},
		"another value": {func(r []response) []response {
			r[1].events = []event{r[1].events[0]}
			r[1].events[0].value = "c"
			return r
		}, "another was told"},
		"a key twice": {func(r []response) []response {
			r[1].events = append(r[1].events, r[1].events[0])
			return r
		}, "twice"},
		"progress too early": {func(r []response) []response {
			return slices.Insert(r, 1, response{rev: 4})
		}, "it has heard of all until revision 4"},
	} {
		t.Run(name, func(t *testing.T) {
			planted := history()
			planted.responses = c.plant(planted.responses)
			check(t, judgeStreams([]stream{history(), planted}), c.want)
		})
	}
	wrong := history()
	wrong.responses[2].events[0].version = 3
	check(t, judgeStreams([]stream{wrong}), "want creation 2 and version 2")
}

// ops is a right history of operations that goes with that of the events.
func ops() []operation {
	read := func(call int64, rev int64, c cells) operation {
		return operation{client: 2, call: call, ret: call + 5, known: true, answer: answer{rev: rev, cells: c}}
	}
	put := func(call int64, rev int64, w write) operation {
		return operation{client: 1, call: call, ret: call + 20, known: true, request: request{writes: []write{w}},
			answer: answer{ok: true, rev: rev}}
	}
	return []operation{
		put(100, 2, write{0, "1"}),
		read(130, 2, cells{{"1", 2}}),
		put(150, 3, write{1, "b"}),
		put(200, 4, write{0, "2"}),
		read(230, 4, cells{{"2", 4}, {"b", 3}}),
	}
}

func TestKVPlanted(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(o []operation) []operation
		want  string
	}{
		"right": {func(o []operation) []operation { return o }, ""},
		"a lost put": {func(o []operation) []operation {
			return append(o, operation{call: 300, ret: 310, known: true, request: request{writes: []write{{2, "x"}}},
				answer: answer{ok: true, rev: 4}})
		}, "the write is lost"},
		"a put that was never seen": {func(o []operation) []operation {
			return append(o, operation{call: 300, ret: 310, known: true, request: request{writes: []write{{2, "x"}}},
				answer: answer{ok: true, rev: 5}})
		}, "the last of all is 4"},
		"without an answer, and it was not": {func(o []operation) []operation {
			return append(o, operation{call: 90, ret: never, request: request{writes: []write{{2, "x"}}}})
		}, ""},
		"without an answer, and it was": {func(o []operation) []operation {
			o[2].known, o[2].answer = false, answer{}
			return o
		}, ""},
		"a stale read": {func(o []operation) []operation {
			o[4].answer = answer{rev: 3, cells: cells{{"1", 2}, {"b", 3}}}
			return o
		}, "isn't after"},
		"a stale read that may be": {func(o []operation) []operation {
			o[4].answer, o[4].stale = answer{rev: 3, cells: cells{{"1", 2}, {"b", 3}}}, true
			return o
		}, ""},
		"a wrong read that may be stale": {func(o []operation) []operation {
			o[4].answer, o[4].stale = answer{rev: 3, cells: cells{{"2", 4}, {"b", 3}}}, true
			return o
		}, "read was"},
		"a read of what was never written": {func(o []operation) []operation {
			o[1].cells[0].value = "0"
			return o
		}, "read was"},
	} {
		t.Run(name, func(t *testing.T) { check(t, judgeKV(c.plant(ops()), newTruth([]stream{history()})), c.want) })
	}
}

// The model itself finds what has no order, also where no watcher helps.
func TestOrderPlanted(t *testing.T) {
	check(t, judgeOrder(ops()), "")
	for name, plant := range map[string]func(o []operation) []operation{
		"a stale read": func(o []operation) []operation {
			o[4].cells[0] = cell{"1", 2}
			return o
		},
		"a put too little": func(o []operation) []operation { return slices.Delete(o, 2, 3) },
		"a condition that doesn't hold": func(o []operation) []operation {
			o[3].ifs = map[int]int64{0: 3}
			return o
		},
		"a condition that holds": func(o []operation) []operation {
			o[3].ifs, o[3].ok = map[int]int64{0: 2}, false
			return o
		},
		"a revision before another": func(o []operation) []operation {
			o[3].rev, o[4].cells[0].rev = 3, 3
			return o
		},
	} {
		t.Run(name, func(t *testing.T) { check(t, judgeOrder(plant(ops())), "no order") })
	}
}

func TestLeasesPlanted(t *testing.T) {
	const second = int64(time.Second)
	gone := func(at int64) *truth {
		s := toldOf(1, event{key: "l", value: "1", create: 2, version: 1}, event{key: "l", deleted: true})
		s.responses[1].at = at
		return newTruth([]stream{s})
	}
	for name, c := range map[string]struct {
		life life
		at   int64
		want string
	}{
		"right":               {life{"l", 3 * time.Second, second, 0}, 4 * second, ""},
		"early":               {life{"l", 3 * time.Second, second, 0}, 4*second - 1, "before the 3s"},
		"early for a renewal": {life{"l", 3 * time.Second, 2 * second, 0}, 4 * second, "ended 1s before"},
		"revoked":             {life{"l", 3 * time.Second, second, 2 * second}, 3 * second, ""},
		"revoked after it":    {life{"l", 3 * time.Second, second, 3 * second}, 2 * second, "before the 3s"},
	} {
		t.Run(name, func(t *testing.T) { check(t, judgeLeases([]life{c.life}, gone(c.at)), c.want) })
	}
	stays := newTruth([]stream{toldOf(1, event{key: "l", value: "1", create: 2, version: 1})})
	check(t, judgeLeases([]life{{key: "l", ttl: time.Second}}, stays), "still there")
}

func TestHoldsPlanted(t *testing.T) {
	a := hold{"a", 1, 10, 20}
	for name, c := range map[string]struct {
		other hold
		want  string
	}{
		"after":         {hold{"a", 2, 20, 30}, ""},
		"of another":    {hold{"b", 2, 15, 30}, ""},
		"too late":      {hold{"a", 2, 15, 12}, ""},
		"two":           {hold{"a", 2, 19, 30}, "held by two"},
		"two, within":   {hold{"a", 2, 12, 14}, "held by two"},
		"two, and more": {hold{"a", 2, 5, 30}, "held by two"},
	} {
		t.Run(name, func(t *testing.T) { check(t, judgeHolds([]hold{a, c.other}), c.want) })
	}
}

func TestNamesPlanted(t *testing.T) {
	n := func(v verb, call int64, there, known bool) naming {
		return naming{verb: v, name: "x", call: call, ret: call + 5, there: there, known: known}
	}
	for name, c := range map[string]struct {
		all  []naming
		want string
	}{
		"right":                 {[]naming{n(add, 0, false, true), n(look, 10, true, true), n(remove, 20, true, true)}, ""},
		"lost":                  {[]naming{n(add, 0, false, true), n(look, 10, false, true)}, "no order"},
		"back again":            {[]naming{n(add, 0, false, true), n(remove, 10, true, true), n(look, 20, true, true)}, "no order"},
		"added twice":           {[]naming{n(add, 0, false, true), n(add, 10, false, true)}, "no order"},
		"unknown, and it is":    {[]naming{n(add, 0, false, false), n(look, 10, true, true)}, ""},
		"unknown, and it isn't": {[]naming{n(add, 0, false, false), n(look, 10, false, true)}, ""},
	} {
		t.Run(name, func(t *testing.T) { check(t, judgeNames(c.all), c.want) })
	}
}

func TestHashesPlanted(t *testing.T) {
	a := hashed{1, 10, 5, 1}
	for name, c := range map[string]struct {
		other hashed
		want  string
	}{
		"the same":         {hashed{2, 10, 5, 1}, ""},
		"another revision": {hashed{2, 11, 5, 2}, ""},
		"another":          {hashed{2, 10, 5, 2}, "don't have the same keys"},
	} {
		t.Run(name, func(t *testing.T) { check(t, judgeHashes([]hashed{a, c.other}), c.want) })
	}
}
