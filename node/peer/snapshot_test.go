package peer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// database is one of random bytes, which may end in an error.
type database struct {
	size   int
	err    error
	block  chan struct{} // if not nil: what to wait for in the middle
	hash   []byte        // of what was written
	closed atomic.Int32
}

func (d *database) WriteTo(w io.Writer) (int64, error) {
	h, g, n := sha256.New(), rand.NewChaCha8([32]byte{}), 0
	buf := make([]byte, 64<<10)
	for n < d.size {
		if d.block != nil && n >= d.size/2 {
			<-d.block
		}
		part := buf[:min(len(buf), d.size-n)]
		_, _ = g.Read(part) // never fails
		k, err := w.Write(part)
		n += k
		if err != nil {
			return int64(n), err
		}
		h.Write(part)
	}
	d.hash = h.Sum(nil)
	return int64(n), d.err
}

func (d *database) Close() error {
	d.closed.Add(1)
	return nil
}

func snapshotMessage(from, to uint64) raftpb.Message {
	return raftpb.Message{Type: raftpb.MsgSnap, From: from, To: to, Term: 4, Snapshot: &raftpb.Snapshot{
		Data: []byte("the store"), Metadata: raftpb.SnapshotMetadata{
			Index: 77, Term: 3, ConfState: raftpb.ConfState{Voters: []uint64{from, to}},
		},
	}}
}

func TestSnapshot(t *testing.T) {
	for _, size := range []int{0, 1, 100, 20 << 20} {
		a, b := newNode(t, 1), newNode(t, 2)
		connect(t, a, b)
		db, m := &database{size: size}, snapshotMessage(1, 2)
		a.SendSnapshot(m, db)
		a.wait(t, "report", func() bool { return len(a.snapshots) == 1 })
		got := b.received(t, 1)
		if diff := cmp.Diff([]raftpb.Message{m}, got); diff != "" {
			t.Error(diff)
		}
		if sum := sha256.Sum256(b.databases[0]); !a.snapshots[0] || !bytes.Equal(sum[:], db.hash) {
			t.Errorf("%d bytes: ok is %t, hash %x, want %x", size, a.snapshots[0], sum, db.hash)
		}
		eventually(t, "close", func() bool { return db.closed.Load() == 1 })
	}
}

// Whatever goes wrong, the failure is reported, the database is closed, and nothing half is taken.
func TestSnapshotFails(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		db      *database
		message func(*raftpb.Message)
		prepare func(a, b *node)
	}{
		"database can't be read": {db: &database{size: 1 << 20, err: broken}},
		"database can't be stored": {
			prepare: func(_, b *node) {
				b.onSave = func(*raftpb.Message, io.Reader) error { return broken }
			},
		},
		"database stalls": {db: &database{size: 1 << 20, block: make(chan struct{})}},
		"receiver stalls": {
			db: &database{size: 64 << 20},
			prepare: func(a, b *node) {
				b.onSave = func(_ *raftpb.Message, r io.Reader) error {
					a.wait(t, "report", func() bool { return len(a.snapshots) > 0 })
					_, err := io.Copy(io.Discard, r)
					return err
				}
			},
		},
		"message refused": {
			prepare: func(_, b *node) {
				b.onProcess = func(context.Context, raftpb.Message) error { return broken }
			},
		},
		"not a snapshot": {message: func(m *raftpb.Message) { m.Type = raftpb.MsgApp }},
		"unknown member": {message: func(m *raftpb.Message) { m.To = 9 }},
		"other cluster":  {prepare: func(a, _ *node) { a.cfg.ClusterID = 99 }},
		"nobody listens": {prepare: func(_, b *node) { b.server.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			fast := func(c *Config) { c.times = quick() }
			a, b := newNode(t, 1, fast), newNode(t, 2, fast)
			if test.prepare != nil {
				test.prepare(a, b)
			}
			if err := a.AddPeer(2, []string{b.server.URL}); err != nil {
				t.Fatal(err)
			}
			db, m := test.db, snapshotMessage(1, 2)
			if db == nil {
				db = &database{size: 1 << 20}
			}
			if test.message != nil {
				test.message(&m)
			}
			a.SendSnapshot(m, db)
			if db.block != nil {
				defer eventually(t, "close", func() bool { return db.closed.Load() == 1 })
				defer close(db.block)
			}
			a.wait(t, "report", func() bool { return len(a.snapshots) == 1 && !a.snapshots[0] })
			if db.block == nil {
				eventually(t, "close", func() bool { return db.closed.Load() == 1 })
			}
			if len(b.messages) > 0 {
				t.Errorf("processed %+v", b.messages)
			}
		})
	}
}

// Each snapshot is reported, also one that finds another on its way, and one to a member that is removed
// meanwhile.
func TestSnapshotsAreReportedOnce(t *testing.T) {
	a, b := newNode(t, 1), newNode(t, 2)
	connect(t, a, b)
	first := &database{size: 1 << 20, block: make(chan struct{})}
	a.SendSnapshot(snapshotMessage(1, 2), first)
	eventually(t, "on its way", a.member(2).snapshot.busy.Load)
	for n := 1; n <= 3; n++ {
		a.SendSnapshot(snapshotMessage(1, 2), &database{})
		a.wait(t, "report", func() bool { return len(a.snapshots) == n && !a.snapshots[n-1] })
	}
	a.RemovePeer(2)
	a.wait(t, "report", func() bool { return len(a.snapshots) == 4 && !a.snapshots[3] })
	close(first.block)
	a.Stop()
	if n := len(a.snapshots); n != 4 || first.closed.Load() != 1 {
		t.Errorf("%d reports, closed %d times", n, first.closed.Load())
	}
}
