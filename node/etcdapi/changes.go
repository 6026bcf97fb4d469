package etcdapi

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/pkg/v3/adt"
)

// changes are the keys that operations put, and the ranges that they delete. A transaction has one revision, so
// no key may be changed twice in it: not put twice, and not put and deleted. Both branches of a nested
// transaction may put the same key, for only one of them happens.
type changes struct {
	puts    map[string]struct{}
	deletes adt.IntervalTree
}

// everything is the range of all keys.
var everything = adt.NewStringAffineInterval("\x00", "")

// changesOf collects what operations change, and refuses what changes a key twice.
//
// What is found depends on the order, as it does in etcd: the deletes of this level come first, then nested
// transactions one after the other, then the puts of this level. So a delete in a nested transaction doesn't
// stand against the puts of an earlier one.
func changesOf(ops []*pb.RequestOp) (changes, error) {
	c := changes{puts: map[string]struct{}{}, deletes: adt.NewIntervalTree()}
	for _, op := range ops {
		if r := op.GetRequestDeleteRange(); r != nil {
			c.deletes.Insert(deleted(r), struct{}{})
		}
	}
	for _, op := range ops {
		if r := op.GetRequestTxn(); r != nil {
			if err := c.nest(r); err != nil {
				return changes{}, err
			}
		}
	}
	for _, op := range ops {
		if r := op.GetRequestPut(); r != nil {
			if err := c.put(string(r.Key), nil); err != nil {
				return changes{}, err
			}
		}
	}
	return c, nil
}

// nest adds what a nested transaction changes.
func (c *changes) nest(r *pb.TxnRequest) error {
	then, err := changesOf(r.Success)
	if err != nil {
		return err
	}
	otherwise, err := changesOf(r.Failure)
	if err != nil {
		return err
	}
	for key := range then.puts {
		if err := c.put(key, nil); err != nil {
			return err
		}
	}
	for key := range otherwise.puts {
		if err := c.put(key, then.puts); err != nil {
			return err
		}
	}
	c.deletes.Union(then.deletes, everything)
	c.deletes.Union(otherwise.deletes, everything)
	return nil
}

// put adds a key. That it is there already is no harm if it is in beside.
func (c *changes) put(key string, beside map[string]struct{}) error {
	if _, twice := c.puts[key]; twice {
		if _, ok := beside[key]; !ok {
			return rpctypes.ErrGRPCDuplicateKey
		}
	}
	if c.deletes.Intersects(adt.NewStringAffinePoint(key)) {
		return rpctypes.ErrGRPCDuplicateKey
	}
	c.puts[key] = struct{}{}
	return nil
}

func deleted(r *pb.DeleteRangeRequest) adt.Interval {
	if len(r.RangeEnd) == 0 {
		return adt.NewStringAffinePoint(string(r.Key))
	}
	return adt.NewStringAffineInterval(string(r.Key), string(r.RangeEnd))
}
