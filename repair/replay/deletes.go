package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/node/kv"
)

// deletes finds the last entry that deleted a key, and keeps the database as it was before. What an entry
// may delete is told by decoding it; whether it did, by a watch, since the log doesn't say which branch of a
// transaction ran, and which keys went with a lease.
type deletes struct {
	store    *kv.Store
	key, end []byte // the keys asked for: [key, end)
	watch    mvcc.WatchStream

	marked *kv.Snapshot // before the entry that is being applied, if it may delete
	exact  *before      // the last deletion of the key itself
	within *before      // the last deletion of a key that begins so; nil once there was one of the key itself
}

// before is the state before a deletion.
type before struct {
	state   State
	ops     []decode.OpCount
	ignored uint64
	snap    *kv.Snapshot
	found   []Deletion // up to this one
	n       int        // how many were found
}

func newDeletes(store *kv.Store, key []byte) (*deletes, error) {
	d := &deletes{store: store, key: key, end: prefixEnd(key), watch: store.KV().NewWatchStream()}
	noPut := func(e *mvccpb.Event) bool { return e.Type == mvccpb.Event_PUT }
	_, err := d.watch.Watch(context.Background(), 0, d.key, d.end, 0, noPut)
	return d, err
}

// prefixEnd returns the first key behind all that begin with prefix: the range end that etcd takes.
func prefixEnd(prefix []byte) []byte {
	end := bytes.TrimRight(prefix, "\xff")
	if len(end) == 0 {
		return []byte{} // all keys from the prefix on
	}
	end = bytes.Clone(end)
	end[len(end)-1]++
	return end
}

// mayDelete reports whether a request may delete one of the keys, or which goes with a lease.
func (d *deletes) mayDelete(r *decode.Request) bool {
	if r.Op == decode.OpLeaseRevoke {
		return true
	}
	filter := decode.Filter{Ops: []decode.Op{decode.OpDeleteRange}, Key: d.key, Prefix: true}
	return r.Match(&filter)
}

// leaseHolds reports whether one of the keys goes with the lease that a request revokes.
func (d *deletes) leaseHolds(r *decode.Request) bool {
	id, _ := r.RevokedLease()
	l := d.store.Lessor().Lookup(lease.LeaseID(id))
	if l == nil {
		return false
	}
	for _, key := range l.Keys() {
		if bytes.HasPrefix([]byte(key), d.key) {
			return true
		}
	}
	return false
}

// mark keeps the state before an entry that may delete.
func (d *deletes) mark() (err error) {
	d.marked, err = d.store.Snapshot()
	return err
}

// settle asks, after an entry, whether it deleted any of the keys.
func (r *run) settle(x Deletion) {
	d := r.deletes
	own := d.drain(&x)
	now := before{State{Compacted: max(0, r.store.KV().FirstRev()), Revision: x.Revision - 1}, nil, r.report.Ignored, d.marked,
		[]Deletion{x}, 1}
	d.marked = nil
	switch {
	case x.Keys == 0 || now.snap == nil:
		closeSnapshot(now.snap)
	case own:
		now.ops = r.tally.Ops()
		d.exact = d.exact.next(&now)
		d.within.close()
		d.within = nil
	case d.exact == nil:
		now.ops = r.tally.Ops()
		d.within = d.within.next(&now)
	default:
		closeSnapshot(now.snap)
	}
}

// drain counts what the watch tells of an entry's deletions; own is true if one is of the key itself.
func (d *deletes) drain(x *Deletion) (own bool) {
	for {
		select {
		case w := <-d.watch.Chan():
			for _, e := range w.Events {
				if x.Keys == 0 {
					x.Key, x.Revision = e.Kv.Key, e.Kv.ModRevision
				}
				x.Keys++
				own = own || bytes.Equal(e.Kv.Key, d.key)
			}
		default:
			return own
		}
	}
}

// next returns the state before a later deletion in the place of b, which may be nil.
func (b *before) next(later *before) *before {
	later.state.Applied = later.snap.ID
	if b == nil {
		return later
	}
	b.close()
	later.n = b.n + 1
	later.found = append(b.found, later.found...)
	if n := len(later.found); n > MaxDeletions {
		later.found = append(later.found[:0], later.found[n-MaxDeletions:]...)
	}
	return later
}

func (b *before) close() {
	if b != nil {
		closeSnapshot(b.snap)
		b.snap = nil
	}
}

func closeSnapshot(s *kv.Snapshot) {
	if s != nil {
		_ = s.Close() // nothing was written
	}
}

func (d *deletes) close() {
	if d == nil {
		return
	}
	d.watch.Close()
	closeSnapshot(d.marked)
	d.exact.close()
	d.within.close()
	d.marked, d.exact, d.within = nil, nil, nil
}

// goBack puts the database as it was before the last deletion in the place of the current one.
func (r *run) goBack() error {
	last := r.deletes.exact
	if last == nil {
		last = r.deletes.within
	}
	if last == nil {
		return &TargetError{Target: r.Target, Why: fmt.Sprintf("no entry from %d to %d deletes such a key",
			r.report.Before.Applied.Index+1, r.store.Applied().Index)}
	}
	r.report.After, r.report.Ops, r.report.Ignored = last.state, last.ops, last.ignored
	r.report.Deletions, r.report.Others = last.found, last.n-len(last.found)
	return r.replace(last.snap)
}

// replace puts a snapshot in the place of the database. The store goes on with the one that it has open, which
// then has no name any more, until it is closed.
func (r *run) replace(snap *kv.Snapshot) error {
	path := filepath.Join(r.Dir, kv.FileName)
	f, err := r.FS.OpenFile(path+".before", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = snap.WriteTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return r.FS.Rename(path+".before", path)
}
