package etcdapi

import (
	"bytes"
	"crypto/sha256"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/node"
)

// TestMaintenance makes the same requests to a node and to an etcd.
func TestMaintenance(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	compare(t, ours, etcds, []row{
		{name: "status", r: &pb.StatusRequest{}},
		{name: "hash", r: &pb.HashRequest{}},
		{name: "hash of nothing", r: &pb.HashKVRequest{}},
		{name: "put", r: put("a", "1")},
		{name: "hash", r: &pb.HashKVRequest{}},
		{name: "hash before", r: &pb.HashKVRequest{Revision: 1}},
		{name: "hash of the future", r: &pb.HashKVRequest{Revision: 9}},
		{name: "hash below 0", r: &pb.HashKVRequest{Revision: -1}},
		{name: "defragment", r: &pb.DefragmentRequest{}},
		{name: "read", r: get("a")},
		{name: "to nobody", r: &pb.MoveLeaderRequest{}},
		{name: "to a stranger", r: &pb.MoveLeaderRequest{TargetID: 99}},
		{name: "to itself", of: func(t *testing.T, s *side) proto.Message {
			return &pb.MoveLeaderRequest{TargetID: s.member(t).ID}
		}},
	})
}

func alarm(action pb.AlarmRequest_AlarmAction, kind pb.AlarmType, of uint64) *pb.AlarmRequest {
	return &pb.AlarmRequest{Action: action, Alarm: kind, MemberID: of}
}

// TestAlarms raises alarms, sees what they forbid, and puts them out.
func TestAlarms(t *testing.T) {
	const raise, end = pb.AlarmRequest_ACTIVATE, pb.AlarmRequest_DEACTIVATE
	ours, etcds := sides(t, node.Config{})
	try := []row{
		{name: "list", r: &pb.AlarmRequest{}},
		{name: "status", r: &pb.StatusRequest{}},
		{name: "put", r: put("a", "1")},
		{name: "read", r: get("a")},
		{name: "read, serializable", r: get("a", local)},
		{name: "delete", r: del("b", "")},
		{name: "put in a transaction", r: txnOf(put("a", "1"))},
		{name: "read in a transaction", r: txnOf(get("a"))},
		{name: "delete in a transaction", r: txnOf(del("b", ""))},
		{name: "grant", r: &pb.LeaseGrantRequest{ID: 7, TTL: 100}},
		{name: "revoke", r: &pb.LeaseRevokeRequest{ID: 7}},
		{name: "renew", r: &pb.LeaseKeepAliveRequest{ID: 7}},
		{name: "compact", r: &pb.CompactionRequest{Revision: 9999}},
		{name: "hash", r: &pb.HashKVRequest{}},
		{name: "members", r: &pb.MemberListRequest{Linearizable: true}},
		{name: "a user", r: addUser("u", "x")},
		{name: "no user", r: &pb.AuthUserDeleteRequest{Name: "u"}},
	}
	for _, kind := range []pb.AlarmType{pb.AlarmType_NONE, pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT, 9} {
		compare(t, ours, etcds, []row{{name: "raise", r: alarm(raise, kind, 99)}, {name: "again", r: alarm(raise, kind, 99)}})
		compare(t, ours, etcds, try)
		compare(t, ours, etcds, []row{{name: "of another", r: alarm(end, kind, 98)}, {name: "end", r: alarm(end, kind, 99)}})
	}
	compare(t, ours, etcds, try)
	a := ours.answer(t, row{r: alarm(9, pb.AlarmType_NOSPACE, 99)}) // an etcd ends at that
	if want := "Unknown: etcdserver: unknown method"; a.Status != want {
		t.Errorf("no such action: %s, want %s", a.Status, want)
	}
}

// TestQuota fills a database that has no room.
func TestQuota(t *testing.T) {
	const quota = 200 << 10
	large := string(bytes.Repeat([]byte("x"), quota))
	ours, etcds := sides(t, node.Config{QuotaBytes: quota}, "--quota-backend-bytes=204800")
	compare(t, ours, etcds, []row{
		{name: "put", r: put("a", "1")},
		{name: "only read", r: txnOf(get("a"))},
		{name: "put too much", r: put("b", large)},
		{name: "alarm", r: &pb.AlarmRequest{}},
		{name: "status", r: &pb.StatusRequest{}},
		{name: "put little", r: put("a", "1")},
		{name: "put little in a transaction", r: txnOf(put("a", "1"))},
		{name: "delete", r: del("a", "")},
		{name: "grant", r: &pb.LeaseGrantRequest{ID: 7, TTL: 100}},
		{name: "end", of: func(t *testing.T, s *side) proto.Message {
			return alarm(pb.AlarmRequest_DEACTIVATE, pb.AlarmType_NOSPACE, s.member(t).ID)
		}},
		{name: "put little", r: put("a", "1")},
		{name: "put too much, without a key", r: put("", large)},
		{name: "alarm", r: &pb.AlarmRequest{}},
		{name: "end", of: func(t *testing.T, s *side) proto.Message {
			return alarm(pb.AlarmRequest_DEACTIVATE, pb.AlarmType_NOSPACE, s.member(t).ID)
		}},
		{name: "put too much in a transaction", r: txnOf(put("b", large))},
		{name: "alarm", r: &pb.AlarmRequest{}},
	})
}

func downgrade(action pb.DowngradeRequest_DowngradeAction, version string) *pb.DowngradeRequest {
	return &pb.DowngradeRequest{Action: action, Version: version}
}

// TestDowngrade asks for versions, good and bad.
func TestDowngrade(t *testing.T) {
	const validate, enable, cancel = pb.DowngradeRequest_VALIDATE, pb.DowngradeRequest_ENABLE, pb.DowngradeRequest_CANCEL
	ours, etcds := sides(t, node.Config{})
	var table []row
	for _, action := range []pb.DowngradeRequest_DowngradeAction{validate, enable} {
		for _, version := range []string{"", "x", "3", "3.5", "3.5.0", "3.7", "3.7.0", "3.8", "4.0", "3.6.1.1", "3.6-x"} {
			table = append(table, row{name: "bad", r: downgrade(action, version)})
		}
	}
	table = append(table, []row{
		{name: "no such action", r: downgrade(9, "3.6.0")},
		{name: "cancel none", r: downgrade(cancel, "")},
		{name: "validate", r: downgrade(validate, "3.6.0")},
		{name: "status", r: &pb.StatusRequest{}},
		{name: "enable", r: downgrade(enable, "3.6")},
		{name: "validate again", r: downgrade(validate, "3.6.0")},
		{name: "enable again", r: downgrade(enable, "3.6.0")},
		{name: "enable another", r: downgrade(enable, "3.5.0")},
	}...)
	compare(t, ours, etcds, table)
	for _, s := range []*side{ours, etcds} {
		s.await(t, "the version is lowered", func(r *pb.StatusResponse) bool {
			return r.StorageVersion == "3.6.0" && r.DowngradeInfo.Enabled
		})
	}
	compare(t, ours, etcds, []row{
		{name: "status", r: &pb.StatusRequest{}},
		{name: "enable what is", r: downgrade(enable, "3.6.0")},
		{name: "cancel", r: downgrade(cancel, "")},
	})
	for _, s := range []*side{ours, etcds} {
		s.await(t, "the version is raised again", func(r *pb.StatusResponse) bool { return r.StorageVersion == "3.7.0" })
	}
	compare(t, ours, etcds, []row{{name: "status", r: &pb.StatusRequest{}}})
}

// TestNoRoomAtAll grants no lease in a database that is larger than its quota from the start.
func TestNoRoomAtAll(t *testing.T) {
	ours, etcds := sides(t, node.Config{QuotaBytes: 1000}, "--quota-backend-bytes=1000")
	compare(t, ours, etcds, []row{
		{name: "grant", r: &pb.LeaseGrantRequest{ID: 7, TTL: 100}},
		{name: "alarm", r: &pb.AlarmRequest{}},
		{name: "leases", r: &pb.LeaseLeasesRequest{}},
	})
}

// TestSnapshot gets the database, in pieces of etcd's size, with its sha256 behind it.
func TestSnapshot(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	for _, s := range []*side{ours, etcds} {
		s.answer(t, row{r: put("a", string(bytes.Repeat([]byte("x"), 500<<10)))})
		pieces, err := s.do(t.Context(), &pb.SnapshotRequest{}, false)
		if err != nil {
			t.Fatal(err)
		}
		var file []byte
		last := pieces[len(pieces)-1].(*pb.SnapshotResponse)
		total := uint64(0)
		for i, p := range pieces[:len(pieces)-1] {
			p := p.(*pb.SnapshotResponse)
			file = append(file, p.Blob...)
			if i == 0 {
				total = uint64(len(p.Blob)) + p.RemainingBytes
			}
			if len(p.Blob) != 32<<10 && i != len(pieces)-2 {
				t.Errorf("piece %d has %d bytes", i, len(p.Blob))
			}
			if p.RemainingBytes != total-uint64(len(file)) || p.Version != "3.7.0" {
				t.Errorf("piece %d of version %q: %d of %d remain after %d", i, p.Version, p.RemainingBytes, total, len(file))
			}
		}
		sum := sha256.Sum256(file)
		want := &pb.SnapshotResponse{Blob: sum[:], Version: "3.7.0"}
		if !proto.Equal(last, want) {
			t.Errorf("last piece %v, want %v", last, want)
		}
		if uint64(len(file)) != total || total < 500<<10 {
			t.Errorf("%d bytes, want %d", len(file), total)
		}
	}
}
