package peer

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/raftpb"
)

// Config says whose transport it is. All but Flavor, TLS, KeyLog, ElectionTimeout, Logger, Metrics and Tap
// must be given.
type Config struct {
	ID        uint64          // of this member
	ClusterID uint64          // others must have the same
	URLs      func() []string // where this member is reached, which others are told
	// Version is the release of etcd that this member stands for, in the form 3.6.14: some etcds die
	// of any other form.
	Version func() string
	Flavor  raftpb.Flavor // in which messages are written; every etcd reads both
	TLS     transport.TLSInfo
	KeyLog  io.Writer // of the secrets of TLS sessions that begin here, as SSLKEYLOGFILE has them; nil: they are secret

	// ElectionTimeout is that of Raft, 1 s by default. Connecting may take 1 s longer.
	ElectionTimeout time.Duration

	Handler Handler
	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: nothing is counted

	// Tap is told of each message when it is put on a channel or was taken from one, from several goroutines,
	// in the order of each channel. It must not wait. Nil: nobody is.
	Tap func(*Passed)

	times timing
}

// timing is how long things may take. Where etcd has a limit, it is etcd's.
type timing struct {
	idle   time.Duration // a read or a write of a stream; the other end has the same
	beat   time.Duration // between link heartbeats: three get lost before the other end gives up
	retry  time.Duration // between two attempts to dial a stream
	probe  time.Duration // between two probes
	post   time.Duration // a message that has no stream
	stall  time.Duration // a part of a snapshot, either way
	answer time.Duration // what the receiver of a whole snapshot does with it
}

func defaultTiming() timing {
	const idle = 5 * time.Second
	return timing{
		idle: idle, beat: idle / 3, retry: 100 * time.Millisecond, probe: idle - time.Second,
		post: 2 * idle, stall: time.Minute, answer: 10 * time.Minute,
	}
}

// Bounds of what waits for one member. One message may always wait, however large it is.
const (
	queueMessages    = 4096     // of a stream, of what came, and of proposals that came
	queueBytes       = 64 << 20 // of any queue
	pipelineMessages = 64       // what etcd keeps while the network is away for less than a second
	pipelineWorkers  = 4
)

// Bounds of what others may cause.
const (
	maxRemotes   = 64   // strangers that told their URLs
	maxPosts     = 64   // messages that are read or processed at a time, but for proposals
	maxProposals = 1024 // proposals that wait for a leader
	maxSnapshots = 4    // snapshots that are received at a time
	maxAnswer    = 64 << 10
)

func (c Config) complete() (Config, error) {
	if c.ID == raftpb.None || c.ClusterID == 0 || c.URLs == nil || c.Version == nil || c.Handler == nil {
		return c, errors.New("peer: ID, ClusterID, URLs, Version and Handler must be given")
	}
	if err := checkOwnVersion(c.Version()); err != nil {
		return c, fmt.Errorf("peer: %w", err)
	}
	c.ElectionTimeout = cmp.Or(c.ElectionTimeout, time.Second)
	c.times = cmp.Or(c.times, defaultTiming())
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// dialTimeout is how long connecting may take.
func (c *Config) dialTimeout() time.Duration { return time.Second + c.ElectionTimeout }
