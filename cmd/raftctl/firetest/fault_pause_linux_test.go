package firetest

import (
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// pauseOne stops a process for a while, as a machine that hangs, and lets it go on in the belief that no time passed.
func pauseOne(s *story) { s.paused(s.someone(), func() {}) }

// pauseLeader does so to the leader, which is asked to renew a lease in the moment when it goes on.
func pauseLeader(s *story) {
	m := s.awaitLeader()
	x, ok := s.grant(s.clients[m.number-1], 6*time.Second)
	if !ok {
		s.paused(m, func() {})
		return
	}
	x.key = fmt.Sprintf("lease/%s/%x", m.name(), x.id)
	ctx, cancel := s.timeout()
	defer cancel()
	_, _ = x.client.Put(ctx, x.key, x.key, clientv3.WithLease(x.id)) // without an answer it may be there or not
	renewed := make(chan bool)
	s.paused(m, func() { go func() { renewed <- x.renew() }() })
	if <-renewed {
		s.t.Logf("%s renews a lease after a pause", m.name())
	}
	record(s, &s.found.lives, x.life)
}

// paused pauses a process, and does something just before it goes on.
func (s *story) paused(m *seat, last func()) {
	m.process().Pause()
	defer m.process().Resume()
	s.outlast()
	last()
	time.Sleep(10 * time.Millisecond) // what is last asked has then left
}
