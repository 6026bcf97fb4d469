package secret

// machine looks for all patterns at once: each has as many bits as letters, and a bit is set where the
// text before ends like the pattern up to there. (It is the algorithm of Baeza-Yates and Gonnet, 1992.)
type machine struct {
	table [256][machineWords]uint64 // the bits that a byte leaves as they are
	first [machineWords]uint64      // the bits of the patterns' first letters
	last  [machineWords]uint64      // and of their last
	byBit [machineWords][64]*trigger
}

const machineWords = 2

func newMachine(triggers []trigger) *machine {
	m := new(machine)
	word, bit := 0, 0
	for i := range triggers {
		t := &triggers[i]
		if bit+len(t.pattern) > 64 {
			word, bit = word+1, 0
		}
		for j := range len(t.pattern) {
			m.allow(t.pattern[j], word, 1<<(bit+j))
		}
		m.first[word] |= 1 << bit
		bit += len(t.pattern)
		m.last[word] |= 1 << (bit - 1)
		m.byBit[word][bit-1] = t
	}
	return m
}

// allow lets the byte that a pattern has at some place leave its bit set.
func (m *machine) allow(c byte, word int, bit uint64) {
	m.table[c][word] |= bit
	switch {
	case c == '?':
		for c := range len(m.table) {
			m.table[c][word] |= bit
		}
	case c >= 'a' && c <= 'z':
		m.table[c-'a'+'A'][word] |= bit
	case c == '-':
		m.table['_'][word] |= bit
	}
}

// state is where a machine stands in a text.
type state [machineWords]uint64

// next goes on from an offset to behind the next byte that a pattern ends with, or to the end. hits has
// the last bits of the patterns that end there.
func (m *machine) next(text []byte, off int, s *state) (end int, hits state) {
	a, b := s[0], s[1]
	firstA, firstB, lastA, lastB := m.first[0], m.first[1], m.last[0], m.last[1]
	for i := off; i < len(text); i++ {
		t := &m.table[text[i]]
		a = (a<<1 | firstA) & t[0]
		b = (b<<1 | firstB) & t[1]
		if a&lastA|b&lastB != 0 {
			s[0], s[1] = a, b
			return i + 1, state{a & lastA, b & lastB}
		}
	}
	return len(text), state{}
}

// suspects reports whether a text has any of the patterns.
func (m *machine) suspects(text []byte) bool {
	var s state
	_, hits := m.next(text, 0, &s)
	return hits != state{}
}
