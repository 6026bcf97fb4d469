package decode

import (
	"encoding/json"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"

	"github.com/raftctl/raftctl/raftpb"
)

func rangeOp(r *pb.RangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}

func putOp(key, value string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{
		RequestPut: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}}}
}

func deleteOp(key, end string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
		RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)}}}
}

func txnOp(t *pb.TxnRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: t}}
}

func TestSummaries(t *testing.T) {
	inner := &pb.TxnRequest{Success: []*pb.RequestOp{putOp("a", "1")}}
	deep := &pb.TxnRequest{Success: []*pb.RequestOp{txnOp(&pb.TxnRequest{
		Success: []*pb.RequestOp{txnOp(&pb.TxnRequest{Success: []*pb.RequestOp{txnOp(inner)}})}})}}
	for _, tt := range []struct {
		m    *pb.InternalRaftRequest
		want string
	}{
		{&pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("a b"), Value: []byte("v"), Lease: -1}},
			`put "a b" 1 B v lease ffffffffffffffff`},
		{&pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("a"), IgnoreValue: true, IgnoreLease: true}},
			`put a value kept lease kept`},
		{&pb.InternalRaftRequest{Range: &pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte("b"), Limit: 5,
			Revision: 9, KeysOnly: true}}, `range prefix a limit 5 revision 9 keys_only`},
		{&pb.InternalRaftRequest{Range: &pb.RangeRequest{Key: []byte("a\xff\xff"), RangeEnd: []byte("b")}},
			`range prefix "a\xff\xff"`},
		{&pb.InternalRaftRequest{Range: &pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte("c")}},
			`range a to c`},
		{&pb.InternalRaftRequest{DeleteRange: &pb.DeleteRangeRequest{Key: []byte("a"), RangeEnd: []byte{0}}},
			`delete_range a and after`},
		{&pb.InternalRaftRequest{DeleteRange: &pb.DeleteRangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}},
			`delete_range all keys`},
		{&pb.InternalRaftRequest{DeleteRange: &pb.DeleteRangeRequest{Key: []byte("a"), PrevKv: true},
			Header: &pb.RequestHeader{ID: 7, Username: "alice"}}, `delete_range a by user alice`},
		{&pb.InternalRaftRequest{Txn: &pb.TxnRequest{
			Compare: []*pb.Compare{
				{Key: []byte("k"), TargetUnion: &pb.Compare_Version{Version: 0}},
				{Key: []byte("k"), Target: pb.Compare_VALUE, Result: pb.Compare_NOT_EQUAL,
					TargetUnion: &pb.Compare_Value{Value: []byte("x y")}}},
			Success: []*pb.RequestOp{putOp("k", "hello"), deleteOp("a", "b")},
			Failure: []*pb.RequestOp{rangeOp(&pb.RangeRequest{Key: []byte("k")})}}},
			`txn if version(k) = 0 and value(k) != "x y" then put k 5 B hello, delete_range prefix a else range k`},
		{&pb.InternalRaftRequest{Txn: &pb.TxnRequest{Success: []*pb.RequestOp{putOp("a", ""), putOp("b", ""),
			putOp("c", ""), putOp("d", ""), {}}}},
			`txn then put a 0 B, put b 0 B, put c 0 B, and 2 more`},
		{&pb.InternalRaftRequest{Txn: deep}, `txn then txn (then txn (then txn (…)))`},
		{&pb.InternalRaftRequest{Txn: &pb.TxnRequest{Failure: []*pb.RequestOp{{}}}}, `txn else nothing`},
		{&pb.InternalRaftRequest{Txn: &pb.TxnRequest{Success: []*pb.RequestOp{txnOp(&pb.TxnRequest{})}}},
			`txn then txn ()`},
		{&pb.InternalRaftRequest{Compaction: &pb.CompactionRequest{Revision: 9, Physical: true}},
			`compaction up to revision 9 physical`},
		{&pb.InternalRaftRequest{LeaseGrant: &pb.LeaseGrantRequest{ID: 0x70, TTL: 60}}, `lease_grant 70 ttl 60s`},
		{&pb.InternalRaftRequest{LeaseRevoke: &pb.LeaseRevokeRequest{ID: 0x70}}, `lease_revoke 70`},
		{&pb.InternalRaftRequest{LeaseCheckpoint: &pb.LeaseCheckpointRequest{Checkpoints: []*pb.LeaseCheckpoint{
			{ID: 1, Remaining_TTL: 2}, {ID: 3}, {ID: 4}, {ID: 5}, {ID: 6}}}},
			`lease_checkpoint 1 2s left, 3 0s left, 4 0s left, and 2 more`},
		{&pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{}}, `alarm GET`},
		{&pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE,
			Alarm: pb.AlarmType_NOSPACE, MemberID: 0x8e9e}}, `alarm ACTIVATE NOSPACE member 8e9e`},
		{&pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{Action: 9}}, `alarm 9`},
		{&pb.InternalRaftRequest{AuthEnable: &pb.AuthEnableRequest{}}, `auth_enable`},
		{&pb.InternalRaftRequest{AuthUserAdd: &pb.AuthUserAddRequest{Name: "a b", Password: "x"}},
			`auth_user_add name="a b" password=[redacted]`},
		{&pb.InternalRaftRequest{ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{Member_ID: 0x8e9e,
			MemberAttributes: &membershippb.Attributes{Name: "m1", ClientUrls: []string{"http://a", "http://b"}}}},
			`cluster_member_attr_set member_id=8e9e name=m1 client_urls=http://a client_urls=http://b`},
		{&pb.InternalRaftRequest{DowngradeInfoSet: &membershippb.DowngradeInfoSetRequest{}},
			`downgrade_info_set enabled=false`},
	} {
		var r Request
		if err := Payload(&r, normal(marshal(t, tt.m))); err != nil {
			t.Error(err)
		}
		if got := string(r.AppendSummary(nil, Style{})); got != tt.want {
			t.Errorf("%v\n got %s\nwant %s", tt.m, got, tt.want)
		}
	}
}

func TestConfChanges(t *testing.T) {
	const member = `{"id":10276657743932975437,"peerURLs":["http://127.0.0.1:2380"],"name":"m1"}`
	memberJSON := `"member":{"id":"8e9e05c52164694d","name":"m1","peer_urls":["http://127.0.0.1:2380"]}`
	for _, tt := range []struct {
		c             raftpb.ConfChangeI
		summary, json string
	}{
		{raftpb.ConfChange{NodeID: 0x8e9e05c52164694d, Context: []byte(member)},
			`add voter 8e9e05c52164694d m1 http://127.0.0.1:2380`,
			`{"conf_change":{"type":"add_node","node_id":"8e9e05c52164694d",` + memberJSON + `}}`},
		{raftpb.ConfChange{ID: 0xb37aa1fb7d76e501, Type: raftpb.ConfChangeRemoveNode, NodeID: 7}, `remove 7`,
			`{"conf_change":{"id":"b37aa1fb7d76e501","member_suffix":"b37a",` +
				`"server_started":"2026-11-21T00:24:26.085Z","type":"remove_node","node_id":"7"}}`},
		{raftpb.ConfChange{Type: raftpb.ConfChangeAddLearnerNode, NodeID: 7,
			Context: []byte(`{"id":7,"peerURLs":["http://a"],"isLearner":true}`)}, `add learner 7 http://a`,
			`{"conf_change":{"type":"add_learner_node","node_id":"7","member":{"id":"7",` +
				`"peer_urls":["http://a"],"is_learner":true}}}`},
		{raftpb.ConfChange{NodeID: 7, Context: []byte(`{"id":7,"peerURLs":null,"isPromote":true}`)}, `promote 7`,
			`{"conf_change":{"type":"add_node","node_id":"7","member":{"id":"7","is_promote":true}}}`},
		{raftpb.ConfChange{Type: raftpb.ConfChangeUpdateNode, NodeID: 7, Context: []byte(`{"id":8}`)},
			`update 7 context names 8`,
			`{"conf_change":{"type":"update_node","node_id":"7","member":{"id":"8"}}}`},
		{raftpb.ConfChange{Type: 9, NodeID: 7, Context: []byte(`{"id":7,"future":1}`)},
			`9 7 context "{\"id\":7,\"future\":1}"`,
			`{"conf_change":{"type":9,"node_id":"7","context":"{\"id\":7,\"future\":1}"}}`},
		{raftpb.ConfChange{NodeID: 7, Context: []byte("\xff")}, `add voter 7 context "\xff"`,
			`{"conf_change":{"type":"add_node","node_id":"7","context_base64":"/w=="}}`},
		{raftpb.ConfChangeV2{}, `leave joint configuration`,
			`{"conf_change_v2":{"transition":"auto","changes":[]}}`},
		{raftpb.ConfChangeV2{Transition: raftpb.ConfChangeTransitionJointExplicit,
			Changes: []raftpb.ConfChangeSingle{{NodeID: 1}, {Type: raftpb.ConfChangeRemoveNode, NodeID: 2}}},
			`add voter 1, remove 2 through a joint configuration that is left explicitly`,
			`{"conf_change_v2":{"transition":"joint_explicit","changes":[{"type":"add_node","node_id":"1"},` +
				`{"type":"remove_node","node_id":"2"}]}}`},
	} {
		for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			typ, data := raftpb.MarshalConfChange(tt.c, f)
			var r Request
			if err := Payload(&r, &raftpb.Entry{Type: typ, Data: data}); err != nil {
				t.Error(err)
			}
			if got := string(r.AppendSummary(nil, Style{})); got != tt.summary {
				t.Errorf("%v\n got %s\nwant %s", tt.c, got, tt.summary)
			}
			if got := string(r.AppendJSON(nil, Style{})); got != tt.json {
				t.Errorf("%v\n got %s\nwant %s", tt.c, got, tt.json)
			}
		}
	}
}

// TestV2IsNotV3 reads v2 requests whose bytes a lenient parser takes for v3 requests.
func TestV2IsNotV3(t *testing.T) {
	sync := append([]byte{0x08, 0x07, 0x12, 4, 'S', 'Y', 'N', 'C', 0x1a, 0, 0x22, 0}, v2Put("", "")[11:]...)
	for _, tt := range []struct {
		data    []byte
		op      Op
		summary string
	}{
		{sync, "v2_sync", "v2_sync"},
		{append([]byte{0x08, 0x07, 0x12, 0, 0x1a, 0, 0x22, 0}, v2Put("", "")[11:]...), "v2_none", "v2_none"},
		{v2Put("/1/a", "b c"), "v2_put", `v2_put /1/a 3 B "b c"`},
		{append(v2Put("/1/a", ""), 0x28, 1), "v2_put", `v2_put /1/a dir`},
		{append(v2Put("/1/a", ""), 0x12, 6, 'D', 'E', 'L', 'E', 'T', 'E', 0x60, 1), "v2_delete",
			`v2_delete /1/a recursive`},
	} {
		var r Request
		if err := Payload(&r, normal(tt.data)); err != nil {
			t.Error(err)
		}
		got := string(r.AppendSummary(nil, Style{}))
		if r.Op != tt.op || got != tt.summary {
			t.Errorf("%x: %s: %s, want %s: %s", tt.data, r.Op, got, tt.op, tt.summary)
		}
		if r.ID != 7 {
			t.Errorf("%s: id %x, want 7", tt.op, r.ID)
		}
	}
}

// TestWireTypesAreStrict gives known fields another wire type, and leaves out what makes a request.
func TestWireTypesAreStrict(t *testing.T) {
	for _, data := range []string{
		"\x20\x01", // put as a varint
		pbBytes(4, pbBytes(1, "k")+pbBytes(3, "lease")),         // lease as bytes
		pbBytes(4, "\x08\x01"),                                  // key as a varint
		pbBytes(4, "\x0d1234"),                                  // key as a fixed32
		pbBytes(100, pbBytes(1, "id")) + pbBytes(4, ""),         // header's id as bytes
		pbBytes(6, pbBytes(2, pbBytes(2, pbBytes(3, "lease")))), // lease as bytes, deep within
		pbBytes(4, "") + "\x02\x00",                             // a field with number 0
		"\x08\x07",                                              // nothing but the old ID
		pbBytes(2000, "x"),                                      // nothing that is known
	} {
		var r Request
		_ = Payload(&r, normal([]byte(data))) // an error or not: some of it is text
		if _, ok := r.body.(internalRequest); ok {
			t.Errorf("%x: read as %s", data, r.AppendSummary(nil, Style{}))
		}
	}
}

// TestLaterEtcd reads requests with fields that the tables don't have.
func TestLaterEtcd(t *testing.T) {
	header := marshal(t, &pb.InternalRaftRequest{Header: &pb.RequestHeader{ID: 5}})
	put := marshal(t, &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("k")}})
	future := pbBytes(2000, "secret")
	for _, tt := range []struct {
		data, op, summary, json string
	}{
		{string(header) + future, "unknown", "unknown request of a later etcd",
			`{"header":{"id":"5"},"unknown_fields":[{"number":2000,"wire_type":"bytes","size":6}]}`},
		{string(put) + future + "\x98\x06\x81\x02", "put", "put k 0 B",
			`{"put":{"key":"k"},"unknown_fields":[{"number":2000,"wire_type":"bytes","size":6},` +
				`{"number":99,"wire_type":"varint","size":2}]}`},
	} {
		var r Request
		if err := Payload(&r, normal([]byte(tt.data))); err != nil {
			t.Error(err)
		}
		if got := string(r.AppendSummary(nil, Style{})); got != tt.summary || string(r.Op) != tt.op {
			t.Errorf("%s: %s, want %s: %s", r.Op, got, tt.op, tt.summary)
		}
		got := r.AppendJSON(nil, Style{Values: ValuesFull})
		if string(got) != tt.json || !json.Valid(got) {
			t.Errorf("\n got %s\nwant %s", got, tt.json)
		}
	}
}

// TestMergedFields writes fields twice: of a scalar the last counts, and a message is put together,
// as in every protobuf decoder.
func TestMergedFields(t *testing.T) {
	part1 := pbBytes(4, pbBytes(1, "old")+pbBytes(2, "value"))
	part2 := pbBytes(4, pbBytes(1, "new"))
	data := []byte(part1 + part2)
	if diff, err := compareWithReference(data); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	oneof := pbBytes(6, pbBytes(2, pbBytes(2, pbBytes(1, "put"))+pbBytes(3, pbBytes(1, "delete"))))
	if diff, err := compareWithReference([]byte(oneof)); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestWidth(t *testing.T) {
	var r Request
	data := marshal(t, &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("/a/long/key"), Value: []byte("v")}})
	if err := Payload(&r, normal(data)); err != nil {
		t.Fatal(err)
	}
	for width, want := range map[int]string{0: "put /a/long/key 1 B v", 10: "put /a/lo…", 99: "put /a/long/key 1 B v"} {
		if got := string(r.AppendSummary(nil, Style{Width: width})); got != want {
			t.Errorf("width %d: %q, want %q", width, got, want)
		}
	}
}
