package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
)

// patience is how long the members may take after the last fault, until all is as it should be: a few elections, and
// what requests wait for answers.
const patience = 2 * time.Minute

// calmDown ends all faults, and waits until every member is at work and all have the same state.
func (w *world) calmDown() {
	w.note("calm")
	w.net.sever()
	w.net.set(fair)
	w.quiet.Store(true)
	for _, s := range w.seats {
		s.mu.Lock()
		s.disk.mend()
		s.mu.Unlock()
	}
	w.acting.Wait()
	why := ""
	if !w.await(patience, func() bool { why = w.notCalm(); return why == "" || w.failed() }) {
		w.fail("stuck: %v after the last fault, %s", patience, why)
	}
}

// notCalm says why it isn't calm yet. It starts members that are down.
func (w *world) notCalm() string {
	members := w.members()
	for _, s := range w.seats {
		if members == nil || members[s.url] {
			s.start()
		}
	}
	w.lives = nil
	for _, s := range w.seats {
		l := s.living()
		if members != nil && !members[s.url] {
			if l != nil && w.net.isTold(l) {
				return s.name + " runs on, and isn't a member"
			}
			continue
		}
		if s.isOver() {
			continue
		}
		if l == nil || !isReady(l) {
			return s.name + " isn't ready"
		}
		w.lives = append(w.lives, l)
	}
	if members == nil {
		return "nobody tells the members"
	}
	for _, l := range w.lives {
		if why := behind(l, w.lives[0]); why != "" {
			return why
		}
	}
	return ""
}

func isReady(l *life) bool {
	select {
	case <-l.n.Ready():
		return true
	default:
		return false
	}
}

// members returns the URLs of the members, as somebody tells them who has asked a quorum; nil if nobody does.
func (w *world) members() map[string]bool {
	for _, s := range w.seats {
		l := s.living()
		if l == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err := l.n.Read(ctx)
		cancel()
		if err != nil {
			continue
		}
		urls := map[string]bool{}
		for _, m := range l.n.Store().Cluster().Members() {
			urls[m.PeerURLs[0]] = true
		}
		return urls
	}
	return nil
}

// behind says in what a member isn't where another is.
func behind(l, other *life) string {
	a, b := l.n.Status(), other.n.Status()
	switch {
	case a.Lead == raftpb.None:
		return l.seat.name + " has no leader"
	case a.Applied != b.Applied || a.Committed != a.Applied:
		return fmt.Sprintf("%s has applied %d of %d, %s has applied %d", l.seat.name, a.Applied, a.Committed,
			other.seat.name, b.Applied)
	}
	return ""
}

// check checks what is left when all is calm.
func (w *world) check() {
	w.checkRevisions()
	w.checkMessages()
	if w.failed() {
		return
	}
	story, err := storyOf(w.lives[0])
	if err != nil {
		w.fail("%s: %v", w.lives[0].seat.name, err)
		return
	}
	w.checkStory(&story)
	w.checkOnce(&story, w.lives[0])
	w.history = w.tell(&story)
	w.checkSame()
	for _, l := range w.lives {
		w.checkWorks(l)
	}
	w.checkSame()
	w.stats.Terms = int64(w.lives[0].n.Status().Term)
}

// checkSame checks that all members come to have the same keys, and the same membership.
func (w *world) checkSame() {
	why := ""
	same := func() bool {
		for _, l := range w.lives {
			if why = difference(l, w.lives[0]); why != "" {
				return false
			}
		}
		return true
	}
	if !w.await(patience, same) {
		w.fail("difference: %s", why)
	}
}

func difference(l, other *life) string {
	a, revision, errA := l.n.Store().HashKV(0)
	b, otherRevision, errB := other.n.Store().HashKV(0)
	if errA != nil || errB != nil || a.Hash != b.Hash || revision != otherRevision {
		return fmt.Sprintf("%s has hash %08x at revision %d (%v), %s has %08x at %d (%v)", l.seat.name, a.Hash, revision, errA,
			other.seat.name, b.Hash, otherRevision, errB)
	}
	if a, b := fmt.Sprint(l.n.Store().ConfState()), fmt.Sprint(other.n.Store().ConfState()); a != b {
		return fmt.Sprintf("%s has membership %s, %s has %s", l.seat.name, a, other.seat.name, b)
	}
	return ""
}

// checkWorks checks that a member takes a write.
func (w *world) checkWorks(l *life) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o := &operation{kind: opPut, key: 0, value: -1}
	if err := o.ask(ctx, l.n); err != nil {
		w.fail("stuck: %s takes no write: %v", l.seat.name, err)
	}
}

// checkMessages checks what members said to each other.
func (w *world) checkMessages() {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	for _, r := range w.net.checker.Report().Rules {
		if r.Verdict == verdict.Problem {
			v := &r.Violations[0]
			w.fail("messages: %s: %s\n\tfirst  %v\n\tsecond %v", r.Name, v.Found, v.First, v.Second)
		}
	}
}

// end stops all, and waits for it.
func (w *world) end() {
	w.ended.Store(true)
	for _, s := range w.seats {
		if l := s.current(); l != nil {
			s.mu.Lock()
			n := l.n
			l.told.Store(true)
			s.mu.Unlock()
			if n != nil {
				w.running.Go(l.stop)
			}
		}
	}
	w.running.Wait()
}
