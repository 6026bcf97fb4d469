package stat

import "time"

// intervals is how many intervals a series has at most.
const intervals = 64

// Series counts by time, in up to 64 intervals. Its intervals double as time goes on.
type Series struct {
	Start time.Time
	Width time.Duration // of an interval
	Sums  []int64
}

// add adds to the interval of a time; what is before the start counts there.
func (s *Series) add(t time.Time, n int64) {
	if s.Width == 0 {
		s.Start, s.Width = t, time.Millisecond
	}
	since := max(0, t.Sub(s.Start))
	for since/s.Width >= intervals {
		s.double()
	}
	i := int(since / s.Width)
	for len(s.Sums) <= i {
		s.Sums = append(s.Sums, 0)
	}
	s.Sums[i] += n
}

// double makes one interval of every two.
func (s *Series) double() {
	half := (len(s.Sums) + 1) / 2
	for i := range half {
		sum := s.Sums[2*i]
		if 2*i+1 < len(s.Sums) {
			sum += s.Sums[2*i+1]
		}
		s.Sums[i] = sum
	}
	s.Sums = s.Sums[:half]
	s.Width *= 2
}
