package node

import (
	"context"
	"errors"
	"net"
	"time"

	"go.etcd.io/etcd/pkg/v3/idutil"
	"go.etcd.io/etcd/pkg/v3/wait"
)

// Start starts a member, and returns when it has its log and its state, and listens to other members. It
// may not have heard of a leader yet: see Ready. Its context bounds the start only.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	n := newNode(cfg)
	for _, begin := range []func() error{
		n.listenPeers, func() error { return n.open(ctx) }, n.makeCompactor, n.openRecorder, n.startLoop, n.startPeers,
		func() error { return n.checkAtStart(ctx) },
	} {
		if err := begin(); err != nil {
			n.cancel(err)
			return nil, errors.Join(err, n.close())
		}
	}
	for _, run := range append([]func(){
		n.loop.run, n.appender.run, n.applier.run, n.reads.run, n.servePeers,
	}, n.duties()...) {
		n.running.Go(run)
	}
	n.metrics.started(n)
	go n.finish()
	return n, nil
}

// newNode returns the parts of a member that need neither log nor state.
func newNode(cfg Config) *Node {
	n := &Node{
		cfg: cfg, log: cfg.Logger, metrics: newMetrics(cfg.Metrics), waiters: newWaiters(),
		ready: make(chan struct{}), done: make(chan struct{}),
		appliedWait: wait.NewTimeList(), appended: wait.NewTimeList(),
	}
	n.ctx, n.cancel = context.WithCancelCause(context.Background())
	n.standing.changed = make(chan struct{})
	n.loop = newLoop(n)
	n.appender = newAppender(n)
	n.applier = newApplier(n)
	n.reads = newReads(n)
	n.versions = newVersions(n)
	return n
}

// open opens the member's files, or makes them.
func (n *Node) open(ctx context.Context) error {
	has, err := n.cfg.hasLog()
	if err != nil {
		return err
	}
	if !has {
		if err := n.bootstrap(ctx); err != nil {
			return err
		}
	}
	if err := n.boot(ctx); err != nil {
		return err
	}
	applied := n.memory.applied.Load()
	n.standing.applied.Store(applied.Index)
	n.appliedWait.Trigger(applied.Index)
	n.applier.begin()
	n.ids = idutil.NewGenerator(uint16(n.standing.id), time.Now())
	return nil
}

// finish ends what is open when nothing of the member runs any more.
func (n *Node) finish() {
	n.running.Wait()
	if err := n.close(); err != nil && context.Cause(n.ctx) == errStop {
		n.closeErr = err
	}
	close(n.done)
}

// close closes ports and files. Of the log nothing is lost: what was promised is on disk.
func (n *Node) close() error {
	var errs []error
	if n.transport != nil {
		n.transport.Stop()
	}
	errs = append(errs, n.recorder.close())
	for _, l := range n.listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.wal != nil {
		errs = append(errs, n.wal.Close())
	}
	return errors.Join(errs...)
}

// errStop is why a member stops that was told to.
var errStop = errors.New("stop")

// fail stops the member for a reason.
func (n *Node) fail(err error) {
	if err == nil {
		return
	}
	n.log.Error("the member stops", "error", err)
	n.cancel(err)
}
