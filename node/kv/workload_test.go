package kv_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// workload asks a real etcd, through its own client, for what clients and operators ask for: every kind of
// request, in an order that follows from a seed.
type workload struct {
	t      testing.TB
	seed   uint64
	ctx    context.Context
	server *etcdtest.Server
	c      *clientv3.Client
	r      *rand.Rand
	leases []clientv3.LeaseID
}

func newWorkload(t testing.TB, server *etcdtest.Server, seed uint64) *workload {
	t.Helper()
	w := &workload{t: t, seed: seed, ctx: t.Context(), server: server, r: rand.New(rand.NewPCG(seed, 1))}
	w.c = w.client("", "")
	return w
}

func (w *workload) client(user, password string) *clientv3.Client {
	w.t.Helper()
	c, err := clientv3.New(clientv3.Config{
		Endpoints: []string{w.server.Endpoint}, Username: user, Password: password, DialTimeout: 20 * time.Second,
		Logger: zap.NewNop(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

// must fails the test for what isn't an answer of etcd's: that it refuses a request is one.
func (w *workload) must(err error) {
	w.t.Helper()
	var refused rpctypes.EtcdError
	if err == nil || errors.As(err, &refused) {
		return
	}
	if code := status.Code(err); code != codes.InvalidArgument && code != codes.FailedPrecondition &&
		code != codes.OutOfRange && code != codes.NotFound && code != codes.PermissionDenied {
		w.t.Fatal(err)
	}
}

func (w *workload) key() string { return fmt.Sprintf("k%02d", w.r.IntN(40)) }

func (w *workload) value() string { return strings.Repeat(fmt.Sprint(w.r.IntN(1000)), w.r.IntN(60)) }

func (w *workload) lease() clientv3.LeaseID {
	if len(w.leases) == 0 {
		return clientv3.NoLease
	}
	return w.leases[w.r.IntN(len(w.leases))]
}

// op returns a put or a deletion, of any form.
func (w *workload) op() clientv3.Op {
	switch w.r.IntN(11) {
	case 0:
		return clientv3.OpDelete(w.key())
	case 1:
		return clientv3.OpDelete(w.key(), clientv3.WithRange(w.key()), clientv3.WithPrevKV())
	case 2:
		return clientv3.OpDelete("k"+fmt.Sprint(w.r.IntN(4)), clientv3.WithPrefix())
	case 3:
		return clientv3.OpDelete("k3", clientv3.WithFromKey())
	case 4:
		return clientv3.OpPut(w.key(), w.value(), clientv3.WithLease(w.lease()))
	case 5:
		return clientv3.OpPut(w.key(), "", clientv3.WithIgnoreValue(), clientv3.WithPrevKV())
	case 6:
		return clientv3.OpPut(w.key(), w.value(), clientv3.WithIgnoreLease())
	}
	return clientv3.OpPut(w.key(), w.value())
}

func (w *workload) compare() clientv3.Cmp {
	how := []string{"=", "!=", "<", ">"}[w.r.IntN(4)]
	var c clientv3.Cmp
	switch w.r.IntN(5) {
	case 0:
		c = clientv3.Compare(clientv3.Version(w.key()), how, w.r.IntN(3))
	case 1:
		c = clientv3.Compare(clientv3.CreateRevision(w.key()), how, w.r.IntN(100))
	case 2:
		c = clientv3.Compare(clientv3.ModRevision(w.key()), how, w.r.IntN(100))
	case 3:
		c = clientv3.Compare(clientv3.Value(w.key()), how, w.value())
	default:
		c = clientv3.Compare(clientv3.LeaseValue(w.key()), how, w.lease())
	}
	if w.r.IntN(4) == 0 {
		c = c.WithRange(w.key())
	}
	return c
}

// txn returns a transaction, others within it.
func (w *workload) txn(depth int) ([]clientv3.Cmp, []clientv3.Op, []clientv3.Op) {
	branch := func() (ops []clientv3.Op) {
		for range w.r.IntN(4) {
			switch n := w.r.IntN(6); {
			case n == 0 && depth < 3:
				ops = append(ops, clientv3.OpTxn(w.txn(depth+1)))
			case n == 1:
				ops = append(ops, clientv3.OpGet(w.key(), clientv3.WithRange("z")))
			default:
				ops = append(ops, w.op())
			}
		}
		return ops
	}
	var cmps []clientv3.Cmp
	for range w.r.IntN(3) {
		cmps = append(cmps, w.compare())
	}
	return cmps, branch(), branch()
}

// step asks for one thing.
func (w *workload) step() {
	w.t.Helper()
	switch w.r.IntN(20) {
	case 0:
		g, err := w.c.Grant(w.ctx, []int64{1, 2, 60, 600}[w.r.IntN(4)])
		w.must(err)
		if err == nil {
			w.leases = append(w.leases, g.ID)
		}
	case 1:
		_, err := w.c.Revoke(w.ctx, w.lease())
		w.must(err)
	case 2:
		_, err := w.c.KeepAliveOnce(w.ctx, w.lease())
		w.must(err)
	case 3:
		w.compact()
	case 4, 5, 6, 7, 8:
		cmps, then, otherwise := w.txn(0)
		_, err := w.c.Txn(w.ctx).If(cmps...).Then(then...).Else(otherwise...).Commit()
		w.must(err)
	default:
		_, err := w.c.Do(w.ctx, w.op())
		w.must(err)
	}
}

func (w *workload) compact() {
	w.t.Helper()
	got, err := w.c.Get(w.ctx, "k10")
	if w.must(err); err != nil {
		return
	}
	_, err = w.c.Compact(w.ctx, max(1, got.Header.Revision-w.r.Int64N(30)))
	w.must(err)
}

// members adds learners that never start, changes one and removes one, and moves the member itself.
func (w *workload) members() {
	w.t.Helper()
	list, err := w.c.MemberList(w.ctx)
	w.must(err)
	w.change(func(ctx context.Context) error {
		_, err := w.c.MemberUpdate(ctx, list.Members[0].ID, []string{"http://127.0.0.1:1"})
		return err
	})
	for i := range 3 {
		url := fmt.Sprintf("http://127.0.0.1:%d", 10+i)
		var id uint64
		w.change(func(ctx context.Context) error {
			got, err := w.c.MemberAddAsLearner(ctx, []string{url})
			if err == nil {
				id = got.Member.ID
			}
			return err
		})
		if id == 0 {
			continue // one learner too many
		}
		w.change(func(ctx context.Context) error {
			_, err := w.c.MemberUpdate(ctx, id, []string{url + "1"})
			return err
		})
		if i == 1 {
			return
		}
		w.change(func(ctx context.Context) error {
			_, err := w.c.MemberRemove(ctx, id)
			return err
		})
	}
}

// change asks for a change of the membership until there is an answer: Raft drops one while the one before
// isn't applied, and etcd doesn't answer then.
func (w *workload) change(ask func(ctx context.Context) error) {
	w.t.Helper()
	for {
		time.Sleep(50 * time.Millisecond)
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		err := ask(ctx)
		cancel()
		if status.Code(err) != codes.DeadlineExceeded && !errors.Is(err, context.DeadlineExceeded) {
			w.must(err)
			return
		}
	}
}

// fill writes until the space quota is reached, makes room, and disarms the alarm.
func (w *workload) fill() {
	w.t.Helper()
	for i := 0; ; i++ {
		_, err := w.c.Put(w.ctx, "big", strings.Repeat("x", 200_000))
		if errors.Is(err, rpctypes.ErrNoSpace) {
			break
		}
		w.must(err)
		if i > 100 {
			w.t.Fatal("no quota")
		}
	}
	_, err := w.c.Put(w.ctx, "refused", "no room")
	w.must(err)
	_, err = w.c.Delete(w.ctx, "big")
	w.must(err)
	w.compact()
	_, err = w.c.Defragment(w.ctx, w.server.Endpoint)
	w.must(err)
	if w.seed%2 == 1 {
		_, err = w.c.AlarmDisarm(w.ctx, &clientv3.AlarmMember{})
		w.must(err)
	}
}

// auth makes users and roles, turns authentication on, and writes as each of them.
func (w *workload) auth() {
	w.t.Helper()
	do := func(_ any, err error) {
		w.t.Helper()
		w.must(err)
	}
	for _, user := range []string{"root", "anna", "berta"} {
		do(w.c.UserAdd(w.ctx, user, "secret of "+user))
	}
	do(w.c.UserAddWithOptions(w.ctx, "cert", "", &clientv3.UserAddOptions{NoPassword: true}))
	do(w.c.UserAdd(w.ctx, "gone", "x"))
	do(w.c.UserDelete(w.ctx, "gone"))
	do(w.c.UserChangePassword(w.ctx, "anna", "new secret"))
	for _, role := range []string{"root", "some", "none", "gone"} {
		do(w.c.RoleAdd(w.ctx, role))
	}
	do(w.c.RoleGrantPermission(w.ctx, "some", "k1", "k3", clientv3.PermissionType(clientv3.PermReadWrite)))
	do(w.c.RoleGrantPermission(w.ctx, "some", "k0", "", clientv3.PermissionType(clientv3.PermRead)))
	do(w.c.RoleGrantPermission(w.ctx, "some", "k9", "\x00", clientv3.PermissionType(clientv3.PermWrite)))
	do(w.c.RoleRevokePermission(w.ctx, "some", "k0", ""))
	do(w.c.UserGrantRole(w.ctx, "root", "root"))
	do(w.c.UserGrantRole(w.ctx, "anna", "some"))
	do(w.c.UserGrantRole(w.ctx, "berta", "none"))
	do(w.c.UserGrantRole(w.ctx, "berta", "gone"))
	do(w.c.UserRevokeRole(w.ctx, "berta", "none"))
	do(w.c.RoleDelete(w.ctx, "gone"))
	do(w.c.AuthEnable(w.ctx))
	for _, u := range [][2]string{{"anna", "new secret"}, {"berta", "secret of berta"}, {"root", "secret of root"}} {
		w.c = w.client(u[0], u[1])
		for range 30 {
			w.step()
		}
	}
	do(w.c.UserChangePassword(w.ctx, "berta", "another"))
	if w.r.IntN(2) == 0 {
		do(w.c.AuthDisable(w.ctx))
	}
}

// run does all of it.
func (w *workload) run() {
	w.t.Helper()
	for range 300 {
		w.step()
	}
	w.members()
	w.auth()
	for range 50 {
		w.step()
	}
	time.Sleep(2500 * time.Millisecond) // leases of a second or two expire
	for range 30 {
		w.step()
	}
	w.fill()
	for range 20 {
		w.step()
	}
}
