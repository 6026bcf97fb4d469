package firetest

// killOne kills a member, and starts it again.
func killOne(s *story) { s.killed(s.someone()) }

func killLeader(s *story) { s.killed(s.awaitLeader()) }

func killMajority(s *story) {
	all := s.shuffled()
	s.killed(all[:len(all)/2+1]...)
}

func killAll(s *story) { s.killed(s.seats...) }

// killed kills members at once, and starts them while clients ask in vain, or soon after.
func (s *story) killed(all ...*seat) {
	for _, m := range all {
		m.kill()
	}
	if s.rng.IntN(2) == 0 {
		s.outlast()
	}
	for _, m := range all {
		s.restart(m)
	}
}

// awaitLeader returns the leader as soon as there is one.
func (s *story) awaitLeader() (lead *seat) {
	s.await("a leader", func() bool {
		lead = s.leader(s.t.Context(), s.clients)
		return lead != nil
	})
	return lead
}

// shuffled returns all seats in a random order.
func (s *story) shuffled() (all []*seat) {
	for _, i := range s.rng.Perm(len(s.seats)) {
		all = append(all, s.seats[i])
	}
	return all
}
