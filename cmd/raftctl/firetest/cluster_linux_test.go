package firetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// patience is how long anything may take on a machine that does other things too.
const patience = 2 * time.Minute

// seat is a place in the cluster: a cable, a disk, and a process of raftctl or an etcd.
type seat struct {
	tb      testing.TB
	number  int    // from 1
	release string // of etcd that it stands for, or is
	real    bool   // an etcd runs there
	disk    *disk  // nil: the disk of the machine
	dir     string

	occupants int // members that were there and are gone

	mu     sync.Mutex
	server *etcdtest.Server
}

func (s *seat) name() string      { return fmt.Sprintf("m%d", s.number) }
func (s *seat) peerURL() string   { return "http://" + net.JoinHostPort(addressOf(s.number), "2380") }
func (s *seat) endpoint() string  { return net.JoinHostPort(addressOf(s.number), "2379") }
func (s *seat) clientURL() string { return "http://" + s.endpoint() }

// How a member of a cluster runs: snapshots come often, and little is kept behind them.
const (
	snapshotCount = 300
	catchUp       = 100
)

// start starts what runs there, and doesn't wait. Initial is the flag --initial-cluster.
func (s *seat) start(initial string, args ...string) {
	s.tb.Helper()
	args = append([]string{
		"--name", s.name(), "--listen-peer-urls", s.peerURL(), "--initial-advertise-peer-urls", s.peerURL(),
		"--initial-cluster", initial, "--snapshot-count", fmt.Sprint(snapshotCount),
		"--snapshot-catchup-entries", fmt.Sprint(catchUp), "--logger", "zap",
	}, args...)
	p := etcdtest.Place{Endpoint: s.endpoint(), By: []string{"nsenter", "--net=/run/netns/" + spaceOf(s.number)}}
	if !s.real {
		p.Program = []string{program(s.tb), "node", "run"}
		args = append(args, "--as", s.release)
	}
	server := etcdtest.LaunchIn(s.tb, p, s.release, s.dir, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = server
}

// process returns what runs there, or ran last.
func (s *seat) process() *etcdtest.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server
}

func (s *seat) kill() { s.process().Kill() }

// wipe gives the seat an empty directory.
func (s *seat) wipe() { must(s.tb, os.RemoveAll(s.dir)) }

// dial returns a client of this seat alone, which doesn't take long to find that the member is there again.
func (s *seat) dial() *clientv3.Client {
	s.tb.Helper()
	c, err := clientv3.New(clientv3.Config{
		Endpoints: []string{s.clientURL()}, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: time.Second},
				MinConnectTimeout: time.Second,
			}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 2 * time.Second}),
		},
	})
	must(s.tb, err)
	s.tb.Cleanup(func() { _ = c.Close() }) // what it waits for is over
	return c
}

// shape is what a cluster consists of.
type shape struct {
	size    int
	release string
	real    int // the number of the seat where an etcd runs; 0: none
}

func (h shape) String() string {
	if h.real == 0 {
		return fmt.Sprintf("%d members as %s", h.size, h.release)
	}
	return fmt.Sprintf("%d members as %s, m%d an etcd", h.size, h.release, h.real)
}

// cluster is seats for members, and one more for a member that comes and goes.
type cluster struct {
	tb      testing.TB
	net     *network
	seats   []*seat
	spare   *seat
	changes sync.Mutex // of the membership are made one at a time
}

func newCluster(tb testing.TB, h shape, loops []bool) *cluster {
	tb.Helper()
	c := &cluster{tb: tb, net: newNetwork(tb, h.size+1)}
	for i := 1; i <= h.size+1; i++ {
		s := &seat{tb: tb, number: i, release: h.release, real: i == h.real}
		top := tb.TempDir()
		if i <= h.size {
			s.disk = newDisk(tb, loops[i-1])
			top = s.disk.top()
		}
		s.dir = filepath.Join(top, "data")
		c.seats = append(c.seats, s)
	}
	c.spare, c.seats = c.seats[h.size], c.seats[:h.size]
	tb.Cleanup(c.killAll)
	for _, s := range c.seats {
		s.start(c.initial())
	}
	for _, s := range c.seats {
		if err := s.process().WaitHealthy(); err != nil {
			tb.Fatalf("%s: %v\n%s", s.name(), err, s.process().Log())
		}
	}
	return c
}

func (c *cluster) initial() string {
	var pairs []string
	for _, s := range c.seats {
		pairs = append(pairs, s.name()+"="+s.peerURL())
	}
	return strings.Join(pairs, ",")
}

func (c *cluster) killAll() {
	for _, s := range append(slices.Clone(c.seats), c.spare) {
		if s.process() != nil {
			s.kill()
		}
	}
}

// everyone returns clients of all seats, the spare one's last.
func (c *cluster) everyone() (all []*clientv3.Client) {
	for _, s := range append(slices.Clone(c.seats), c.spare) {
		all = append(all, s.dial())
	}
	return all
}

// leader returns the seat whose member says that it leads, in the highest term; nil while none does.
func (c *cluster) leader(ctx context.Context, all []*clientv3.Client) *seat {
	var lead *seat
	var term uint64
	for i, s := range c.seats {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout/4)
		st, err := all[i].Status(ctx, s.clientURL())
		cancel()
		if err == nil && st.Leader == st.Header.MemberId && st.RaftTerm > term {
			lead, term = s, st.RaftTerm
		}
	}
	return lead
}
