package firetest

// pauseOne stops a process for a while, as a machine that hangs, and lets it go on in the belief that no time passed.
func pauseOne(s *story) { s.paused(s.someone()) }

func pauseLeader(s *story) { s.paused(s.awaitLeader()) }

func (s *story) paused(m *seat) {
	m.process().Pause()
	defer m.process().Resume()
	s.outlast()
}
