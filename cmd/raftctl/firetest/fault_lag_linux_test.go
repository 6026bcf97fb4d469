package firetest

// lag has a member miss so much, time and again, that it needs a snapshot.
func lag(s *story) {
	m := s.someone()
	rounds := 1
	if s.long {
		rounds = 3
	}
	for range rounds {
		m.process().Pause()
		until := s.toldBy(m) + 2*snapshotCount
		s.await("the others go on", func() bool {
			ctx, cancel := s.timeout()
			defer cancel()
			_, _ = s.clients[m.number%len(s.seats)].Put(ctx, "lag", m.name()) // what counts is how far they are
			return s.toldBy(nil) >= until
		})
		m.process().Resume()
		s.await("it catches up", func() bool { return s.toldBy(m) >= until })
	}
}

// toldBy returns up to which revision the watcher of a member was told, or that which was told most.
func (s *story) toldBy(m *seat) (most int64) {
	for _, w := range s.found.streams {
		if m == nil || w.member == m.number {
			most = max(most, w.next.Load()-1)
		}
	}
	return most
}
