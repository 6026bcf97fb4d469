package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/internal/machine"
)

// clusterToken is etcd's default.
const clusterToken = "etcd-cluster"

// seat is a member, or the place of one that may be added: a URL, and a disk.
type seat struct {
	w         *world
	number    int
	name, url string

	mu      sync.Mutex
	disk    *disk
	l       *life // nil while it is down
	lives   int
	initial string // cluster; empty: it must not start yet
	joins   bool
	joined  bool
	over    bool // it was removed
}

// life is a member from one start to its end.
type life struct {
	seat   *seat
	number int
	disk   *disk
	n      *node.Node  // nil while it starts
	gone   atomic.Bool // the machine has crashed: nothing that is said from then on counts
	told   atomic.Bool // it was told to stop
	ended  chan struct{}
}

func (w *world) newSeat() *seat {
	k := len(w.seats)
	s := &seat{
		w: w, number: k, name: fmt.Sprint("m", k), url: fmt.Sprintf("http://10.0.0.%d:2380", k+1),
	}
	s.disk = newDisk(s.root(), faultfs.New(), w.dice.Uint64())
	s.disk.set(w.shape.syncs)
	w.net.open(s)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seats = append(w.seats, s)
	return s
}

// firstID is the ID of a member that begins a cluster, which follows from its URL.
func (s *seat) firstID() uint64 {
	return uint64(membership.NewMember(s.name, types.MustNewURLs([]string{s.url}), clusterToken, nil).ID)
}

// root is the folder of the next life's databases.
func (s *seat) root() string { return filepath.Join(s.w.dir, fmt.Sprintf("%s.%d", s.name, s.lives+1)) }

// running returns the member, nil while it starts.
func (l *life) running() *node.Node {
	l.seat.mu.Lock()
	defer l.seat.mu.Unlock()
	return l.n
}

// living returns the life that takes requests, nil if none does.
func (s *seat) living() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.l == nil || s.l.n == nil || s.l.told.Load() || s.l.gone.Load() {
		return nil
	}
	return s.l
}

// current returns the life that there is, running or not yet; nil while the member is down.
func (s *seat) current() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.l
}

func (s *seat) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// start starts the member, if it is down.
func (s *seat) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.l != nil || s.over || s.initial == "" || s.w.ended.Load() {
		return
	}
	s.lives++
	l := &life{seat: s, number: s.lives, disk: s.disk, ended: make(chan struct{})}
	s.l = l
	s.w.note("%s starts, life %d", s.name, l.number)
	s.w.count(&s.w.stats.Lives)
	s.w.running.Go(l.run)
}

// inform tells one that has yet to join who is a member by now.
func (s *seat) inform() {
	s.mu.Lock()
	needs := s.joins && !s.joined
	s.mu.Unlock()
	if !needs {
		return
	}
	for _, other := range s.w.allSeats() {
		l := other.living()
		if l == nil {
			continue
		}
		initial := []string{s.name + "=" + s.url}
		for i, m := range l.n.Store().Cluster().Members() {
			if url := m.PeerURLs[0]; url != s.url {
				initial = append(initial, fmt.Sprintf("other%d=%s", i, url))
			}
		}
		s.mu.Lock()
		s.initial = strings.Join(initial, ",")
		s.mu.Unlock()
		return
	}
}

func (s *seat) config(l *life) node.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.w.shape.member
	c.Name, c.DataDir = s.name, l.disk.root
	c.ListenPeerURLs, c.AdvertisePeerURLs = []string{s.url}, []string{s.url}
	c.InitialCluster, c.Join = s.initial, s.joins
	c.Logger = s.w.logger(s.name)
	return c.On(machine.Machine{
		FS: l.disk, Network: socket{s.w.net, l}, SegmentSize: s.w.shape.segments,
		Seed: s.w.seed<<16 | uint64(s.number)<<8 | uint64(l.number),
	})
}

// run lives.
func (l *life) run() {
	defer close(l.ended)
	s := l.seat
	s.inform()
	n, err := node.Start(context.Background(), s.config(l))
	if err != nil {
		l.end(err)
		return
	}
	s.mu.Lock()
	l.n, s.joined = n, true
	s.mu.Unlock()
	if l.gone.Load() || l.told.Load() {
		l.stop()
	}
	<-n.Done()
	l.end(n.Err())
}

// stop stops the member. One that starts stops when it has.
func (l *life) stop() {
	l.told.Store(true)
	if l.n == nil {
		return // see run
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.n.Stop(ctx); ctx.Err() != nil {
		l.seat.w.fail("stuck: %s does not stop: %v", l.seat.name, err)
	}
}

// end tells why a life ended.
func (l *life) end(err error) {
	s := l.seat
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.l == l {
		s.l = nil
	}
	switch {
	case l.gone.Load():
		return
	case err == nil && l.told.Load():
	case errors.Is(err, node.ErrRemoved):
		s.over = true
	case l.disk.hasFailed():
	case s.joins && !s.joined: // it couldn't ask, or hasn't been added: it tries again
	default:
		s.w.fail("%s stops in life %d: %v", s.name, l.number, err)
	}
	s.w.note("%s ends: %v", s.name, err)
	left := faultfs.Crash{Keep: 1}
	if l.disk.hasFailed() { // what is on it isn't known
		left = faultfs.Crash{Unit: 512, InOrder: true, Keep: s.w.shape.keep, Rand: rand.New(rand.NewPCG(s.w.seed, uint64(l.number)))}
	}
	if err := s.leave(left); err != nil {
		s.w.fail("%v", err)
	}
}

// leave takes the disk out of a machine that is off, and puts what is left of it into another. The caller holds mu.
func (s *seat) leave(c faultfs.Crash) error {
	d, err := s.disk.crash(s.root(), c)
	if err != nil {
		return err
	}
	d.set(s.w.shape.syncs)
	s.disk = d
	return nil
}

// crash has the machine lose its power. Nothing else must happen meanwhile: see synctest.Wait.
func (s *seat) crash(c faultfs.Crash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.l
	if l == nil {
		return
	}
	s.w.note("%s crashes, of what isn't synced %.0f%% stay", s.name, c.Keep*100)
	l.gone.Store(true)
	s.l = nil
	if err := s.leave(c); err != nil {
		s.w.fail("%v", err)
	}
	s.w.net.crashed(s)
	if l.n != nil {
		s.w.running.Go(l.stop)
	}
}
