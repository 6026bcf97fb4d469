package firetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// upkeepClient does what operators do: hashes, snapshots, compactions, defragmentations, alarms.
func (s *story) upkeepClient(_ int, rng *rand.Rand) func() bool {
	return func() bool {
		s.pause(rng, 500*time.Millisecond)
		at := rng.IntN(len(s.seats))
		ctx, cancel := s.timeout()
		defer cancel()
		var err error
		switch rng.IntN(8) {
		case 0:
			err = s.compact(ctx, s.clients[at])
		case 1:
			_, err = s.clients[at].Defragment(ctx, s.seats[at].clientURL())
		case 2:
			err = s.saveSnapshot(ctx, s.clients[at])
		case 3:
			_, err = s.clients[at].AlarmList(ctx)
		default:
			err = s.hash(ctx, at, 0)
		}
		return err == nil
	}
}

// compact gives up what is long past, and known to all watchers.
func (s *story) compact(ctx context.Context, c *clientv3.Client) error {
	rev := s.told() - 500
	if rev < firstRevision {
		return nil
	}
	_, err := c.Compact(ctx, rev)
	if errors.Is(err, rpctypes.ErrCompacted) {
		return nil
	}
	return err
}

// hash records a member's hash at a revision, or at its last one.
func (s *story) hash(ctx context.Context, at int, rev int64) error {
	h, err := s.clients[at].HashKV(ctx, s.seats[at].clientURL(), rev)
	if err != nil {
		return err
	}
	record(s, &s.found.hashes, hashed{s.seats[at].number, h.HashRevision, h.CompactRevision, h.Hash})
	return nil
}

// saveSnapshot reads a whole snapshot, which ends with its checksum.
func (s *story) saveSnapshot(ctx context.Context, c *clientv3.Client) error {
	r, err := c.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	n := len(all) - sha256.Size
	if n < 0 {
		s.t.Errorf("a snapshot of %d bytes", len(all))
		return nil
	}
	if sum := sha256.Sum256(all[:n]); !bytes.Equal(sum[:], all[n:]) {
		s.t.Errorf("a snapshot of %d bytes that don't have its checksum", len(all))
	}
	return nil
}

// lastRevision returns what all members have in the end.
func (s *story) lastRevision() (last int64) {
	s.await("a member says how far it is", func() bool {
		ctx, cancel := s.timeout()
		defer cancel()
		got, err := s.clients[0].Get(ctx, "x")
		if err != nil {
			return false
		}
		last = got.Header.Revision
		return true
	})
	return last
}

// judgeMembers decides whether each member has, in the end, the keys that follow from all changes.
func (s *story) judgeMembers(last int64, all *truth) error {
	for i, m := range s.seats {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := s.clients[i].Get(ctx, "x"); err != nil { // it has all
			return err
		}
		got, err := s.clients[i].Get(ctx, "", clientv3.WithPrefix(), clientv3.WithRev(last), clientv3.WithSerializable())
		if err != nil {
			return err
		}
		have := map[string]cell{}
		for _, kv := range got.Kvs {
			have[string(kv.Key)] = cell{string(kv.Value), kv.ModRevision}
		}
		for key := range all.byKey {
			if want := all.get(key, last); have[key] != want {
				return fmt.Errorf("%s: %s is %v, want %v", m.name(), key, have[key], want)
			}
			delete(have, key)
		}
		if len(have) > 0 {
			return fmt.Errorf("%s has keys that nobody was told of: %v", m.name(), have)
		}
		if err := s.hash(ctx, i, last); err != nil {
			return err
		}
	}
	return nil
}
