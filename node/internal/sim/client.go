package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/node"
)

// keys is the number of keys that clients use.
const keys = 3

// opKind is what a client asks for.
type opKind int

const (
	opPut opKind = iota
	opSwap
	opRead
)

// operation is a request of a client, and what came of it.
type operation struct {
	client     int
	kind       opKind
	key        int
	value, old int // each value is put once; 0 stands for none
	by         string

	call, ret int64 // stamps; ret is math.MaxInt64 while no answer has come
	read      int   // value
	swapped   bool
	revision  int64
}

func (o *operation) answered() bool { return o.ret != math.MaxInt64 }

func keyName(key int) []byte { return fmt.Appendf(nil, "key%d", key) }

// client asks one thing after another.
type client struct {
	w      *world
	number int
	dice   *rand.Rand
	values int
	last   [keys]int // what it saw last
}

func (c *client) run() {
	for !c.w.quiet.Load() {
		time.Sleep(time.Duration(c.dice.Int64N(int64(c.w.shape.think)) + 1))
		l := c.w.anyLiving(c.dice)
		if l == nil {
			continue
		}
		c.ask(l, c.next())
	}
}

// next makes up a request.
func (c *client) next() *operation {
	o := &operation{client: c.number, key: c.dice.IntN(keys), ret: math.MaxInt64}
	switch n := c.dice.IntN(10); {
	case n < 4:
		o.kind = opRead
	case n < 6:
		o.kind, o.old = opSwap, c.last[o.key]
	}
	if o.kind != opRead {
		c.values++
		o.value = c.number + 1 + 10*c.values
	}
	return o
}

// ask asks a member, and notes what it answers, unless its machine is gone by then.
func (c *client) ask(l *life, o *operation) {
	ctx, cancel := context.WithTimeout(context.Background(), 1+time.Duration(c.dice.Int64N(int64(c.w.shape.patience))))
	defer cancel()
	o.by, o.call = l.seat.name, c.w.stamp.Add(1)
	c.w.mu.Lock()
	c.w.ops = append(c.w.ops, o)
	c.w.mu.Unlock()
	began := time.Now()
	answered := *o
	err := answered.ask(ctx, l.n)
	if took := time.Since(began); took > c.w.shape.patience+time.Second {
		c.w.fail("stuck: %s answers after %v: %v", o.by, took, err)
	}
	if err != nil || l.gone.Load() {
		return
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	answered.ret = c.w.stamp.Add(1)
	*o = answered
	c.last[o.key] = o.seen()
}

// seen is the value that the key has had.
func (o *operation) seen() int {
	if o.kind == opRead || o.kind == opSwap && !o.swapped {
		return o.read
	}
	return o.value
}

func (o *operation) ask(ctx context.Context, n *node.Node) error {
	switch o.kind {
	case opRead:
		return o.doRead(ctx, n)
	case opSwap:
		return o.doSwap(ctx, n)
	}
	put, err := propose[*etcdserverpb.PutResponse](ctx, n, &etcdserverpb.InternalRaftRequest{Put: o.put()})
	if err != nil {
		return err
	}
	o.revision = put.Header.Revision
	return nil
}

func (o *operation) put() *etcdserverpb.PutRequest {
	return &etcdserverpb.PutRequest{Key: keyName(o.key), Value: strconv.AppendInt(nil, int64(o.value), 10)}
}

func (o *operation) doRead(ctx context.Context, n *node.Node) error {
	if err := n.Read(ctx); err != nil {
		return err
	}
	var err error
	o.read, o.revision, err = valueAt(n, o.key, 0)
	return err
}

// doSwap puts the value if the old one is there; if not it reads what is.
func (o *operation) doSwap(ctx context.Context, n *node.Node) error {
	is := &etcdserverpb.Compare{
		Result: etcdserverpb.Compare_EQUAL, Target: etcdserverpb.Compare_VALUE, Key: keyName(o.key),
		TargetUnion: &etcdserverpb.Compare_Value{Value: strconv.AppendInt(nil, int64(o.old), 10)},
	}
	if o.old == 0 {
		is.Target, is.TargetUnion = etcdserverpb.Compare_VERSION, &etcdserverpb.Compare_Version{}
	}
	txn, err := propose[*etcdserverpb.TxnResponse](ctx, n, &etcdserverpb.InternalRaftRequest{Txn: &etcdserverpb.TxnRequest{
		Compare: []*etcdserverpb.Compare{is},
		Success: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: o.put()}}},
		Failure: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestRange{
			RequestRange: &etcdserverpb.RangeRequest{Key: keyName(o.key)}}}},
	}})
	if err != nil {
		return err
	}
	o.swapped, o.revision = txn.Succeeded, txn.Header.Revision
	if got := txn.Responses[0].GetResponseRange(); got != nil && len(got.Kvs) > 0 {
		o.read, err = strconv.Atoi(string(got.Kvs[0].Value))
	}
	return err
}

// propose returns the response to a request.
func propose[T any](ctx context.Context, n *node.Node, r *etcdserverpb.InternalRaftRequest) (resp T, err error) {
	got, err := n.Propose(ctx, r)
	if err = errors.Join(err, got.Err); err != nil {
		return resp, err
	}
	resp, ok := got.Resp.(T)
	if !ok {
		return resp, fmt.Errorf("response %T", got.Resp)
	}
	return resp, nil
}

// valueAt reads a key as of a revision, 0 for the present one, and tells the present one.
func valueAt(n *node.Node, key int, revision int64) (value int, current int64, err error) {
	tx := n.Store().KV().Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
	defer tx.End()
	r, err := tx.Range(context.Background(), keyName(key), nil, mvcc.RangeOptions{Rev: revision})
	if err != nil || len(r.KVs) == 0 {
		return 0, tx.Rev(), err
	}
	value, err = strconv.Atoi(string(r.KVs[0].Value))
	return value, tx.Rev(), err
}

// putsOf returns how often a key was put up to a revision.
func putsOf(n *node.Node, key int, revision int64) (int64, error) {
	tx := n.Store().KV().Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
	defer tx.End()
	r, err := tx.Range(context.Background(), keyName(key), nil, mvcc.RangeOptions{Rev: revision})
	if err != nil || len(r.KVs) == 0 {
		return 0, err
	}
	return r.KVs[0].Version, nil
}

// anyLiving returns a member that takes requests, nil if none does.
func (w *world) anyLiving(dice *rand.Rand) *life {
	var up []*life
	for _, s := range w.allSeats() {
		if l := s.living(); l != nil {
			up = append(up, l)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return up[dice.IntN(len(up))]
}
