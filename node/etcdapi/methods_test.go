package etcdapi

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	election "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	lock "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// everyMethod returns the methods of all services that etcd has, as their descriptors tell.
func everyMethod() (all []protoreflect.MethodDescriptor) {
	for _, file := range []protoreflect.FileDescriptor{pb.File_rpc_proto, lock.File_v3lock_proto, election.File_v3election_proto} {
		services := file.Services()
		for i := range services.Len() {
			methods := services.Get(i).Methods()
			for j := range methods.Len() {
				all = append(all, methods.Get(j))
			}
		}
	}
	return all
}

// The keys of the crowd: a reader may read r to s, a writer write w to x. Leases hold a key of each, some for who revokes
// them. The election is root's.
const (
	leaseOfR, leaseOfW, revokedOfR, revokedOfW, leaseOfLocks = 0x11, 0x12, 0x13, 0x14, 0x15

	electionOfR = "r-elect"
)

// crowd makes the users and their roles, and what they then ask for.
var crowd = []proto.Message{
	addUser("root", "x"), addUser("reader", "x"), addUser("writer", "x"), addUser("nobody", "x"),
	addUser("gone", "x"), addUser("changed", "x"),
	&pb.AuthRoleAddRequest{Name: "root"}, &pb.AuthRoleAddRequest{Name: "read"}, &pb.AuthRoleAddRequest{Name: "write"},
	grant("read", authpb.READ, "r", "s"), grant("write", authpb.WRITE, "w", "x"),
	&pb.AuthUserGrantRoleRequest{User: "root", Role: "root"},
	&pb.AuthUserGrantRoleRequest{User: "reader", Role: "read"}, &pb.AuthUserGrantRoleRequest{User: "changed", Role: "read"},
	&pb.AuthUserGrantRoleRequest{User: "gone", Role: "root"},
	&pb.AuthUserGrantRoleRequest{User: "writer", Role: "write"},
	&pb.LeaseGrantRequest{ID: leaseOfR, TTL: 10_000}, &pb.LeaseGrantRequest{ID: leaseOfW, TTL: 10_000},
	&pb.LeaseGrantRequest{ID: revokedOfR, TTL: 10_000}, &pb.LeaseGrantRequest{ID: revokedOfW, TTL: 10_000},
	&pb.LeaseGrantRequest{ID: leaseOfLocks, TTL: 10_000},
	&pb.PutRequest{Key: []byte("r"), Lease: leaseOfR}, &pb.PutRequest{Key: []byte("w"), Lease: leaseOfW},
	&pb.PutRequest{Key: []byte("r1"), Lease: revokedOfR}, &pb.PutRequest{Key: []byte("w1"), Lease: revokedOfW},
	&election.CampaignRequest{Name: []byte(electionOfR), Lease: leaseOfLocks, Value: []byte("1")},
	&pb.AuthEnableRequest{},
}

// requestsOf returns requests of each method, by its service and name, as a user makes them: whom nothing is refused
// does no harm that others then see.
func requestsOf(user string) map[string][]proto.Message {
	name := func(prefix string) []byte { return []byte(prefix + "-" + user) }
	key := func(prefix string) *election.LeaderKey {
		return &election.LeaderKey{
			Name: name(prefix), Key: fmt.Appendf(nil, "%s/%x", name(prefix), leaseOfLocks), Rev: 9999, Lease: leaseOfLocks,
		}
	}
	const raise, end = pb.AlarmRequest_ACTIVATE, pb.AlarmRequest_DEACTIVATE
	ranges := []proto.Message{
		get("r"), get("r", local), get("w"), get("", all), get("r", func(r *pb.RangeRequest) { r.RangeEnd = []byte("x") }),
	}
	return map[string][]proto.Message{
		"KV/Range":       ranges,
		"KV/RangeStream": ranges,
		"KV/Put": {
			put("r", "1"), put("w", "1"), &pb.PutRequest{Key: []byte("w"), PrevKv: true},
			&pb.PutRequest{Key: []byte("w2"), Lease: leaseOfR},
		},
		"KV/DeleteRange": {
			del("r0", ""), del("w0", ""), del("w0", "w1"), del("w0", "y"),
			&pb.DeleteRangeRequest{Key: []byte("w0"), PrevKv: true},
		},
		"KV/Txn": {
			txnOf(get("r")), txnOf(put("w", "1")), txnOf(get("r"), put("w", "1")), txnOf(txnOf(get("r"))), &pb.TxnRequest{},
			&pb.TxnRequest{Compare: []*pb.Compare{versionIs("r", 1)}},
			&pb.TxnRequest{Compare: []*pb.Compare{versionIs("w", 1)}, Success: ops(put("w", "1"))},
		},
		"KV/Compact": {&pb.CompactionRequest{Revision: 2}, &pb.CompactionRequest{Revision: 9999}},

		"Watch/Watch": {
			create(&pb.WatchCreateRequest{Key: []byte("r")}), create(&pb.WatchCreateRequest{Key: []byte("w")}),
			create(&pb.WatchCreateRequest{Key: []byte("r"), RangeEnd: []byte("s")}),
			create(&pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}}),
		},

		"Lease/LeaseGrant": {&pb.LeaseGrantRequest{TTL: 1000}, &pb.LeaseGrantRequest{ID: leaseOfR, TTL: 1000}},
		"Lease/LeaseRevoke": {
			&pb.LeaseRevokeRequest{ID: revokedOfR}, &pb.LeaseRevokeRequest{ID: revokedOfW}, &pb.LeaseRevokeRequest{ID: 0x99},
		},
		"Lease/LeaseKeepAlive": {
			&pb.LeaseKeepAliveRequest{ID: leaseOfR}, &pb.LeaseKeepAliveRequest{ID: leaseOfW}, &pb.LeaseKeepAliveRequest{ID: 0x99},
		},
		"Lease/LeaseTimeToLive": {
			&pb.LeaseTimeToLiveRequest{ID: leaseOfR}, &pb.LeaseTimeToLiveRequest{ID: leaseOfR, Keys: true},
			&pb.LeaseTimeToLiveRequest{ID: leaseOfW, Keys: true}, &pb.LeaseTimeToLiveRequest{ID: 0x99, Keys: true},
		},
		"Lease/LeaseLeases": {&pb.LeaseLeasesRequest{}},

		"Cluster/MemberAdd": {
			&pb.MemberAddRequest{PeerURLs: []string{"http://127.0.0.1:1"}, IsLearner: true},
			&pb.MemberAddRequest{PeerURLs: []string{"bad"}},
		},
		"Cluster/MemberRemove":  {&pb.MemberRemoveRequest{ID: 99}},
		"Cluster/MemberUpdate":  {&pb.MemberUpdateRequest{ID: 99, PeerURLs: []string{"http://127.0.0.1:2"}}},
		"Cluster/MemberList":    {&pb.MemberListRequest{}, &pb.MemberListRequest{Linearizable: true}},
		"Cluster/MemberPromote": {&pb.MemberPromoteRequest{ID: 99}},

		"Maintenance/Alarm": {
			alarm(pb.AlarmRequest_GET, 0, 0), alarm(raise, pb.AlarmType_NOSPACE, 99), alarm(end, pb.AlarmType_NOSPACE, 99),
		},
		"Maintenance/Status":     {&pb.StatusRequest{}},
		"Maintenance/Defragment": {&pb.DefragmentRequest{}},
		"Maintenance/Hash":       {&pb.HashRequest{}},
		"Maintenance/HashKV":     {&pb.HashKVRequest{}, &pb.HashKVRequest{Revision: 9999}},
		"Maintenance/Snapshot":   {&pb.SnapshotRequest{}},
		"Maintenance/MoveLeader": {&pb.MoveLeaderRequest{TargetID: 99}},
		"Maintenance/Downgrade": {
			&pb.DowngradeRequest{Action: pb.DowngradeRequest_VALIDATE, Version: "9.9.0"},
			&pb.DowngradeRequest{Action: pb.DowngradeRequest_ENABLE, Version: "9.9.0"},
			&pb.DowngradeRequest{Action: pb.DowngradeRequest_CANCEL},
		},

		"Auth/AuthEnable":   {&pb.AuthEnableRequest{}},
		"Auth/AuthDisable":  {&pb.AuthDisableRequest{}},
		"Auth/AuthStatus":   {&pb.AuthStatusRequest{}},
		"Auth/Authenticate": {token("reader", "x"), token("reader", "y"), token("none", "x"), token("gone", "x")},
		"Auth/UserAdd":      {addUser("more", "x"), addUser("", "x")},
		"Auth/UserGet": {
			&pb.AuthUserGetRequest{Name: user}, &pb.AuthUserGetRequest{Name: "root"}, &pb.AuthUserGetRequest{Name: "none"},
		},
		"Auth/UserList":           {&pb.AuthUserListRequest{}},
		"Auth/UserDelete":         {&pb.AuthUserDeleteRequest{Name: "more"}, &pb.AuthUserDeleteRequest{Name: "root"}},
		"Auth/UserChangePassword": {&pb.AuthUserChangePasswordRequest{Name: "more", Password: "y"}},
		"Auth/UserGrantRole": {
			&pb.AuthUserGrantRoleRequest{User: "nobody", Role: "none"}, &pb.AuthUserGrantRoleRequest{User: "none", Role: "read"},
		},
		"Auth/UserRevokeRole": {
			&pb.AuthUserRevokeRoleRequest{Name: "nobody", Role: "read"}, &pb.AuthUserRevokeRoleRequest{Name: "root", Role: "root"},
		},
		"Auth/RoleAdd": {&pb.AuthRoleAddRequest{Name: "more"}},
		"Auth/RoleGet": {
			&pb.AuthRoleGetRequest{Role: "read"}, &pb.AuthRoleGetRequest{Role: "write"}, &pb.AuthRoleGetRequest{Role: "none"},
		},
		"Auth/RoleList":             {&pb.AuthRoleListRequest{}},
		"Auth/RoleDelete":           {&pb.AuthRoleDeleteRequest{Role: "none"}, &pb.AuthRoleDeleteRequest{Role: "root"}},
		"Auth/RoleGrantPermission":  {grant("more", authpb.READ, "m", ""), grant("none", authpb.READ, "m", "")},
		"Auth/RoleRevokePermission": {revoke("more", "m", ""), revoke("none", "m", "")},

		"Lock/Lock": {
			&lock.LockRequest{Name: name("r"), Lease: leaseOfLocks}, &lock.LockRequest{Name: name("w"), Lease: leaseOfLocks},
			&lock.LockRequest{Name: name("w2"), Lease: 0x99},
		},
		"Lock/Unlock": {&lock.UnlockRequest{Key: name("r")}, &lock.UnlockRequest{Key: name("w")}},

		"Election/Campaign": {
			&election.CampaignRequest{Name: name("re"), Lease: leaseOfLocks}, &election.CampaignRequest{Name: name("we"), Lease: leaseOfLocks},
		},
		"Election/Proclaim": {
			&election.ProclaimRequest{Leader: key("re")}, &election.ProclaimRequest{Leader: key("we")}, &election.ProclaimRequest{},
		},
		"Election/Leader":  {&election.LeaderRequest{Name: []byte(electionOfR)}, &election.LeaderRequest{Name: name("we")}},
		"Election/Observe": {&election.LeaderRequest{Name: []byte(electionOfR)}},
		"Election/Resign":  {&election.ResignRequest{Leader: key("re")}, &election.ResignRequest{Leader: key("we")}, &election.ResignRequest{}},
	}
}

// firstOnly are the methods that never end, whose first response is waited for and no more.
var firstOnly = map[protoreflect.Name]bool{"Watch": true, "Observe": true}

// told calls a method and returns what its caller is told: the status, and of a watch whether it was made.
func (s *side) told(ctx context.Context, m protoreflect.MethodDescriptor, r proto.Message) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	output, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		return err.Error()
	}
	desc := &grpc.StreamDesc{ServerStreams: m.IsStreamingServer(), ClientStreams: m.IsStreamingClient()}
	stream, err := s.conn.NewStream(ctx, desc, fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name()))
	if err != nil {
		return status.Convert(err).String()
	}
	if err := stream.SendMsg(r); err != nil && !errors.Is(err, io.EOF) { // the end is what the first response tells
		return status.Convert(err).String()
	}
	if !firstOnly[m.Name()] {
		_ = stream.CloseSend() // never fails
	}
	for {
		response := output.New().Interface()
		err := stream.RecvMsg(response)
		switch w, ok := response.(*pb.WatchResponse); {
		case errors.Is(err, io.EOF):
			return "OK"
		case err != nil:
			return status.Convert(err).String()
		case ok:
			return fmt.Sprintf("created %v, canceled %v: %s", w.Created, w.Canceled, w.CancelReason)
		case firstOnly[m.Name()] || !m.IsStreamingServer():
			return "OK"
		}
	}
}

// caller is a user, with a way to each side.
type caller struct {
	user string
	as   string // as row has it
	both [2]*side
}

// callEveryMethod has everybody make the requests of every method of both sides, in the same order, and compares what they
// are told.
func callEveryMethod(t *testing.T, callers []caller) {
	t.Helper()
	called, refused := 0, 0
	for _, m := range everyMethod() {
		name := fmt.Sprintf("%s/%s", m.Parent().Name(), m.Name())
		for i := range requestsOf("")[name] {
			for _, c := range callers {
				if name == "Auth/AuthDisable" && c.user == "root" {
					continue // which is done last
				}
				r := requestsOf(c.user)[name][i]
				if got := c.compare(t, m, r); got != "OK" {
					refused++
				}
				called++
			}
		}
		if len(requestsOf("")[name]) == 0 {
			t.Errorf("%s is called by nobody", name)
		}
	}
	if called < 400 || refused < called/2 || refused > called*9/10 {
		t.Errorf("%d calls, of which %d were refused", called, refused)
	}
}

// compare makes a request of both sides, and returns what ours says.
func (c caller) compare(t *testing.T, m protoreflect.MethodDescriptor, r proto.Message) string {
	t.Helper()
	var told [2]string
	for i, s := range c.both {
		told[i] = s.told(s.as(t, c.as), m, r)
	}
	if told[0] != told[1] {
		t.Errorf("%s/%s {%v} by %s (%s):\n ours %s\n etcd %s", m.Parent().Name(), m.Name(), r, c.user, c.as,
			told[0], told[1])
	}
	return told[0]
}

// gather makes the crowd on both sides.
func gather(t *testing.T, both [2]*side) {
	t.Helper()
	for _, s := range both {
		s.awaitClusterVersion(t)
	}
	for _, r := range crowd {
		caller{user: "no one", both: both}.do(t, r)
	}
}

// awaitClusterVersion waits until the cluster has a version: a moment after its first member is there.
func (s *side) awaitClusterVersion(t *testing.T) {
	t.Helper()
	r := &pb.DowngradeRequest{Action: pb.DowngradeRequest_VALIDATE, Version: "9.9.0"}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, err := s.do(t.Context(), r, false)
		if status.Convert(err).Message() != rpctypes.ErrClusterVersionUnavailable.Error() {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no version within a minute")
		}
	}
}

// do makes a request of both sides that is not to be refused.
func (c caller) do(t *testing.T, r proto.Message) {
	t.Helper()
	for _, m := range everyMethod() {
		if m.Input() != r.ProtoReflect().Descriptor() || m.Name() == "RangeStream" {
			continue
		}
		if told := c.compare(t, m, r); told != "OK" {
			t.Fatalf("%v: %s", r, told)
		}
		return
	}
}

// leave has some of the crowd lose what they had a moment ago.
func leave(t *testing.T, root, gone, changed caller) {
	t.Helper()
	for _, c := range []caller{gone, changed} {
		c.do(t, get("r"))
	}
	root.do(t, &pb.AuthUserDeleteRequest{Name: "gone"})
	root.do(t, &pb.AuthUserChangePasswordRequest{Name: "changed", Password: "z"})
}

// What is called are all methods that there are, but for those of the health service.
func TestEveryMethodIsKnown(t *testing.T) {
	n, _ := startNode(t, node.Config{}, Options{})
	known := map[string]bool{}
	for _, m := range everyMethod() {
		known[fmt.Sprintf("%s/%s", m.Parent().FullName(), m.Name())] = true
	}
	s := NewServer(n, Options{})
	defer s.Stop()
	served := 0
	for service, info := range s.GetServiceInfo() {
		for _, m := range info.Methods {
			if name := service + "/" + m.Name; known[name] {
				served++
			} else if service != "grpc.health.v1.Health" {
				t.Errorf("%s is called by nobody", name)
			}
		}
	}
	if served != len(known) {
		t.Errorf("%d methods are served, want %d", served, len(known))
	}
}

// releasesBeside are those that every method is compared with.
var releasesBeside = []string{"3.5", "3.6", "3.7"}

// Every method of the API answers everybody as etcd's does: users with all rights, some and none, and those whose
// token is none, that of a user who is gone, or older than a password.
func TestEveryMethodByToken(t *testing.T) {
	for _, release := range releasesBeside {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			_, endpoint := startNode(t, node.Config{As: release}, Options{})
			flags := append([]string{"--name=m1", "--bcrypt-cost=4"}, etcdtest.Quick...)
			both := [2]*side{dial(t, endpoint), dial(t, etcdtest.Start(t, release, t.TempDir(), flags...).Endpoint)}
			root := caller{"root", "root:x", both}
			gone, changed := caller{"gone", "gone:x", both}, caller{"changed", "changed:x", both}
			gather(t, both)
			leave(t, root, gone, changed)
			callEveryMethod(t, []caller{
				{"no one", "", both}, {"no one", "no token", both}, gone, changed,
				{"nobody", "nobody:x", both}, {"reader", "reader:x", both}, {"writer", "writer:x", both}, root,
			})
			root.compare(t, pb.File_rpc_proto.Services().ByName("Auth").Methods().ByName("AuthDisable"), &pb.AuthDisableRequest{})
		})
	}
}

// And so it answers those who are who their certificates say.
func TestEveryMethodByCertificate(t *testing.T) {
	for _, release := range releasesBeside {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			certs := etcdtest.NewCerts(t)
			info := serverInfo(certs)
			server, err := info.ServerConfig()
			if err != nil {
				t.Fatal(err)
			}
			_, endpoint := startNode(t, node.Config{As: release, ClientCertAuth: true}, Options{TLS: server})
			flags := append([]string{"--name=m1", "--bcrypt-cost=4"}, etcdtest.Quick...)
			endpoints := [2]string{endpoint, etcdtest.StartTLS(t, release, t.TempDir(), certs, flags...).Endpoint}
			by := func(user string) caller {
				c := caller{user: user}
				for i, e := range endpoints {
					info := transport.TLSInfo{TrustedCAFile: certs.CA}
					info.CertFile, info.KeyFile = certs.Issue(user, func(c *x509.Certificate) { c.Subject.CommonName = user })
					config, err := info.ClientConfig()
					if err != nil {
						t.Fatal(err)
					}
					c.both[i] = dialTLS(t, e, config)
				}
				return c
			}
			root, gone, changed := by("root"), by("gone"), by("changed")
			gather(t, root.both)
			leave(t, root, gone, changed)
			callEveryMethod(t, []caller{by("stranger"), gone, changed, by("nobody"), by("reader"), by("writer"), root})
		})
	}
}

// A token that is older than its kind lives is none any more, for any method.
func TestEveryMethodExpired(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("a key of a test"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]string{"simple": "simple", "JWT": "jwt,sign-method=HS256,ttl=1s,priv-key=" + key} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, endpoint := startNode(t, node.Config{AuthToken: spec, TokenTTL: time.Second}, Options{})
			flags := append([]string{"--name=m1", "--bcrypt-cost=4", "--auth-token=" + spec, "--auth-token-ttl=1"}, etcdtest.Quick...)
			both := [2]*side{dial(t, endpoint), dial(t, etcdtest.Start(t, "3.7", t.TempDir(), flags...).Endpoint)}
			gather(t, both)
			for _, s := range both {
				s.expire(t, "root:x")
			}
			old := caller{"root", "root:x", both}
			for _, m := range everyMethod() {
				for _, r := range requestsOf("root")[fmt.Sprintf("%s/%s", m.Parent().Name(), m.Name())] {
					old.compare(t, m, r)
				}
			}
		})
	}
}

// expire gets a token for a user, and waits until it is none any more.
func (s *side) expire(t *testing.T, user string) {
	t.Helper()
	for wait := 2 * time.Second; ; wait *= 2 { // each use lets it live longer
		_, err := s.do(s.as(t, user), get("r"), false)
		switch {
		case status.Code(err) == codes.Unauthenticated:
			return
		case err != nil || wait > time.Minute:
			t.Fatalf("the token lives, or dies of something else: %v", err)
		}
		time.Sleep(wait)
	}
}
