package decode

import (
	"math/rand/v2"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/etcdwire"
)

// What etcd 3.7 makes of requests, whole and damaged, is what its own decoder makes of them.
func TestWireMessagesAsEtcd(t *testing.T) {
	header := &pb.RequestHeader{ID: 7, Username: "root", AuthRevision: 3}
	put := &pb.PutRequest{Key: []byte("k"), Value: []byte("value"), Lease: 5, PrevKv: true}
	requests := []*pb.InternalRaftRequest{
		{Header: header, Put: put},
		{Header: header, DeleteRange: &pb.DeleteRangeRequest{Key: []byte("a"), RangeEnd: []byte("b")}},
		{Header: header, Txn: &pb.TxnRequest{
			Compare: []*pb.Compare{{Key: []byte("k"), TargetUnion: &pb.Compare_Version{Version: 3}}},
			Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: put}}},
		}},
		{Header: header, LeaseGrant: &pb.LeaseGrantRequest{TTL: 9, ID: 1 << 60}},
		{Header: header, AuthUserAdd: &pb.AuthUserAddRequest{Name: "u", Password: "p",
			Options: &authpb.UserAddOptions{NoPassword: true}, HashedPassword: "h"}},
		{Header: header, AuthRoleGrantPermission: &pb.AuthRoleGrantPermissionRequest{Name: "r",
			Perm: &authpb.Permission{PermType: authpb.Permission_WRITE, Key: []byte("k")}}},
		{Header: header, ClusterVersionSet: &membershippb.ClusterVersionSetRequest{Ver: "3.7.0"}},
		{Header: header, ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{Member_ID: 9,
			MemberAttributes: &membershippb.Attributes{Name: "m", ClientUrls: []string{"http://a"}}}},
		{Header: header, DowngradeInfoSet: &membershippb.DowngradeInfoSetRequest{Enabled: true, Ver: "3.6.0"}},
	}
	internal, _ := WireMessages(etcdwire.Google)
	rng := rand.New(rand.NewPCG(5, 6))
	for _, r := range requests {
		whole, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		faults := 0
		for i := range 20_000 {
			b := append([]byte(nil), whole...)
			if i > 0 {
				b[rng.IntN(len(b))] = byte(rng.Uint32())
				b = b[:len(b)-rng.IntN(2)*rng.IntN(len(b))]
			}
			want := ""
			if err := proto.Unmarshal(b, new(pb.InternalRaftRequest)); err != nil {
				want = strings.ReplaceAll(err.Error(), "\u00a0", " ")
				faults++
			}
			got := ""
			if fault := internal.Check(b, etcdwire.Google); fault != nil {
				got = fault.Text
			}
			if got != want {
				t.Fatalf("%v: %x: %q, etcd says %q", r, b, got, want)
			}
		}
		if faults == 0 {
			t.Errorf("%v: no fault: the test shows nothing", r)
		}
	}
}
