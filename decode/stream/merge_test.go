package stream_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
)

// timed is a source of events with these times, in seconds; 0 is no time. They share the memory of one event, as
// those of a decoder do. It notes how many were asked for.
type timed struct {
	name  string
	times []int64
	err   error // in the end
	asked int
	ended bool
}

func (s *timed) events(yield func(*stream.Event, error) bool) {
	defer func() { s.ended = true }()
	var e stream.Event
	for _, t := range s.times {
		s.asked++
		e = stream.Event{Pos: stream.Pos{Source: s.name}}
		if t > 0 {
			e.Time = time.Unix(t, 0)
		}
		if !yield(&e, nil) {
			return
		}
	}
	if s.err != nil {
		yield(nil, s.err)
	}
}

// merged returns what comes of sources, as NAME and time, and how it ends.
func merged(sources ...*timed) (got []string, err error) {
	var all []stream.Events
	for _, s := range sources {
		all = append(all, s.events)
	}
	for e, err := range stream.Merge(all...) {
		if err != nil {
			return got, err
		}
		n := int64(0)
		if !e.Time.IsZero() {
			n = e.Time.Unix()
		}
		got = append(got, fmt.Sprint(e.Pos.Source, n))
	}
	return got, nil
}

func TestMerge(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		sources []*timed
		want    []string
		err     error
	}{
		"none":         {nil, nil, nil},
		"one":          {[]*timed{{name: "a", times: []int64{2, 1}}}, []string{"a2", "a1"}, nil},
		"in turn":      {[]*timed{{name: "a", times: []int64{1, 4, 5}}, {name: "b", times: []int64{2, 3, 6}}}, []string{"a1", "b2", "b3", "a4", "a5", "b6"}, nil},
		"same time":    {[]*timed{{name: "a", times: []int64{1, 1}}, {name: "b", times: []int64{1}}}, []string{"a1", "a1", "b1"}, nil},
		"late in one":  {[]*timed{{name: "a", times: []int64{4, 1, 5}}, {name: "b", times: []int64{2, 4, 9}}}, []string{"b2", "a4", "a1", "b4", "a5", "b9"}, nil},
		"no time":      {[]*timed{{name: "a", times: []int64{3, 4}}, {name: "b", times: []int64{2, 0, 5}}}, []string{"b2", "b0", "a3", "a4", "b5"}, nil},
		"empty ones":   {[]*timed{{name: "a"}, {name: "b", times: []int64{1}}, {name: "c"}}, []string{"b1"}, nil},
		"broken":       {[]*timed{{name: "a", times: []int64{1, 3}, err: broken}, {name: "b", times: []int64{2, 4}}}, []string{"a1", "b2", "a3"}, broken},
		"broken first": {[]*timed{{name: "a", times: []int64{1}}, {name: "b", err: broken}}, nil, broken},
	} {
		got, err := merged(tc.sources...)
		if diff := cmp.Diff(tc.want, got); diff != "" || !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
		for _, s := range tc.sources {
			if !s.ended && s.asked > 0 {
				t.Errorf("%s: source %s is left open", name, s.name)
			}
		}
	}
}

// Sorted sources come out sorted, with all that they have, and one event of each is held.
func TestMergeOfMany(t *testing.T) {
	var sources []*timed
	var all []stream.Events
	total := 0
	for i := range 50 {
		s := &timed{name: fmt.Sprint(i)}
		for range rand.IntN(100) {
			s.times = append(s.times, rand.Int64N(1000)+1)
		}
		slices.Sort(s.times)
		total += len(s.times)
		sources, all = append(sources, s), append(all, s.events)
	}
	n, last := 0, time.Time{}
	for e, err := range stream.Merge(all...) {
		if err != nil || e.Time.Before(last) {
			t.Fatalf("%v behind %v, %v", e.Time, last, err)
		}
		last = e.Time
		n++
		asked := 0
		for _, s := range sources {
			asked += s.asked
		}
		if asked > n+len(sources) {
			t.Fatalf("%d events were asked for, %d told", asked, n)
		}
	}
	if n != total {
		t.Errorf("%d events, want %d", n, total)
	}
}

// Who has enough leaves no source open.
func TestMergeLeft(t *testing.T) {
	a, b := &timed{name: "a", times: []int64{1, 2, 3}}, &timed{name: "b", times: []int64{2, 3}}
	for _, err := range stream.Merge(a.events, b.events) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if !a.ended || !b.ended || a.asked != 1 || b.asked != 1 {
		t.Errorf("%+v, %+v", a, b)
	}
}
