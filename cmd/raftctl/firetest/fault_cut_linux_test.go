package firetest

import "time"

// cutOff cuts a member off from all others, and sometimes from the clients.
func cutOff(s *story) { s.cutOff(s.someone()) }

func cutLeaderOff(s *story) { s.cutOff(s.awaitLeader()) }

func (s *story) cutOff(m *seat) {
	for x := s.rng.IntN(2); x <= s.net.size; x++ { // from 0 on: the clients, too
		if x != m.number {
			s.net.cut(m.number, x)
			s.net.cut(x, m.number)
		}
	}
	s.outlast()
}

// mute lets nobody hear what a member says; it hears all.
func mute(s *story) {
	m := s.someone()
	for x := 1; x <= s.net.size; x++ {
		if x != m.number {
			s.net.cut(m.number, x)
		}
	}
	s.outlast()
}

// deaf lets a member hear nothing; all hear it.
func deaf(s *story) {
	m := s.awaitLeader()
	for x := 1; x <= s.net.size; x++ {
		if x != m.number {
			s.net.cut(x, m.number)
		}
	}
	s.outlast()
}

// flap breaks and mends the network again and again, each time elsewhere.
func flap(s *story) {
	for range 5 {
		from, to := 1+s.rng.IntN(s.net.size), 1+s.rng.IntN(s.net.size)
		if from != to {
			s.net.cut(from, to)
		}
		time.Sleep(randomly(s.rng, time.Second))
		s.net.heal()
	}
}

// halves cuts all members into two parts.
func halves(s *story) {
	all := s.shuffled()
	k := len(all) / 2
	for _, a := range all[:k] {
		for _, b := range all[k:] {
			s.net.cut(a.number, b.number)
			s.net.cut(b.number, a.number)
		}
	}
	s.outlast()
}
