package stat

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Quantiles are those of sorted durations, too high by a sixteenth at most.
func TestQuantilesAreClose(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, limit := range []int64{10, 1000, 1 << 40, 1<<63 - 1} {
		var h Histogram
		var all []time.Duration
		for range 2000 {
			d := time.Duration(r.Int64N(limit))
			h.Add(d)
			all = append(all, d)
		}
		slices.Sort(all)
		for _, share := range []float64{0.001, 0.5, 0.9, 0.99, 1} {
			exact := all[max(0, int(share*2000+0.999)-1)]
			got := h.Quantile(share)
			if got < exact || float64(got) > float64(exact)*17/16+1 {
				t.Errorf("quantile %v below %d is %d, want %d or a sixteenth more", share, limit, got, exact)
			}
		}
		sum := int64(0)
		for _, n := range h.Counts() {
			sum += n
		}
		if sum != h.Count {
			t.Errorf("counts add up to %d, want %d", sum, h.Count)
		}
	}
}

func TestEveryDurationIsInItsClass(t *testing.T) {
	for d := time.Duration(0); d < 1<<12; d++ {
		c := classOf(d)
		if highest(c) < d || c > 0 && highest(c-1) >= d {
			t.Fatalf("%d is in class %d, which ends at %d", d, c, highest(c))
		}
	}
	if got := highest(maxClass); got != 1<<63-1 {
		t.Errorf("the last class ends at %d", got)
	}
}

func TestSeriesDoubles(t *testing.T) {
	var s Series
	t0 := time.Unix(0, 0)
	for i := range 1000 {
		s.add(t0.Add(time.Duration(i)*time.Millisecond), 1)
	}
	sum := int64(0)
	for _, n := range s.Sums {
		sum += n
	}
	if sum != 1000 || s.Width != 16*time.Millisecond || len(s.Sums) != 63 {
		t.Errorf("%d in %d intervals of %v, want 1000 in 63 of 16ms", sum, len(s.Sums), s.Width)
	}
	s.add(t0.Add(-time.Hour), 1)
	if s.Sums[0] != 17 {
		t.Errorf("what is before the start counts there: %d, want 17", s.Sums[0])
	}
}
