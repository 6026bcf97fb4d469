package firetest

import (
	"strings"
	"syscall"
	"time"
)

// onDisk returns a seat whose disk is of a kind.
func (s *story) onDisk(loop bool) *seat {
	for _, m := range s.shuffled() {
		if m.disk.loop == loop {
			return m
		}
	}
	s.t.Fatal("no such disk")
	return nil
}

// fullDisk takes all room from a member until it stops, or has gone on for long; then it is started again with room.
func fullDisk(s *story) { s.filled(s.onDisk(false)) }

// failingDisk has a disk fail: what its device can't write fails at the next sync.
func failingDisk(s *story) { s.filled(s.onDisk(true)) }

func (s *story) filled(m *seat) {
	m.disk.fill()
	value, puts := strings.Repeat("x", 64<<10), 0
	s.await("the disk is felt", func() bool {
		ctx, cancel := s.timeout()
		defer cancel()
		_, _ = s.clients[m.number%len(s.seats)].Put(ctx, "large", value) // what counts is that it is tried
		puts++
		ended, _ := m.process().Ended()
		return ended || puts == 300
	})
	ended, err := m.process().Ended()
	m.kill()
	if ended {
		line := lastLine(m.process().Log())
		s.t.Logf("%s ended: %v: %s", m.name(), err, line)
		if !m.real && !saysOnce(line, m.dir) {
			s.t.Errorf("%s ended with %q, want the file and the error of the disk, once", m.name(), line)
		}
	} else {
		s.t.Logf("%s went on", m.name())
	}
	m.disk.room()
	s.restart(m)
}

// saysOnce reports whether a line names a file of a directory and what is wrong with the disk, and isn't the same twice.
func saysOnce(line, dir string) bool {
	says := false
	for _, err := range []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS} {
		says = says || strings.Contains(line, err.Error())
	}
	_, text, _ := strings.Cut(line, ": ")
	k := len(text) / 2
	return says && strings.Contains(line, dir) && text[:k] != text[len(text)-k:]
}

// hangingDisk has a disk hang for a while: who writes waits.
func hangingDisk(s *story) {
	m := s.onDisk(true)
	m.disk.freeze()
	defer m.disk.thaw()
	s.outlast()
}

// slowDisk has a disk hang for short times.
func slowDisk(s *story) {
	m := s.onDisk(true)
	for range 10 {
		m.disk.freeze()
		time.Sleep(randomly(s.rng, 200*time.Millisecond))
		m.disk.thaw()
		time.Sleep(randomly(s.rng, 20*time.Millisecond))
	}
}
