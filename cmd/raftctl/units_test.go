package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]span{
		"7":                    {7, 7, true},
		"3..9":                 {3, 9, true},
		"3..":                  {3, math.MaxUint64, true},
		"..9":                  {0, 9, true},
		"0..0":                 {0, 0, true},
		"9..3":                 {},
		"..":                   {},
		"":                     {},
		"-1":                   {},
		"1..2..3":              {},
		"1e3":                  {},
		"0x10":                 {},
		"99999999999999999999": {},
	} {
		var got span
		err := got.Set(text)
		if got != want || (err == nil) != want.set {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
		if err != nil {
			continue
		}
		var again span
		if err := again.Set(got.String()); err != nil || again != got {
			t.Errorf("%q: its text %q gives %+v, %v", text, got.String(), again, err)
		}
	}
}

func TestSpanMeets(t *testing.T) {
	s := span{5, 7, true}
	for _, tc := range []struct {
		first, last uint64
		want        bool
	}{{1, 4, false}, {1, 5, true}, {6, 6, true}, {7, 9, true}, {8, 9, false}, {3, 0, true}, {8, 0, false}} {
		if got := s.meets(tc.first, tc.last); got != tc.want {
			t.Errorf("[%d, %d]: got %v, want %v", tc.first, tc.last, got, tc.want)
		}
	}
}

func TestAppendSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 64_000_000: "61.0 MiB",
		1 << 40: "1.0 TiB", math.MaxInt64: "8.0 EiB",
	} {
		if got := formatSize(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestRing(t *testing.T) {
	r := ring{size: 3}
	for _, s := range []string{"a", "bb", "c", "dddd", "e"} {
		r.push([]byte(s))
	}
	var got []string
	for l := range r.all() {
		got = append(got, string(l))
	}
	if diff := cmp.Diff([]string{"c", "dddd", "e"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A table fits the width whatever is in it, and wide characters count as two columns.
func TestStreamTableWidth(t *testing.T) {
	table := newStreamTable(20, column{title: "N", width: 4, right: true}, column{title: "WHAT", width: 5}, column{title: "TEXT"})
	for _, tc := range []struct{ text, want string }{
		{"short", "   7  ab     short\n"},
		{"exactly", "   7  ab     exactly\n"},
		{"too long by far", "   7  ab     too lo…\n"},
		{"世界世界世界", "   7  ab     世界世…\n"},
		{"", "   7  ab\n"},
	} {
		table.uint(7)
		table.text("ab")
		table.text(tc.text)
		if got := string(table.end()); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
}

// The counts of the most frequent keys are exact as long as there is room, and never too low.
func TestHeavyHitters(t *testing.T) {
	var h heavyHitters
	for i := range 10 * maxHits {
		h.add([]byte{byte(i), byte(i >> 8), byte(i >> 16)}, 1)
		if i%4 == 0 {
			h.add([]byte("hot"), 10)
		}
	}
	top := h.top(1)
	if len(top) != 1 || top[0].Prefix != "hot" || top[0].Writes < 10*maxHits/4 {
		t.Errorf("got %+v, want hot with at least %d writes", top, 10*maxHits/4)
	}
	if !h.full || len(h.counts) > maxHits {
		t.Errorf("full %v, %d keys, want at most %d", h.full, len(h.counts), maxHits)
	}
}

func TestBar(t *testing.T) {
	for _, tc := range []struct {
		n, of int64
		want  string
	}{{0, 8, ""}, {8, 8, "████"}, {4, 8, "██"}, {1, 1000, "▏"}, {3, 8, "█▌"}, {1, 0, ""}} {
		if got := bar(tc.n, tc.of, 4); got != tc.want {
			t.Errorf("%d of %d: got %q, want %q", tc.n, tc.of, got, tc.want)
		}
	}
}
