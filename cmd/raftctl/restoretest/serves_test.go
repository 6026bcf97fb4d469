package restoretest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// bootFlags let etcd start fast, and check passwords fast.
var bootFlags = append(slices.Clone(etcdtest.Quick), "--bcrypt-cost", "4")

// boot starts an etcd on what a restore made.
func boot(t *testing.T, version string, r *restored) *etcdtest.Server {
	t.Helper()
	return etcdtest.Start(t, version, r.Members[0].DataDir, bootFlags...)
}

// proof is what a member must serve.
type proof struct {
	*history
	want   moment
	bumped int64 // by which the revision was raised, and what came before compacted
}

// check compares all that an etcd serves with what is wanted, and writes at the end.
func (p *proof) check(t *testing.T, endpoint string) {
	t.Helper()
	name, password := "", ""
	if p.want.Auth {
		name, password = "root", rootPassword
	}
	c := dial(t, name, password, endpoint)
	defer func() { _ = c.Close() }()
	if p.checkKeys(t, c); t.Failed() {
		return // the rest would wait for what doesn't come
	}
	p.checkLeases(t, c)
	p.checkUsers(t, c, endpoint)
	p.checkPast(t, c)
	p.checkWatch(t, c)
	p.checkWrites(t, c)
}

// keysAt reads all keys at a revision; at the newest one if it is 0.
func keysAt(t *testing.T, c *clientv3.Client, rev int64) (map[string]key, int64) {
	t.Helper()
	ctx, cancel := withPatience(t)
	defer cancel()
	r, err := c.Get(ctx, "", clientv3.WithFromKey(), clientv3.WithRev(rev))
	if err != nil {
		t.Fatalf("keys at %d: %v", rev, err)
	}
	got := map[string]key{}
	for _, kv := range r.Kvs {
		got[string(kv.Key)] = key{string(kv.Value), kv.CreateRevision, kv.ModRevision, kv.Version, kv.Lease}
	}
	return got, r.Header.Revision
}

func (p *proof) checkKeys(t *testing.T, c *clientv3.Client) {
	t.Helper()
	got, rev := keysAt(t, c, 0)
	if rev != p.want.Rev+p.bumped {
		t.Errorf("revision %d, want %d, as after %q", rev, p.want.Rev+p.bumped, p.want.What)
	}
	if diff := cmp.Diff(p.want.Keys, got); diff != "" {
		t.Errorf("keys as after %q, entry %d (-want +got):\n%s", p.want.What, p.want.Index, diff)
	}
}

func (p *proof) checkLeases(t *testing.T, c *clientv3.Client) {
	t.Helper()
	ctx, cancel := withPatience(t)
	defer cancel()
	r, err := c.Leases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, l := range r.Leases {
		got = append(got, int64(l.ID))
	}
	slices.Sort(got)
	want := append([]int64(nil), p.want.Leases...)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
	for _, id := range got {
		ttl, err := c.TimeToLive(ctx, clientv3.LeaseID(id), clientv3.WithAttachedKeys())
		if err != nil {
			t.Fatal(err)
		}
		var keys, attached []string
		for _, k := range ttl.Keys {
			keys = append(keys, string(k))
		}
		for name, k := range p.want.Keys {
			if k.Lease == id {
				attached = append(attached, name)
			}
		}
		slices.Sort(keys)
		slices.Sort(attached)
		if !slices.Equal(keys, attached) {
			t.Errorf("lease %d has keys %q, want %q", id, keys, attached)
		}
	}
}

// checkUsers looks at users and roles, and at what a user may do.
func (p *proof) checkUsers(t *testing.T, c *clientv3.Client, endpoint string) {
	t.Helper()
	ctx, cancel := withPatience(t)
	defer cancel()
	users, err := c.UserList(ctx)
	if err != nil {
		t.Fatal(err)
	}
	roles, err := c.RoleList(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(users.Users, roles.Roles)
	if want := map[bool]string{true: "[alice root] [writer]", false: "[] []"}[p.want.Auth]; got != want {
		t.Errorf("users and roles %s, want %s", got, want)
	}
	if !p.want.Auth {
		return
	}
	alice := dial(t, "alice", alicePassword, endpoint)
	defer func() { _ = alice.Close() }()
	if _, err := alice.Get(ctx, writable, clientv3.WithPrefix()); err != nil {
		t.Errorf("alice reads below %s: %v", writable, err)
	}
	if _, err := alice.Put(ctx, "b/1", "x"); err != rpctypes.ErrPermissionDenied {
		t.Errorf("alice writes elsewhere: %v, want %v", err, rpctypes.ErrPermissionDenied)
	}
	_, err = c.Authenticate(ctx, "alice", "wrong")
	if err != rpctypes.ErrAuthFailed {
		t.Errorf("a wrong password: %v, want %v", err, rpctypes.ErrAuthFailed)
	}
	plain := dial(t, "", "", endpoint)
	defer func() { _ = plain.Close() }()
	if _, err := plain.Get(ctx, "a/1"); err != rpctypes.ErrUserEmpty {
		t.Errorf("without a user: %v, want %v", err, rpctypes.ErrUserEmpty)
	}
}

// checkPast reads the keys as they were at some earlier revisions.
func (p *proof) checkPast(t *testing.T, c *clientv3.Client) {
	t.Helper()
	if p.bumped > 0 {
		return // compacted
	}
	const looks = 8
	step := max(1, len(p.moments)/looks)
	for i := 0; i < len(p.moments); i += step {
		m := &p.moments[i]
		if m.Rev > p.want.Rev || m.Rev < max(p.want.Compacted, 2) {
			continue
		}
		got, _ := keysAt(t, c, m.Rev)
		if diff := cmp.Diff(m.Keys, got); diff != "" {
			t.Errorf("keys at revision %d (-want +got):\n%s", m.Rev, diff)
		}
	}
}

// checkWatch watches from where a client of the old cluster was.
func (p *proof) checkWatch(t *testing.T, c *clientv3.Client) {
	t.Helper()
	if p.bumped > 0 {
		p.checkCompacted(t, c, p.want.Rev+1, p.want.Rev+p.bumped)
		return
	}
	if p.want.Compacted > 1 {
		p.checkCompacted(t, c, 1, p.want.Compacted)
	}
	first := max(p.want.Compacted+1, 2)
	want := p.between(first, p.want.Rev)
	ctx, cancel := withPatience(t)
	defer cancel()
	var got []event
	watch := c.Watch(ctx, "", clientv3.WithFromKey(), clientv3.WithRev(first))
	for len(got) < len(want) {
		r, ok := <-watch
		if !ok || r.Err() != nil {
			t.Errorf("watch from %d ends after %d events, want %d: %v", first, len(got), len(want), r.Err())
			return
		}
		for _, e := range r.Events {
			got = append(got, event{e.Kv.ModRevision, string(e.Kv.Key), string(e.Kv.Value), e.Type == clientv3.EventTypeDelete})
		}
	}
	if diff := cmp.Diff(inOrder(want), inOrder(got)); diff != "" {
		t.Errorf("events from %d (-want +got):\n%s", first, diff)
	}
}

// inOrder sorts the events of one revision by key.
func inOrder(list []event) []event {
	slices.SortStableFunc(list, func(a, b event) int {
		if a.Rev != b.Rev {
			return int(a.Rev - b.Rev)
		}
		return bytes.Compare([]byte(a.Key), []byte(b.Key))
	})
	return list
}

// checkCompacted checks that a watch is told that what it asks for is compacted.
func (p *proof) checkCompacted(t *testing.T, c *clientv3.Client, from, compacted int64) {
	t.Helper()
	ctx, cancel := withPatience(t)
	defer cancel()
	r := <-c.Watch(ctx, "", clientv3.WithFromKey(), clientv3.WithRev(from))
	if r.Err() != rpctypes.ErrCompacted || r.CompactRevision != compacted {
		t.Errorf("watch from %d: %v at %d, want %v at %d", from, r.Err(), r.CompactRevision, rpctypes.ErrCompacted, compacted)
	}
}

// checkWrites writes: revisions go on from where they were, and a watch tells of it.
func (p *proof) checkWrites(t *testing.T, c *clientv3.Client) {
	t.Helper()
	ctx, cancel := withPatience(t)
	defer cancel()
	next := p.want.Rev + p.bumped + 1
	watch := c.Watch(ctx, "a/new", clientv3.WithRev(next))
	put, err := c.Put(ctx, "a/new", "one")
	if err != nil {
		t.Fatalf("a write: %v", err)
	}
	if put.Header.Revision != next {
		t.Errorf("revision %d of a write, want %d", put.Header.Revision, next)
	}
	if r := <-watch; r.Err() != nil || len(r.Events) != 1 || r.Events[0].Kv.ModRevision != next {
		t.Errorf("watch from %d: %v, %v", next, r.Err(), r.Events)
	}
	if _, err := c.Delete(ctx, "a/new"); err != nil {
		t.Errorf("a deletion: %v", err)
	}
	l, err := clientv3.RetryLeaseClient(c).LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: 77, TTL: 60})
	if err != nil || l.ID != 77 {
		t.Errorf("a lease: %v, %v", l, err)
	}
}

// checkRehearsal compares what a rehearsal has told with what etcd serves, before anything is written.
func (p *proof) checkRehearsal(t *testing.T, r *restored, endpoint string) {
	t.Helper()
	name, password := "", ""
	if p.want.Auth {
		name, password = "root", rootPassword
	}
	c := dial(t, name, password, endpoint)
	defer func() { _ = c.Close() }()
	ctx, cancel := withPatience(t)
	defer cancel()
	if len(r.Rehearsals) == 0 {
		t.Fatal("nothing was rehearsed")
	}
	for _, x := range r.Rehearsals {
		h, err := c.HashKV(ctx, endpoint, x.Revision)
		for err == rpctypes.ErrFutureRev {
			time.Sleep(10 * time.Millisecond)
			h, err = c.HashKV(ctx, endpoint, x.Revision)
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Hash != x.Hash || x.Revision != p.want.Rev+p.bumped || int(x.Keys) != len(p.want.Keys) ||
			x.Leases != len(p.want.Leases) {
			t.Errorf("rehearsed %+v, etcd has hash %d at revision %d, %d keys, %d leases", x, h.Hash,
				p.want.Rev+p.bumped, len(p.want.Keys), len(p.want.Leases))
		}
	}
}
