package firetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// asks does a request on a group of keys, by one member.
type asks func(ctx context.Context, r request) (answer, error)

// kvClient reads and changes keys over gRPC, for a while by one member, then by another.
func (s *story) kvClient(client int, rng *rand.Rand) func() bool {
	at := client
	return s.keysClient(client, rng, func() asks {
		c := s.clients[at%len(s.seats)]
		return func(ctx context.Context, r request) (a answer, err error) {
			if a, err = overGRPC(ctx, c, r); rng.IntN(20) == 0 || err != nil && rng.IntN(2) == 0 {
				at++
			}
			return a, err
		}
	})
}

// keysClient asks for keys, each time as the member does that choose returns.
func (s *story) keysClient(client int, rng *rand.Rand, choose func() asks) func() bool {
	var seen [groups]cells // what it knows of the groups
	count, name := 0, rng.Uint32()
	return func() bool {
		s.pause(rng, 20*time.Millisecond)
		count++
		r := request{group: rng.IntN(groups)}
		value := func() string { return fmt.Sprintf("%x.%d.%d", name, count, len(r.writes)) }
		slot := rng.IntN(marker)
		put := func(slot int) { r.writes = append(r.writes, write{slot, value()}) }
		switch rng.IntN(10) {
		case 0, 1:
		case 2:
			r.stale = true
		case 3, 4, 5:
			put(slot)
		case 6: // one that is as it was
			r.ifs = map[int]int64{slot: seen[r.group][slot].rev}
			put(slot)
		case 7, 8: // two at once, if both are
			other := (slot + 1) % marker
			r.ifs = map[int]int64{slot: seen[r.group][slot].rev, other: seen[r.group][other].rev}
			put(slot)
			put(other)
		case 9:
			if seen[r.group][slot].rev == 0 {
				put(slot)
				break
			}
			r.ifs = map[int]int64{slot: seen[r.group][slot].rev}
			r.writes = append(r.writes, write{slot: slot})
			put(marker)
		}
		ctx, cancel := s.timeout()
		defer cancel()
		o := operation{client: client, request: r, call: s.now(), ret: never}
		a, err := choose()(ctx, r)
		s.ended.Add(1)
		if err == nil {
			o.answer, o.known, o.ret = a, true, s.now()
			if len(r.writes) == 0 {
				seen[r.group] = a.cells
			} else if a.ok {
				for _, w := range r.writes {
					seen[r.group][w.slot] = cell{w.value, a.rev}
				}
			}
		}
		record(s, &s.found.ops, o)
		return err == nil
	}
}

// overGRPC asks as etcd's client does: with puts and reads where these are enough, else with a transaction.
func overGRPC(ctx context.Context, c *clientv3.Client, r request) (answer, error) {
	switch {
	case len(r.writes) == 0:
		options := []clientv3.OpOption{clientv3.WithPrefix()}
		if r.stale {
			options = append(options, clientv3.WithSerializable())
		}
		got, err := c.Get(ctx, prefixOf(r.group), options...)
		if err != nil {
			return answer{}, err
		}
		a := answer{ok: true, rev: got.Header.Revision}
		for _, kv := range got.Kvs {
			a.cells[slotOf(string(kv.Key))] = cell{string(kv.Value), kv.ModRevision}
		}
		return a, nil
	case len(r.writes) == 1 && r.ifs == nil:
		put, err := c.Put(ctx, keyOf(r.group, r.writes[0].slot), r.writes[0].value)
		if err != nil {
			return answer{}, err
		}
		return answer{ok: true, rev: put.Header.Revision}, nil
	}
	var ifs []clientv3.Cmp
	for slot, rev := range r.ifs {
		ifs = append(ifs, clientv3.Compare(clientv3.ModRevision(keyOf(r.group, slot)), "=", rev))
	}
	var then []clientv3.Op
	for _, w := range r.writes {
		if w.value == "" {
			then = append(then, clientv3.OpDelete(keyOf(r.group, w.slot)))
		} else {
			then = append(then, clientv3.OpPut(keyOf(r.group, w.slot), w.value))
		}
	}
	txn, err := c.Txn(ctx).If(ifs...).Then(then...).Commit()
	if err != nil {
		return answer{}, err
	}
	return answer{ok: txn.Succeeded, rev: txn.Header.Revision}, nil
}

// slotOf returns the slot of a key.
func slotOf(key string) int { return int(key[len(key)-1] - '0') }
