package sim

import (
	"context"
	"slices"
	"testing/synctest"
	"time"

	"github.com/raftctl/raftctl/internal/vfs/faultfs"
)

// purgeInterval is how long a member runs, at least, before it looks for superfluous files.
const purgeInterval = 31 * time.Second

// disturb does one thing after another to the world, for as long as there are faults.
func (w *world) disturb() {
	for end := w.began.Add(w.shape.lasts); time.Now().Before(end) && !w.failed(); {
		time.Sleep(w.upTo(2 * w.shape.calm))
		f := w.shape.faults[w.dice.IntN(len(w.shape.faults))]
		w.count(&w.stats.Faults[f])
		w.do(f)
	}
}

func (w *world) do(f fault) {
	s := w.seats[w.dice.IntN(len(w.seats))]
	switch f {
	case faultCrash:
		w.crash(w.powerCut(), s)
	case faultCrashMost:
		w.crash(w.powerCut(), w.most()...)
	case faultCrashAt:
		w.crashAt(s)
	case faultKill:
		w.crash(faultfs.Crash{Keep: 1}, s)
	case faultRestart:
		w.restart(s)
	case faultPartition:
		w.partition()
	case faultCutOneWay:
		w.net.sever(way{s.number, w.dice.IntN(len(w.seats))})
	case faultHeal:
		w.net.sever()
		w.net.set(fair)
		w.setDisks(w.shape.syncs)
	case faultWeather:
		w.net.set(w.anyWeather())
	case faultSlowDisk:
		s.mu.Lock()
		s.disk.set(w.upTo(5 * time.Second))
		s.mu.Unlock()
	case faultBadDisk:
		w.spoil(s)
	case faultTransfer:
		w.transfer()
	case faultMembers:
		w.change()
	}
}

func (w *world) allSeats() []*seat {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seats)
}

// most returns most of the seats, or all.
func (w *world) most() []*seat {
	all := slices.Clone(w.seats)
	w.dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:len(all)-w.dice.IntN((len(all)+1)/2)]
}

// crash crashes machines at one moment of time, and has them start again a while later.
func (w *world) crash(c faultfs.Crash, seats ...*seat) {
	for _, s := range seats {
		synctest.Wait()
		if s.current() != nil {
			w.count(&w.stats.Crashes)
			s.crash(c)
		}
	}
	w.startLater(seats...)
}

func (w *world) startLater(seats ...*seat) {
	for _, s := range seats {
		after := 10*time.Millisecond + w.upTo(2*time.Second)
		w.acting.Go(func() {
			time.Sleep(after)
			s.start()
		})
	}
}

// crashAt has the disk stand still at one of the next operations, and crashes the machine in it.
func (w *world) crashAt(s *seat) {
	l := s.current()
	if l == nil {
		return
	}
	halted := l.disk.haltAfter(1 + w.dice.IntN(30))
	select {
	case <-halted:
	case <-time.After(2 * time.Second):
	}
	if w.dice.IntN(2) == 0 {
		time.Sleep(w.upTo(300 * time.Millisecond))
	}
	w.crash(w.powerCut(), s)
}

func (w *world) restart(s *seat) {
	l := s.living()
	if l == nil {
		return
	}
	w.note("%s is told to stop", s.name)
	after := w.upTo(2 * time.Second)
	w.acting.Go(func() {
		l.stop()
		<-l.ended
		time.Sleep(after)
		s.start()
	})
}

// restartAll has all machines lose their power once more when all is calm, after members had time to remove what they
// take for superfluous: what is left must do.
func (w *world) restartAll() {
	if w.failed() {
		return
	}
	if w.shape.long {
		time.Sleep(purgeInterval)
	}
	w.crash(w.powerCut(), w.seats...)
	w.calmDown()
}

func (w *world) partition() {
	side := make([]bool, len(w.seats))
	for i := range side {
		side[i] = w.dice.IntN(2) == 0
	}
	var ways []way
	for i := range side {
		for j := range side {
			if side[i] != side[j] {
				ways = append(ways, way{i, j})
			}
		}
	}
	w.note("partition: %v", side)
	w.net.sever(ways...)
}

func (w *world) anyWeather() weather {
	return weather{
		loss: w.dice.IntN(2) * w.dice.IntN(40), twice: w.dice.IntN(2) * w.dice.IntN(20),
		delay: time.Millisecond + w.upTo(400*time.Millisecond), disorder: w.dice.IntN(2) == 0,
	}
}

func (w *world) setDisks(syncs time.Duration) {
	for _, s := range w.seats {
		s.mu.Lock()
		s.disk.set(syncs)
		s.mu.Unlock()
	}
}

// spoil makes a disk fail. Its member must stop then.
func (w *world) spoil(s *seat) {
	l := s.living()
	if l == nil {
		return
	}
	w.note("%s gets a bad disk", s.name)
	l.disk.failAfter(1 + w.dice.IntN(20))
	w.acting.Go(func() {
		if !w.await(10*time.Second, l.disk.hasRefused) {
			return // nothing was written
		}
		w.count(&w.stats.BadDisks)
		select {
		case <-l.ended:
		case <-time.After(10 * time.Second):
			if !l.gone.Load() {
				w.fail("stuck: %s goes on with a disk that fails", s.name)
			}
			return
		}
		time.Sleep(time.Second)
		s.start()
	})
}

// transfer hands leadership to somebody.
func (w *world) transfer() {
	l := w.anyLiving(w.dice)
	if l == nil {
		return
	}
	members := l.n.Store().Cluster().VotingMemberIDs()
	if len(members) == 0 {
		return
	}
	to := uint64(members[w.dice.IntN(len(members))])
	w.acting.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err := l.n.MoveLeader(ctx, to)
		w.note("%s hands leadership to %x: %v", l.seat.name, to, err)
		w.countIf(err, &w.stats.Moved)
	})
}
