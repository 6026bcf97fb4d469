package ui

import (
	"math"
	"testing"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]Span{
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
		var got Span
		err := got.Set(text)
		if got != want || (err == nil) != want.IsSet {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
		if err != nil {
			continue
		}
		var again Span
		if err := again.Set(got.String()); err != nil || again != got {
			t.Errorf("%q: its text %q gives %+v, %v", text, got.String(), again, err)
		}
	}
}

func TestSpanMeets(t *testing.T) {
	s := Span{5, 7, true}
	for _, tc := range []struct {
		first, last uint64
		want        bool
	}{{1, 4, false}, {1, 5, true}, {6, 6, true}, {7, 9, true}, {8, 9, false}, {3, 0, true}, {8, 0, false}} {
		if got := s.Meets(tc.first, tc.last); got != tc.want {
			t.Errorf("[%d, %d]: got %v, want %v", tc.first, tc.last, got, tc.want)
		}
	}
}
