package node_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/internal/machine"
)

// writeUntil writes keys until the member stops or there are so many, and returns those acknowledged.
func writeUntil(t *testing.T, n *node.Node, count int64) (acked []string) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 4 {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > count {
					return
				}
				key := fmt.Sprint(i)
				r, err := n.Propose(t.Context(), &etcdserverpb.InternalRaftRequest{
					Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte(strings.Repeat(key, 100))},
				})
				if err != nil || r.Err != nil {
					return
				}
				mu.Lock()
				acked = append(acked, key)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return acked
}

// Whichever operation on a file fails while a member runs, it says so and stops, and what it acknowledged
// is there when it starts again.
func TestFileOperationFails(t *testing.T) {
	const entries = 400
	cfg := crashConfig("")
	cfg.SnapshotCount = 50
	run := func(t *testing.T, watch func(i int, op faultfs.Op) error) (dir string, acked []string, ops int) {
		disk := faultfs.NewOver(vfs.OS)
		cfg.DataDir = t.TempDir()
		n := start(t, cfg.On(machine.Machine{FS: disk}))
		before := disk.Ops()
		disk.Watch(func(op faultfs.Op) error { return watch(op.N-before, op) })
		acked = writeUntil(t, n, entries)
		if len(acked) < entries {
			select {
			case <-n.Done():
			case <-time.After(20 * time.Second):
				t.Fatal("the member goes on")
			}
			if err := n.Err(); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), cfg.DataDir) {
				t.Fatalf("stopped for %v, want the error of the disk and where", err)
			}
		}
		stopAnyhow(n)
		return cfg.DataDir, acked, disk.Ops() - before
	}
	_, _, ops := run(t, func(int, faultfs.Op) error { return nil })
	if ops < 50 {
		t.Fatalf("%d operations, want more", ops)
	}
	stopped := 0
	for at := 1; at < ops; at += max(1, ops/20) {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			dir, acked, _ := run(t, func(i int, op faultfs.Op) error {
				// A write that fails leaves parts here as no file system does, and no log is repaired
				// then without being asked.
				if i >= at && op.Kind != faultfs.OpWrite {
					return syscall.EIO
				}
				return nil
			})
			if len(acked) < entries {
				stopped++
			}
			again := cfg
			again.DataDir = dir
			n := start(t, again)
			for _, key := range acked {
				if got := get(t, n, key); got != strings.Repeat(key, 100) {
					t.Fatalf("%s = %q, want what was acknowledged", key, got)
				}
			}
		})
	}
	if stopped < 10 {
		t.Errorf("%d members stopped for an error of the disk, want more", stopped)
	}
}

// On a full disk a member stops, names the file, and goes on from where it was when there is room.
func TestDiskFull(t *testing.T) {
	disk := faultfs.NewOver(vfs.OS)
	cfg := crashConfig(t.TempDir())
	cfg.SnapshotCount = 50
	n := start(t, cfg.On(machine.Machine{FS: disk}))
	disk.SetSpace(20 << 10)
	const entries = 2000
	acked := writeUntil(t, n, entries)
	if len(acked) == entries {
		t.Fatal("the disk isn't full")
	}
	if err := waitDone(t, n); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("stopped for %v, want the full disk and where", err)
	}
	n = start(t, cfg)
	for _, key := range acked {
		if got := get(t, n, key); got != strings.Repeat(key, 100) {
			t.Fatalf("%s = %q, want what was acknowledged", key, got)
		}
	}
}
