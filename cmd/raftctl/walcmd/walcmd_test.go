package walcmd

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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

func fixedNow() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }
