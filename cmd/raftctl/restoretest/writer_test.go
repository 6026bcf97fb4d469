package restoretest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// The users: root may do all, and alice write below writable.
const (
	rootPassword  = "secret of root"
	alicePassword = "secret of alice"
	writable      = "a/"
)

// dial connects to members; without a user where name is empty.
func dial(t *testing.T, name, password string, endpoints ...string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Username: name, Password: password,
		DialTimeout: 10 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		t.Fatalf("dial %v as %q: %v", endpoints, name, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// patience bounds how long a request may take. It is for a machine that builds something else.
const patience = 30 * time.Second

func withPatience(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), patience)
}

// randomLeases is where the leases of random requests begin.
const randomLeases = 1000

// writer is a client that records what etcd acknowledges.
type writer struct {
	*history

	t         *testing.T
	c         *clientv3.Client
	endpoint  string // of the member that it speaks to
	nextLease int64  // of random requests; tests name others
	n         int    // of values so far
}

func newWriter(t *testing.T, endpoint string) *writer {
	return &writer{history: newHistory(), t: t, c: dial(t, "", "", endpoint), endpoint: endpoint, nextLease: randomLeases}
}

// moveTo lets the writer speak to another member of the cluster.
func (w *writer) moveTo(endpoint string) {
	w.c, w.endpoint = dial(w.t, "", "", endpoint), endpoint
	if w.now.Auth {
		w.c = dial(w.t, "root", rootPassword, endpoint)
	}
}

func (w *writer) must(what string, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
}

// ack records that a request was acknowledged. etcd answers before it moves its applied index; a linearizable
// read waits until it has.
func (w *writer) ack(what string, rev int64) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	_, err := w.c.Get(ctx, "applied")
	w.must("get", err)
	s, err := w.c.Status(ctx, w.endpoint)
	w.must("status", err)
	w.note(w.t, what, rev, s.RaftAppliedIndex)
}

func (w *writer) value() string {
	w.n++
	return fmt.Sprintf("value %d", w.n)
}

func (w *writer) put(name string, lease int64) {
	w.t.Helper()
	w.ack("put "+name, w.putOnly(name, lease))
}

// putLast is put without asking anything afterwards: the last thing before a kill. The moment's index is
// not known.
func (w *writer) putLast(name string) {
	w.t.Helper()
	w.note(w.t, "put "+name+", one of the last", w.putOnly(name, 0), 0)
}

func (w *writer) putOnly(name string, lease int64) (rev int64) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	value := w.value()
	r, err := w.c.Put(ctx, name, value, clientv3.WithLease(clientv3.LeaseID(lease)))
	w.must("put "+name, err)
	if r.Header.Revision != w.now.Rev+1 {
		w.t.Fatalf("put %s: revision %d, want %d", name, r.Header.Revision, w.now.Rev+1)
	}
	w.history.put(r.Header.Revision, name, value, lease)
	return r.Header.Revision
}

// del deletes a key, or all with a prefix.
func (w *writer) del(name string, prefix bool) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	var names []string
	var opts []clientv3.OpOption
	if prefix {
		names, opts = w.withPrefix(name), []clientv3.OpOption{clientv3.WithPrefix()}
	} else if _, ok := w.now.Keys[name]; ok {
		names = []string{name}
	}
	r, err := w.c.Delete(ctx, name, opts...)
	w.must("delete "+name, err)
	if r.Deleted != int64(len(names)) {
		w.t.Fatalf("delete %s: %d keys, want %d", name, r.Deleted, len(names))
	}
	for _, k := range names {
		w.history.del(r.Header.Revision, k)
	}
	w.ack("delete "+name, r.Header.Revision)
}

// txnDelete deletes a key as Kubernetes does: if it is as it was read.
func (w *writer) txnDelete(name string, stale bool) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	mod := w.now.Keys[name].Mod
	if stale {
		mod++
	}
	r, err := w.c.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(name), "=", mod)).
		Then(clientv3.OpDelete(name)).Else(clientv3.OpGet(name)).Commit()
	w.must("txn", err)
	if _, ok := w.now.Keys[name]; ok && r.Succeeded {
		w.history.del(r.Header.Revision, name)
	}
	w.ack("txn delete "+name, r.Header.Revision)
}

// txnPuts puts several keys at once, and deletes one.
func (w *writer) txnPuts(gone string, names ...string) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	rev := w.now.Rev + 1
	ops := []clientv3.Op{clientv3.OpDelete(gone)}
	if _, ok := w.now.Keys[gone]; ok {
		w.history.del(rev, gone)
	}
	for _, name := range names {
		value := w.value()
		ops = append(ops, clientv3.OpPut(name, value))
		w.history.put(rev, name, value, 0)
	}
	r, err := w.c.Txn(ctx).Then(ops...).Commit()
	w.must("txn", err)
	w.ack("txn", r.Header.Revision)
}

// grant grants a lease that lasts.
func (w *writer) grant(id int64) int64 {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	_, err := clientv3.RetryLeaseClient(w.c).LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: id, TTL: 3600})
	w.must("grant", err)
	w.now.Leases = append(w.now.Leases, id)
	w.ack("grant", w.now.Rev)
	return id
}

func (w *writer) keepAlive(id int64) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	_, err := w.c.KeepAliveOnce(ctx, clientv3.LeaseID(id))
	w.must("keep alive", err)
}

func (w *writer) revoke(id int64) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	r, err := w.c.Revoke(ctx, clientv3.LeaseID(id))
	w.must("revoke", err)
	w.gone(id, r.Header.Revision)
	w.ack("revoke", r.Header.Revision)
}

// gone takes a lease away, and its keys.
func (w *writer) gone(id, rev int64) {
	for _, name := range w.withPrefix("") {
		if w.now.Keys[name].Lease == id {
			w.history.del(rev, name)
		}
	}
	w.now.Leases = slices.DeleteFunc(w.now.Leases, func(x int64) bool { return x == id })
}

// expire puts a key with a lease of a second, and waits until etcd has revoked it.
func (w *writer) expire(name string) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	l, err := w.c.Grant(ctx, 1)
	w.must("grant", err)
	id := int64(l.ID)
	w.now.Leases = append(w.now.Leases, id)
	w.ack("grant", w.now.Rev)
	w.put(name, id)
	for {
		r, err := w.c.Get(ctx, name)
		w.must("get", err)
		if r.Count == 0 {
			w.gone(id, r.Header.Revision)
			w.ack("expired "+name, r.Header.Revision)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *writer) compact(rev int64) {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	_, err := w.c.Compact(ctx, rev, clientv3.WithCompactPhysical())
	w.must("compact", err)
	w.now.Compacted = rev
	w.ack("compact", w.now.Rev)
}

// setUpAuth adds users and a role, and turns authentication on.
func (w *writer) setUpAuth() {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	for _, step := range []func() error{
		func() error { _, err := w.c.UserAdd(ctx, "root", rootPassword); return err },
		func() error { _, err := w.c.UserAdd(ctx, "alice", alicePassword); return err },
		func() error { _, err := w.c.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := w.c.RoleAdd(ctx, "writer"); return err },
		func() error {
			_, err := w.c.RoleGrantPermission(ctx, "writer", writable, clientv3.GetPrefixRangeEnd(writable),
				clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := w.c.UserGrantRole(ctx, "alice", "writer"); return err },
		func() error { _, err := w.c.AuthEnable(ctx); return err },
	} {
		w.must("auth", step())
	}
	w.now.Auth = true
	w.c = dial(w.t, "root", rootPassword, w.endpoint)
	w.ack("auth", w.now.Rev)
}

// changeMembers adds a learner that never comes, and removes it.
func (w *writer) changeMembers() {
	w.t.Helper()
	ctx, cancel := withPatience(w.t)
	defer cancel()
	w.n++ // an ID is made of the URL and the second
	added, err := w.c.MemberAddAsLearner(ctx, []string{fmt.Sprintf("http://127.0.0.1:%d", w.n)})
	w.must("member add", err)
	_, err = w.c.MemberRemove(ctx, added.Member.ID)
	w.must("member remove", err)
	w.ack("members", w.now.Rev)
}

// someLease is one of those that random requests have granted; 0 if there is none.
func (w *writer) someLease(rng *rand.Rand) int64 {
	var list []int64
	for _, id := range w.now.Leases {
		if id > randomLeases && id <= w.nextLease {
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		return 0
	}
	return list[rng.IntN(len(list))]
}

// random does n requests.
func (w *writer) random(rng *rand.Rand, n int) {
	w.t.Helper()
	names := []string{"a/1", "a/2", "a/3", "b/1", "b/2", "a/1/x", "c"}
	pick := func() string { return names[rng.IntN(len(names))] }
	for range n {
		switch rng.IntN(14) {
		default:
			w.put(pick(), 0)
		case 0:
			w.del(pick(), false)
		case 1:
			w.del([]string{"a/", "b/", "a/1"}[rng.IntN(3)], true)
		case 2:
			w.txnDelete(pick(), rng.IntN(4) == 0)
		case 3:
			i := rng.IntN(len(names))
			w.txnPuts(names[i], names[(i+1)%len(names)], names[(i+2)%len(names)])
		case 4:
			w.nextLease++
			w.grant(w.nextLease)
		case 5:
			if id := w.someLease(rng); id > 0 {
				w.put(pick(), id)
			}
		case 6:
			if id := w.someLease(rng); id > 0 {
				w.revoke(id)
			}
		case 7:
			if low := w.now.Compacted + 1; rng.IntN(3) == 0 && low < w.now.Rev {
				w.compact(low + rng.Int64N(w.now.Rev-low))
			}
		case 8:
			if rng.IntN(4) == 0 {
				w.changeMembers()
			}
		}
	}
}
