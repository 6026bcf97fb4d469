package firetest

import (
	"net/http"
	"time"
)

// jumpClock sets the wall clock of a member of ours forward or back, by up to two days. It stays wrong, also for the processes that
// come after this one.
func jumpClock(s *story) {
	for _, m := range s.shuffled() {
		if m.real {
			continue // it has no symbols
		}
		s.jumps[m] = time.Duration(s.rng.Int64N(4*86400)-2*86400) * time.Second
		must(s.t, s.clock.set(m.process().PID(), s.jumps[m]))
		s.t.Logf("%s is wrong by %v", m.name(), s.jumps[m])
		s.await("its answers have that time", func() bool {
			date, err := s.dateOf(m)
			off := time.Until(date) - s.jumps[m]
			return err == nil && off.Abs() < time.Minute
		})
		s.outlast()
		if s.rng.IntN(2) == 0 {
			s.killed(m)
		}
		return
	}
}

// dateOf returns what time it is for a member.
func (s *story) dateOf(m *seat) (time.Time, error) {
	ctx, cancel := s.timeout()
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.clientURL()+"/version", nil)
	if err != nil {
		return time.Time{}, err
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	if err := r.Body.Close(); err != nil {
		return time.Time{}, err
	}
	return http.ParseTime(r.Header.Get("Date"))
}
