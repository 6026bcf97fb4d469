package node_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/etcdapi"
)

// seat is a place in a cluster, on whose directory either an etcd runs or a member of ours.
type seat struct {
	etcdtest.Peer
	release string
	initial string // the whole cluster's
	joins   bool   // the cluster exists

	etcd   *etcdtest.Server
	ours   *node.Node
	server *etcdapi.Server
	url    string // for clients
	client *clientv3.Client
}

// seats returns the places of a cluster on which nothing runs yet.
func seats(t *testing.T, release string, size int) (all []*seat) {
	t.Helper()
	peers := etcdtest.Peers(t, size)
	for _, p := range peers {
		p.DataDir = t.TempDir()
		all = append(all, &seat{Peer: p, release: release, initial: etcdtest.InitialCluster(peers)})
	}
	return all
}

// launch starts a member, one of ours or an etcd, and doesn't wait for a leader.
func (s *seat) launch(t *testing.T, ours bool) {
	t.Helper()
	if !ours {
		args := []string{"--name", s.Name, "--listen-peer-urls", s.URL, "--initial-advertise-peer-urls", s.URL,
			"--initial-cluster", s.initial, "--snapshot-count", "100", "--heartbeat-interval", "50",
			"--election-timeout", "500"}
		if s.release != "3.5" { // which has no such flag
			args = append(args, "--snapshot-catchup-entries", "100")
		}
		if s.joins {
			args = append(args, "--initial-cluster-state", "existing")
		}
		s.etcd = etcdtest.Launch(t, s.release, s.DataDir, args...)
		s.url = s.etcd.URL()
		return
	}
	s.url = freeURL(t)
	s.ours = startOne(t, node.Config{
		Name: s.Name, DataDir: s.DataDir, ListenPeerURLs: []string{s.URL}, InitialCluster: s.initial,
		AdvertiseClientURLs: []string{s.url}, As: s.release, SnapshotCount: 100, CatchUpEntries: 100, Join: s.joins,
		Tick: 50 * time.Millisecond, ElectionTimeout: 500 * time.Millisecond,
	})
	var err error
	if s.server, err = etcdapi.Listen(etcdapi.ServeConfig{ClientURLs: []string{s.url}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.server.Stop(context.Background()) })
}

// wait returns when what was launched serves clients.
func (s *seat) wait(t *testing.T) {
	t.Helper()
	if s.ours != nil {
		waitReady(t, s.ours)
		if err := s.server.Serve(t.Context(), s.ours); err != nil {
			t.Fatal(err)
		}
	} else if err := s.etcd.WaitHealthy(); err != nil {
		t.Fatalf("%v\n%s", err, s.etcd.Log())
	}
	s.client = dialClient(t, s.url)
}

func dialClient(t *testing.T, url string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{url}, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// stop ends what runs, cleanly.
func (s *seat) stop(t *testing.T) {
	t.Helper()
	_ = s.client.Close() // what it waits for is lost
	if s.ours == nil {
		s.etcd.Stop()
		s.etcd = nil
		return
	}
	stop(t, s.ours)
	if err := s.server.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	s.ours, s.server = nil, nil
}

// load writes keys through whichever member takes them, and remembers what was acknowledged.
type load struct {
	mu    sync.Mutex
	seats []*seat
	acked []string
	stop  context.CancelFunc
	done  sync.WaitGroup
}

func startLoad(t *testing.T, all []*seat) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{seats: all, stop: cancel}
	for worker := range 4 {
		l.done.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l.write(ctx, fmt.Sprintf("key/%d/%d", worker, i))
			}
		})
	}
	t.Cleanup(cancel)
	return l
}

func (l *load) write(ctx context.Context, key string) {
	for _, c := range l.clients() {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := c.Put(ctx, key, key)
		cancel()
		if err == nil {
			l.mu.Lock()
			l.acked = append(l.acked, key)
			l.mu.Unlock()
			return
		}
	}
}

func (l *load) clients() (all []*clientv3.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.seats {
		if s.client != nil {
			all = append(all, s.client)
		}
	}
	return all
}

// pass waits until so many more writes are acknowledged.
func (l *load) pass(t *testing.T, writes int) {
	t.Helper()
	l.mu.Lock()
	want := len(l.acked) + writes
	l.mu.Unlock()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		l.mu.Lock()
		n := len(l.acked)
		l.mu.Unlock()
		if n >= want {
			return
		}
	}
	t.Fatal("no writes for a minute")
}

// replace stops one member, and starts the other kind on its directory.
func (l *load) replace(t *testing.T, s *seat, ours bool) {
	t.Helper()
	l.mu.Lock()
	client := s.client
	s.client = nil
	l.mu.Unlock()
	old := &seat{etcd: s.etcd, ours: s.ours, server: s.server, client: client}
	old.stop(t)
	fresh := &seat{Peer: s.Peer, release: s.release, initial: s.initial, joins: s.joins}
	fresh.launch(t, ours)
	fresh.wait(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	*s = *fresh
}

// checkEqual checks that all members have the same keys, and every one that was acknowledged.
func checkEqual(t *testing.T, all []*seat, acked []string) {
	t.Helper()
	got, err := all[0].client.Get(t.Context(), "key/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, kv := range got.Kvs {
		keys = append(keys, string(kv.Key))
	}
	for _, key := range acked {
		if _, ok := slices.BinarySearch(keys, key); !ok {
			t.Fatalf("%s was acknowledged, and is lost", key)
		}
	}
	var hashes []string
	for _, s := range all {
		if _, err := s.client.Get(t.Context(), "key/"); err != nil { // it has applied as much
			t.Fatal(err)
		}
		h, err := s.client.HashKV(t.Context(), s.url, got.Header.Revision)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, fmt.Sprintf("%08x", h.Hash))
	}
	if len(slices.Compact(slices.Clone(hashes))) != 1 {
		t.Fatalf("hashes %s", strings.Join(hashes, " "))
	}
}

// A cluster of etcds is replaced by ours member by member, and back, under load, on the same directories.
func TestRollingReplacement(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			all := seats(t, release, 3)
			for _, s := range all {
				s.launch(t, false)
			}
			for _, s := range all {
				s.wait(t)
			}
			l := startLoad(t, all)
			for _, ours := range []bool{true, false} {
				for _, s := range all {
					l.pass(t, 200)
					l.replace(t, s, ours)
				}
			}
			l.pass(t, 200)
			l.stop()
			l.done.Wait()
			checkEqual(t, all, l.acked)
			t.Logf("%d writes", len(l.acked))
		})
	}
}
