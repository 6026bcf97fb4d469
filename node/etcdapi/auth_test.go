package etcdapi

import (
	"testing"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/node"
)

// The users of the tables.
const (
	root   = "root:secret of root"
	writer = "writer:of write" // may read and write keys w to x, and read those to z
	nobody = "nobody:of nothing"
)

// TestAuth makes the same requests to a node and to an etcd, before, while and after there are users.
func TestAuth(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	t.Run("users and roles", func(t *testing.T) { compare(t, ours, etcds, usersAndRoles) })
	t.Run("enabled", func(t *testing.T) { compare(t, ours, etcds, enabled) })
	t.Run("keys", func(t *testing.T) { compare(t, ours, etcds, keysOfUsers) })
	t.Run("leases", func(t *testing.T) { compare(t, ours, etcds, leasesOfUsers) })
	t.Run("upkeep", func(t *testing.T) { compare(t, ours, etcds, upkeepByUsers) })
	t.Run("changes", func(t *testing.T) { compare(t, ours, etcds, changesByUsers) })
}

func grant(role string, kind authpb.Permission_Type, key, end string) *pb.AuthRoleGrantPermissionRequest {
	return &pb.AuthRoleGrantPermissionRequest{
		Name: role, Perm: &authpb.Permission{PermType: kind, Key: []byte(key), RangeEnd: []byte(end)},
	}
}

func revoke(role, key, end string) *pb.AuthRoleRevokePermissionRequest {
	return &pb.AuthRoleRevokePermissionRequest{Role: role, Key: []byte(key), RangeEnd: []byte(end)}
}

func token(name, password string) *pb.AuthenticateRequest {
	return &pb.AuthenticateRequest{Name: name, Password: password}
}

func addUser(name, password string) *pb.AuthUserAddRequest {
	return &pb.AuthUserAddRequest{Name: name, Password: password, Options: &authpb.UserAddOptions{}}
}

var usersAndRoles = []row{
	{name: "not enabled", r: &pb.AuthStatusRequest{}},
	{name: "not enabled", r: token("root", "secret of root")},
	{name: "no users", r: &pb.AuthUserListRequest{}},
	{name: "no roles", r: &pb.AuthRoleListRequest{}},
	{name: "without root", r: &pb.AuthEnableRequest{}},
	{name: "user without name", r: addUser("", "x")},
	{name: "user", r: addUser("root", "secret of root")},
	{name: "without role root", r: &pb.AuthEnableRequest{}},
	{name: "user again", r: addUser("root", "secret of root")},
	{name: "user with an empty password", r: addUser("empty", "")},
	{name: "user with too long a password", r: addUser("long", string(make([]byte, 73)))},
	{name: "user without options", r: &pb.AuthUserAddRequest{Name: "plain", Password: "x"}},
	{name: "user without password", r: &pb.AuthUserAddRequest{
		Name: "cert", Options: &authpb.UserAddOptions{NoPassword: true},
	}},
	{name: "user", r: addUser("writer", "of writing")},
	{name: "user", r: addUser("nobody", "of nothing")},
	{name: "password", r: &pb.AuthUserChangePasswordRequest{Name: "writer", Password: "of write"}},
	{name: "password of none", r: &pb.AuthUserChangePasswordRequest{Name: "none", Password: "x"}},
	{name: "empty password", r: &pb.AuthUserChangePasswordRequest{Name: "empty"}},
	{name: "users", r: &pb.AuthUserListRequest{}},
	{name: "role without name", r: &pb.AuthRoleAddRequest{}},
	{name: "role", r: &pb.AuthRoleAddRequest{Name: "write"}},
	{name: "role again", r: &pb.AuthRoleAddRequest{Name: "write"}},
	{name: "role", r: &pb.AuthRoleAddRequest{Name: "spare"}},
	{name: "no role root yet", r: &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"}},
	{name: "role", r: &pb.AuthRoleAddRequest{Name: "root"}},
	{name: "roles", r: &pb.AuthRoleListRequest{}},
	{name: "permission", r: grant("write", authpb.READWRITE, "w", "x")},
	{name: "permission", r: grant("write", authpb.READ, "x", "z")},
	{name: "permission of none", r: grant("none", authpb.READ, "a", "b")},
	{name: "permission without key", r: grant("write", authpb.READ, "", "")},
	{name: "permission for an end before the key", r: grant("write", authpb.READ, "z", "a")},
	{name: "no permission", r: &pb.AuthRoleGrantPermissionRequest{Name: "write"}},
	{name: "role", r: &pb.AuthRoleGetRequest{Role: "write"}},
	{name: "no role", r: &pb.AuthRoleGetRequest{Role: "none"}},
	{name: "role root", r: &pb.AuthRoleGetRequest{Role: "root"}},
	{name: "revoke what isn't there", r: revoke("write", "a", "b")},
	{name: "revoke of no role", r: revoke("none", "a", "b")},
	{name: "give", r: &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"}},
	{name: "give", r: &pb.AuthUserGrantRoleRequest{User: "writer", Role: "write"}},
	{name: "give again", r: &pb.AuthUserGrantRoleRequest{User: "writer", Role: "write"}},
	{name: "give to none", r: &pb.AuthUserGrantRoleRequest{User: "none", Role: "write"}},
	{name: "give none", r: &pb.AuthUserGrantRoleRequest{User: "writer", Role: "none"}},
	{name: "take what it hasn't", r: &pb.AuthUserRevokeRoleRequest{Name: "writer", Role: "spare"}},
	{name: "take from none", r: &pb.AuthUserRevokeRoleRequest{Name: "none", Role: "spare"}},
	{name: "user", r: &pb.AuthUserGetRequest{Name: "writer"}},
	{name: "no user", r: &pb.AuthUserGetRequest{Name: "none"}},
	{name: "delete", r: &pb.AuthUserDeleteRequest{Name: "plain"}},
	{name: "delete none", r: &pb.AuthUserDeleteRequest{Name: "plain"}},
	{name: "delete role", r: &pb.AuthRoleDeleteRequest{Role: "spare"}},
	{name: "delete no role", r: &pb.AuthRoleDeleteRequest{Role: "spare"}},
	{name: "disable what isn't enabled", r: &pb.AuthDisableRequest{}},
	{name: "keys", r: put("w1", "1")},
	{name: "keys", r: put("x1", "1")},
	{name: "keys", r: put("a", "1")},
	{name: "enable", r: &pb.AuthEnableRequest{}},
}

var enabled = []row{
	{name: "enabled, and asked by nobody", r: &pb.AuthStatusRequest{}},
	{name: "enabled", r: &pb.AuthStatusRequest{}, as: root},
	{name: "token", r: token("root", "secret of root")},
	{name: "token, by one with a wrong token", r: token("root", "secret of root"), as: "no token"},
	{name: "wrong password", r: token("root", "secret")},
	{name: "no password", r: token("root", "")},
	{name: "no user", r: token("none", "x")},
	{name: "no name", r: token("", "x")},
	{name: "empty password", r: token("empty", "")},
	{name: "without password", r: token("cert", "x")},
	{name: "enable again", r: &pb.AuthEnableRequest{}, as: root},
	{name: "enable again, by nobody", r: &pb.AuthEnableRequest{}},
}

// byAll makes rows of a request by root, by one who may do something, by one who may do nothing, by nobody, and by
// one whose token is none.
func byAll(requests ...proto.Message) (table []row) {
	for _, r := range requests {
		for _, as := range []string{nobody, writer, "", "no token", root} {
			table = append(table, row{name: "by all", r: r, as: as})
		}
	}
	return table
}

var keysOfUsers = byAll(
	get("w1"), get("x1"), get("a"), get("", all), get("w", local), get(""), get("w1", at(9999)), get("a", at(9999)),
	get("w", func(r *pb.RangeRequest) { r.RangeEnd = []byte("z") }),
	get("w", func(r *pb.RangeRequest) { r.RangeEnd = []byte{0} }),
	put("w1", "2"), put("x1", "2"), put("a", "2"), put("", "2"),
	&pb.PutRequest{Key: []byte("w1"), PrevKv: true}, &pb.PutRequest{Key: []byte("a"), PrevKv: true},
	&pb.PutRequest{Key: []byte("w1"), Lease: 99},
	del("x1", ""), del("w1", ""), del("w", "z"), del("a", ""), &pb.DeleteRangeRequest{Key: []byte("w2"), PrevKv: true},
	txnOf(get("w1")), txnOf(get("a")), txnOf(get("a", local)), txnOf(put("w1", "3")), txnOf(put("x1", "3")),
	txnOf(get("w1"), put("a", "3")), txnOf(del("x1", "")),
	&pb.TxnRequest{Compare: []*pb.Compare{versionIs("a", 1)}},
	&pb.TxnRequest{Compare: []*pb.Compare{versionIs("w1", 1)}, Failure: ops(get("x1"))},
	&pb.TxnRequest{Success: ops(get("w1")), Failure: ops(put("a", "1"))},
	txnOf(txnOf(put("a", "1"))), txnOf(get("w1"), get("w1", at(9999))),
	&pb.CompactionRequest{Revision: 3}, &pb.CompactionRequest{Revision: 4, Physical: true},
)

var leasesOfUsers = slices3(
	byAll(&pb.LeaseGrantRequest{ID: 7, TTL: 1000}, &pb.LeaseGrantRequest{ID: 8, TTL: 1000}),
	[]row{
		{name: "attach", r: &pb.PutRequest{Key: []byte("w3"), Lease: 7}, as: writer},
		{name: "attach", r: &pb.PutRequest{Key: []byte("a3"), Lease: 8}, as: root},
	},
	byAll(
		&pb.PutRequest{Key: []byte("w4"), Lease: 7}, &pb.PutRequest{Key: []byte("w4"), Lease: 8},
		&pb.LeaseTimeToLiveRequest{ID: 99}, &pb.LeaseTimeToLiveRequest{ID: 99, Keys: true},
		&pb.LeaseTimeToLiveRequest{ID: 7, Keys: true}, &pb.LeaseTimeToLiveRequest{ID: 8, Keys: true},
		&pb.LeaseTimeToLiveRequest{ID: 8},
		&pb.LeaseKeepAliveRequest{ID: 7}, &pb.LeaseKeepAliveRequest{ID: 8}, &pb.LeaseKeepAliveRequest{ID: 99},
		&pb.LeaseLeasesRequest{}, &pb.LeaseRevokeRequest{ID: 99}, &pb.LeaseRevokeRequest{ID: 8},
		&pb.LeaseRevokeRequest{ID: 7}, &pb.LeaseLeasesRequest{},
	),
)

var upkeepByUsers = byAll(
	&pb.HashRequest{}, &pb.HashKVRequest{}, &pb.HashKVRequest{Revision: 9999}, &pb.DefragmentRequest{},
	&pb.StatusRequest{}, &pb.MoveLeaderRequest{TargetID: 99},
	&pb.AlarmRequest{}, &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, Alarm: pb.AlarmType_CORRUPT, MemberID: 99},
	&pb.AlarmRequest{Alarm: pb.AlarmType_CORRUPT},
	&pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, Alarm: pb.AlarmType_CORRUPT, MemberID: 99},
	&pb.MemberListRequest{}, &pb.MemberListRequest{Linearizable: true}, &pb.MemberRemoveRequest{ID: 99},
	&pb.MemberAddRequest{PeerURLs: []string{"bad"}}, &pb.MemberUpdateRequest{ID: 99}, &pb.MemberPromoteRequest{ID: 99},
)

var changesByUsers = slices3(
	byAll(
		&pb.AuthUserListRequest{}, &pb.AuthRoleListRequest{}, &pb.AuthUserGetRequest{Name: "writer"},
		&pb.AuthUserGetRequest{Name: "none"}, &pb.AuthRoleGetRequest{Role: "write"}, &pb.AuthRoleGetRequest{Role: "none"},
		addUser("more", "x"), &pb.AuthRoleAddRequest{Name: "more"}, grant("more", authpb.WRITE, "m", "n"),
		&pb.AuthUserGrantRoleRequest{User: "more", Role: "more"}, revoke("more", "m", "n"),
		&pb.AuthUserRevokeRoleRequest{Name: "more", Role: "more"}, &pb.AuthRoleDeleteRequest{Role: "more"},
		&pb.AuthUserDeleteRequest{Name: "more"}, &pb.AuthUserChangePasswordRequest{Name: "none", Password: "x"},
		&pb.AuthUserDeleteRequest{Name: "root"}, &pb.AuthRoleDeleteRequest{Role: "root"},
		&pb.AuthUserRevokeRoleRequest{Name: "root", Role: "root"},
	),
	[]row{
		{name: "take the role away", r: &pb.AuthUserRevokeRoleRequest{Name: "writer", Role: "write"}, as: root},
		{name: "the token is still good, and the right gone", r: get("w1"), as: writer},
		{name: "delete the user", r: &pb.AuthUserDeleteRequest{Name: "writer"}, as: root},
		{name: "the token is gone", r: get("w1"), as: writer},
		{name: "the token is gone", r: put("w1", "1"), as: writer},
	},
	byAll(&pb.AuthDisableRequest{})[3:], // by one whose token is none, and by root
)

func slices3(a, b, c []row) []row { return append(append(a, b...), c...) }
