package firetest

import "time"

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
		s.outlast()
		if s.rng.IntN(2) == 0 {
			s.killed(m)
		}
		return
	}
}
