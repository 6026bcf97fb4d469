package firetest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A bit is flipped in a file of a stopped member. Either it refuses to start, with a line that helps, and is repaired or replaced; or it starts,
// and the judges decide whether it matters.

func flipLog(s *story)      { s.flipped(filepath.Join("wal", "*.wal")) }
func flipSnap(s *story)     { s.flipped(filepath.Join("snap", "*.snap")) }
func flipDatabase(s *story) { s.flipped(filepath.Join("snap", "db")) }

func (s *story) flipped(pattern string) {
	m := s.ours()
	m.kill()
	path, off := s.flipIn(filepath.Join(m.dir, "member", pattern))
	s.outlast()
	// Nothing but a comparison with the others finds a bit in a value: the database has no checksums.
	s.restart(m, "--feature-gates", "InitialCorruptCheck=true")
	if !s.refuses(m) {
		s.t.Logf("%s starts with a flipped bit at %d of %s", m.name(), off, filepath.Base(path))
		return
	}
	line := lastLine(m.process().Log())
	s.t.Logf("%s refuses a flipped bit at %d of %s: %s", m.name(), off, filepath.Base(path), line)
	if !strings.Contains(line, "raftctl doctor") && !strings.Contains(line, "raftctl wal repair") {
		s.t.Errorf("%s says no command that helps: %s", m.name(), line)
	}
	if !s.repaired(m) {
		s.replace(m)
	}
}

// ours returns a seat with a member of ours.
func (s *story) ours() *seat {
	for _, m := range s.shuffled() {
		if !m.real {
			return m
		}
	}
	s.t.Fatal("none is ours")
	return nil
}

// flipIn flips a bit in what is written of one of some files. Without such a file it does nothing.
func (s *story) flipIn(pattern string) (path string, off int64) {
	found, err := filepath.Glob(pattern)
	must(s.t, err)
	if len(found) == 0 {
		return pattern, 0
	}
	path = found[s.rng.IntN(len(found))]
	b, err := os.ReadFile(path)
	must(s.t, err)
	off = s.rng.Int64N(int64(max(1, len(bytes.TrimRight(b, "\x00")))))
	must(s.t, flip(path, off, uint(s.rng.IntN(8))))
	return path, off
}

// repaired repairs the log of a member that refuses to start, without any loss, and starts it.
func (s *story) repaired(m *seat) bool {
	out, err := exec.Command(program(s.t), "wal", "repair", m.dir, "--in-place", "--yes").CombinedOutput()
	if err != nil {
		s.t.Logf("%s isn't repaired: %v: %s", m.name(), err, lastLine(string(out)))
		return false
	}
	s.restart(m)
	if s.refuses(m) {
		s.t.Logf("%s refuses to start after a repair: %s", m.name(), lastLine(m.process().Log()))
		return false
	}
	return true
}

// refuses waits until a member that was started serves or has ended, and reports whether it has ended.
func (s *story) refuses(m *seat) (ended bool) {
	s.await(m.name()+" serves or refuses", func() bool {
		if ended, _ = m.process().Ended(); ended {
			return true
		}
		ctx, cancel := s.timeout()
		defer cancel()
		_, err := s.clients[m.number-1].Get(ctx, "x")
		return err == nil
	})
	return ended
}

// lastLine returns the last line of a text.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
