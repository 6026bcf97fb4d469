package peer

import (
	"log/slog"
	"sync"
	"time"
)

// status is whether a member is heard of.
type status struct {
	log    *slog.Logger // has the member's ID
	counts *counts

	mu    sync.Mutex
	since time.Time // zero: it is not heard of
}

// active tells that the member was heard of.
func (s *status) active() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since = time.Now()
		s.counts.active.Set(1)
		s.log.Info("peer became active")
	}
}

// failed tells that a channel to the member has failed.
func (s *status) failed(channel string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() {
		s.since = time.Time{}
		s.counts.active.Set(0)
		s.counts.disconnected.Inc()
		s.log.Warn("peer became inactive", "channel", channel, "error", err)
		return
	}
	s.log.Debug("peer is still inactive", "channel", channel, "error", err)
}

func (s *status) activeSince() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.since
}
