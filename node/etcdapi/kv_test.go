package etcdapi

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

func put(key, value string) *pb.PutRequest {
	return &pb.PutRequest{Key: []byte(key), Value: []byte(value)}
}

func get(key string, edit ...func(*pb.RangeRequest)) *pb.RangeRequest {
	r := &pb.RangeRequest{Key: []byte(key)}
	for _, e := range edit {
		e(r)
	}
	return r
}

// What a range may ask for.

func all(r *pb.RangeRequest)      { r.Key, r.RangeEnd = []byte{0}, []byte{0} }
func local(r *pb.RangeRequest)    { r.Serializable = true }
func keysOnly(r *pb.RangeRequest) { r.KeysOnly = true }

func at(revision int64) func(*pb.RangeRequest) {
	return func(r *pb.RangeRequest) { r.Revision = revision }
}

func limit(n int64) func(*pb.RangeRequest) { return func(r *pb.RangeRequest) { r.Limit = n } }

func sorted(by pb.RangeRequest_SortTarget, order pb.RangeRequest_SortOrder) func(*pb.RangeRequest) {
	return func(r *pb.RangeRequest) { r.SortTarget, r.SortOrder = by, order }
}

func del(key, end string) *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)}
}

// op makes an operation of a transaction out of a request.
func op(r proto.Message) *pb.RequestOp {
	switch r := r.(type) {
	case *pb.RangeRequest:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
	case *pb.PutRequest:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: r}}
	case *pb.DeleteRangeRequest:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: r}}
	case *pb.TxnRequest:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: r}}
	}
	return &pb.RequestOp{}
}

func ops(requests ...proto.Message) (list []*pb.RequestOp) {
	for _, r := range requests {
		list = append(list, op(r))
	}
	return list
}

func txnOf(requests ...proto.Message) *pb.TxnRequest {
	return &pb.TxnRequest{Success: ops(requests...)}
}

// times repeats a request.
func times(n int, r proto.Message) (list []proto.Message) {
	for range n {
		list = append(list, r)
	}
	return list
}

func versionIs(key string, version int64) *pb.Compare {
	return &pb.Compare{
		Key: []byte(key), Target: pb.Compare_VERSION, TargetUnion: &pb.Compare_Version{Version: version},
	}
}

// valueIs compares without saying what with, unless there is a value.
func valueIs(key string, value ...byte) *pb.Compare {
	c := &pb.Compare{Key: []byte(key), Target: pb.Compare_VALUE}
	if value != nil {
		c.TargetUnion = &pb.Compare_Value{Value: value}
	}
	return c
}

// TestKV makes the same requests to a node and to an etcd.
func TestKV(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	t.Run("put", func(t *testing.T) { compare(t, ours, etcds, puts) })
	t.Run("range", func(t *testing.T) { compare(t, ours, etcds, ranges) })
	t.Run("stream", func(t *testing.T) { compare(t, ours, etcds, rangeStreams()) })
	t.Run("delete", func(t *testing.T) { compare(t, ours, etcds, deletes) })
	t.Run("txn", func(t *testing.T) { compare(t, ours, etcds, txns) })
	t.Run("compact", func(t *testing.T) { compare(t, ours, etcds, compactions) })
}

var puts = []row{
	{name: "first", r: put("a", "1")},
	{name: "second", r: put("a", "2")},
	{name: "previous", r: &pb.PutRequest{Key: []byte("a"), Value: []byte("3"), PrevKv: true}},
	{name: "no previous", r: &pb.PutRequest{Key: []byte("b"), PrevKv: true}},
	{name: "no key", r: put("", "1")},
	{name: "nothing", r: &pb.PutRequest{}},
	{name: "a byte of zero", r: put("\x00", "1")},
	{name: "keep the value", r: &pb.PutRequest{Key: []byte("a"), IgnoreValue: true, PrevKv: true}},
	{name: "keep the value and give one", r: &pb.PutRequest{Key: []byte("a"), Value: []byte("4"), IgnoreValue: true}},
	{name: "keep the value of none", r: &pb.PutRequest{Key: []byte("none"), IgnoreValue: true}},
	{name: "keep the lease", r: &pb.PutRequest{Key: []byte("a"), Value: []byte("4"), IgnoreLease: true}},
	{name: "keep the lease and give one", r: &pb.PutRequest{Key: []byte("a"), Lease: 7, IgnoreLease: true}},
	{name: "keep the lease of none", r: &pb.PutRequest{Key: []byte("none"), IgnoreLease: true}},
	{name: "unknown lease", r: &pb.PutRequest{Key: []byte("a"), Lease: 7}},
	{name: "too large", r: put("large", string(bytes.Repeat([]byte("x"), 1600<<10)))},
	{name: "too large for gRPC", r: put("larger", string(bytes.Repeat([]byte("x"), 3<<20)))},
	{name: "large", r: put("large", string(bytes.Repeat([]byte("x"), 1500<<10)))},
	{name: "delete it", r: del("large", "")},
	{name: "more", r: put("c/1", "5")},
	{name: "more", r: put("c/2", "4")},
	{name: "more", r: put("c/3", "3")},
	{name: "more", r: put("c/3", "1")},
}

var ranges = []row{
	{name: "one", r: get("a")},
	{name: "none", r: get("none")},
	{name: "no key", r: get("")},
	{name: "all", r: get("", all)},
	{name: "serializable", r: get("a", local)},
	{name: "no key, serializable", r: get("", local)},
	{name: "limit", r: get("", all, limit(2))},
	{name: "limit below 0", r: get("", all, limit(-2))},
	{name: "largest limit", r: get("", all, limit(math.MaxInt64))},
	{name: "keys", r: get("", all, keysOnly)},
	{name: "count", r: get("", all, func(r *pb.RangeRequest) { r.CountOnly = true })},
	{name: "count with limit", r: get("", all, func(r *pb.RangeRequest) { r.CountOnly, r.Limit = true, 1 })},
	{name: "end before key", r: get("c", func(r *pb.RangeRequest) { r.RangeEnd = []byte("a") })},
	{name: "end is key", r: get("a", func(r *pb.RangeRequest) { r.RangeEnd = []byte("a") })},
	{name: "earlier", r: get("a", at(2))},
	{name: "before the first", r: get("a", at(1))},
	{name: "of the future", r: get("a", at(9999))},
	{name: "of the future, serializable", r: get("a", at(9999), local)},
	{name: "revision below 0", r: get("a", at(-1))},
	{name: "by value", r: get("", all, sorted(pb.RangeRequest_VALUE, pb.RangeRequest_DESCEND))},
	{name: "by value with keys only", r: get("", all, sorted(pb.RangeRequest_VALUE, 0), keysOnly)},
	{name: "by version", r: get("", all, sorted(pb.RangeRequest_VERSION, 0), limit(2))},
	{name: "by creation", r: get("", all, sorted(pb.RangeRequest_CREATE, pb.RangeRequest_DESCEND))},
	{name: "by change", r: get("", all, sorted(pb.RangeRequest_MOD, pb.RangeRequest_ASCEND))},
	{name: "by key downwards", r: get("", all, sorted(0, pb.RangeRequest_DESCEND))},
	{name: "unknown order", r: get("a", sorted(0, 3))},
	{name: "order below 0", r: get("a", sorted(0, -1))},
	{name: "unknown target", r: get("a", sorted(5, 0))},
	{name: "changed since", r: get("", all, func(r *pb.RangeRequest) { r.MinModRevision, r.Limit = 4, 1 })},
	{name: "changed until", r: get("", all, func(r *pb.RangeRequest) { r.MaxModRevision = 6 })},
	{name: "created since", r: get("", all, func(r *pb.RangeRequest) { r.MinCreateRevision = 4 })},
	{name: "created until", r: get("", all, func(r *pb.RangeRequest) { r.MaxCreateRevision = 9 })},
}

// rangeStreams puts as many keys as make several pieces, some of them large.
func rangeStreams() []row {
	var table []row
	for i := range 70 {
		key := string([]byte{'s', byte('0' + i/10), byte('0' + i%10)})
		value := bytes.Repeat([]byte{byte(i)}, 1+i%3*50<<10)
		table = append(table, row{name: "put", r: &pb.PutRequest{Key: []byte(key), Value: value}})
	}
	for _, row := range append(ranges,
		row{name: "first", r: get("", all, limit(1))},
		row{name: "a piece", r: get("", all, limit(10))},
		row{name: "a piece and one", r: get("", all, limit(11))},
		row{name: "many", r: get("", all, limit(50))},
		row{name: "filtered", r: get("", all, func(r *pb.RangeRequest) { r.MinModRevision = 1 })},
		row{name: "upwards", r: get("", all, sorted(0, pb.RangeRequest_ASCEND))},
		row{name: "keys", r: get("s", func(r *pb.RangeRequest) { r.RangeEnd, r.KeysOnly = []byte("t"), true })},
		row{name: "middle", r: get("s2", func(r *pb.RangeRequest) { r.RangeEnd, r.Revision = []byte("s4"), 60 })},
	) {
		row.inPieces = true
		table = append(table, row)
	}
	return append(table, row{name: "all of them", r: del("s", "t")})
}

var deletes = []row{
	{name: "no key", r: del("", "")},
	{name: "no key but an end", r: del("", "b")},
	{name: "none", r: del("none", "")},
	{name: "one", r: del("b", "")},
	{name: "previous", r: &pb.DeleteRangeRequest{Key: []byte("c/1"), PrevKv: true}},
	{name: "some", r: del("c/", "c0")},
	{name: "end before key", r: del("c", "a")},
	{name: "gone", r: get("", all)},
	{name: "before", r: get("", all, at(10))},
}

var txns = []row{
	{name: "nothing", r: &pb.TxnRequest{}},
	{name: "put", r: txnOf(put("t", "1"))},
	{name: "put and read", r: txnOf(put("t", "2"), get("t"), del("none", ""), get("t"))},
	{name: "only read", r: txnOf(get("t"), get("none"))},
	{name: "read of the future", r: txnOf(get("t", at(9999)))},
	{name: "put and read of the future", r: txnOf(put("t", "3"), get("t", at(9999)))},
	{name: "serializable", r: txnOf(get("t", local))},
	{name: "true", r: &pb.TxnRequest{
		Compare: []*pb.Compare{versionIs("t", 2), valueIs("t", '2')},
		Success: ops(put("then", "1")), Failure: ops(put("else", "1")),
	}},
	{name: "false", r: &pb.TxnRequest{
		Compare: []*pb.Compare{versionIs("t", 9)},
		Success: ops(put("then", "1")), Failure: ops(put("else", "1"), get("", all)),
	}},
	{name: "compared with nothing", r: &pb.TxnRequest{Compare: []*pb.Compare{valueIs("t")}, Success: ops(get("t"))}},
	{name: "compared range", r: &pb.TxnRequest{
		Compare: []*pb.Compare{{
			Key: []byte("a"), RangeEnd: []byte("z"), Result: pb.Compare_GREATER, TargetUnion: &pb.Compare_Version{},
		}},
		Success: ops(get("a")),
	}},
	{name: "unknown result", r: &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte("t"), Result: 9}}, Success: ops(get("t")),
	}},
	{name: "unknown target", r: &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte("t"), Target: 9}}, Success: ops(get("t")),
	}},
	{name: "no key to compare", r: &pb.TxnRequest{Compare: []*pb.Compare{{}}}},
	{name: "no key to put", r: txnOf(put("t", "1"), put("", "1"))},
	{name: "no key to read", r: txnOf(get(""))},
	{name: "no key to delete", r: &pb.TxnRequest{Failure: ops(del("", ""))}},
	{name: "no operation", r: &pb.TxnRequest{Success: []*pb.RequestOp{{}}}},
	{name: "unknown order", r: txnOf(get("t", sorted(0, 9)))},
	{name: "value and none", r: txnOf(&pb.PutRequest{Key: []byte("t"), Value: []byte("v"), IgnoreValue: true})},
	{name: "lease and none", r: txnOf(&pb.PutRequest{Key: []byte("t"), Lease: 1, IgnoreLease: true})},
	{name: "value of none", r: txnOf(put("u", "1"), &pb.PutRequest{Key: []byte("none"), IgnoreValue: true})},
	{name: "unknown lease", r: txnOf(put("u", "1"), &pb.PutRequest{Key: []byte("t"), Lease: 9})},
	{name: "unknown lease in the branch that isn't taken", r: &pb.TxnRequest{
		Failure: ops(&pb.PutRequest{Key: []byte("t"), Lease: 9}),
	}},
	{name: "as many as may be", r: txnOf(times(128, get("t"))...)},
	{name: "too many", r: txnOf(times(129, get("t"))...)},
	{name: "too many to compare", r: &pb.TxnRequest{Compare: make129()}},
	{name: "too many otherwise", r: &pb.TxnRequest{Failure: ops(times(129, get("t"))...)}},
	{name: "too many and wrong", r: txnOf(times(129, get(""))...)},
	{name: "nested", r: txnOf(put("n", "1"), txnOf(put("m", "1"), get("n")))},
	{name: "nested, as many as may be", r: txnOf(append(times(63, get("t")), txnOf(times(64, get("t"))...))...)},
	{name: "nested, too many", r: txnOf(append(times(64, get("t")), txnOf(times(64, get("t"))...))...)},
	{name: "nested, only read", r: txnOf(txnOf(get("t")))},
	{name: "nested, wrong", r: txnOf(txnOf(txnOf(put("", ""))))},
	{name: "put twice", r: txnOf(put("t", "1"), put("t", "2"))},
	{name: "put twice, otherwise", r: &pb.TxnRequest{Failure: ops(put("t", "1"), put("t", "2"))}},
	{name: "put in both branches", r: &pb.TxnRequest{Success: ops(put("t", "1")), Failure: ops(put("t", "2"))}},
	{name: "put and deleted", r: txnOf(put("t", "1"), del("t", ""))},
	{name: "put and deleted with others", r: txnOf(del("a", "z"), put("t", "1"))},
	{name: "put beside the deleted", r: txnOf(del("a", "t"), put("t", "1"))},
	{name: "put and all after deleted", r: txnOf(del("a", "\x00"), put("t", "1"))},
	{name: "put and all deleted", r: txnOf(del("\x00", "\x00"), put("t", "1"))},
	{name: "deleted twice", r: txnOf(put("x1", "1"), del("t", ""), del("t", ""), del("a", "b"))},
	{name: "put twice, nested", r: txnOf(put("t", "1"), txnOf(put("t", "2")))},
	{name: "put twice in two nested", r: txnOf(txnOf(put("t", "1")), txnOf(put("t", "2")))},
	{name: "put in both nested branches", r: txnOf(
		&pb.TxnRequest{Success: ops(put("t", "1")), Failure: ops(put("t", "2"))})},
	{name: "put in both nested branches and beside", r: txnOf(
		&pb.TxnRequest{Success: ops(put("t", "1")), Failure: ops(put("t", "2"))}, put("t", "3"))},
	{name: "put in one and a second nested branch", r: txnOf(
		txnOf(put("t", "1")), &pb.TxnRequest{Success: ops(put("u", "1")), Failure: ops(put("t", "2"))})},
	{name: "deleted, and put nested", r: txnOf(del("t", ""), txnOf(put("t", "2")))},
	{name: "deleted, and put nested otherwise", r: txnOf(del("t", ""), &pb.TxnRequest{Failure: ops(put("t", "2"))})},
	{name: "put, and deleted nested", r: txnOf(put("t", "2"), txnOf(del("t", "")))},
	{name: "deleted nested, then put nested", r: txnOf(txnOf(del("t", "")), txnOf(put("t", "2")))},
	{name: "put nested, then deleted nested", r: txnOf(txnOf(put("t", "2")), txnOf(del("t", "")))},
	{name: "too large", r: txnOf(put("t", string(bytes.Repeat([]byte("x"), 1600<<10))))},
	{name: "what is left", r: get("", all)},
}

// make129 are more comparisons than there may be.
func make129() (list []*pb.Compare) {
	for range 129 {
		list = append(list, versionIs("t", 1))
	}
	return list
}

var compactions = []row{
	{name: "hash", r: &pb.HashKVRequest{}},
	{name: "hash of then", r: &pb.HashKVRequest{Revision: 8}},
	{name: "below 0", r: &pb.CompactionRequest{Revision: -1}},
	{name: "of the future", r: &pb.CompactionRequest{Revision: 9999}},
	{name: "physical", r: &pb.CompactionRequest{Revision: 5, Physical: true}},
	{name: "again", r: &pb.CompactionRequest{Revision: 5}},
	{name: "again, physical", r: &pb.CompactionRequest{Revision: 5, Physical: true}},
	{name: "earlier", r: &pb.CompactionRequest{Revision: 4}},
	{name: "later", r: &pb.CompactionRequest{Revision: 8}},
	{name: "physical of the future", r: &pb.CompactionRequest{Revision: 9999, Physical: true}},
	{name: "read what is gone", r: get("a", at(3))},
	{name: "read what is gone, serializable", r: get("a", at(3), local)},
	{name: "stream what is gone", r: get("a", at(3)), inPieces: true},
	{name: "read of what is gone in a transaction", r: txnOf(get("a", at(3)))},
	{name: "read at the compaction", r: get("a", at(8))},
	{name: "hash of what is gone", r: &pb.HashKVRequest{Revision: 3}},
	{name: "hash of the future", r: &pb.HashKVRequest{Revision: 9999}},
	{name: "hash", r: &pb.HashKVRequest{}},
	{name: "to the end, physical", r: &pb.CompactionRequest{Revision: 100, Physical: true}},
	{name: "hash", r: &pb.HashKVRequest{}},
	{name: "all", r: get("", all)},
}

// TestPhysicalCompaction looks into the file once a compaction was answered: it is done in there, though nothing else
// would have it written for an hour. A compaction that removes something would.
func TestPhysicalCompaction(t *testing.T) {
	t.Parallel()
	n, endpoint := startNode(t, node.Config{BatchInterval: time.Hour}, Options{})
	s := dial(t, endpoint)
	for _, r := range []proto.Message{put("a", "1"), put("b", "1"), &pb.CompactionRequest{Revision: 3, Physical: true}} {
		if a := s.answer(t, row{r: r}); a.Status != "OK: " {
			t.Fatalf("%v: %s", r, a.Status)
		}
	}
	f, err := os.Open(n.Store().Path())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	meta, err := db.Bucket("meta")
	if err != nil {
		t.Fatal(err)
	}
	done, err := meta.Get([]byte("finishedCompactRev"))
	if err != nil || len(done) != 17 || binary.BigEndian.Uint64(done) != 3 {
		t.Errorf("compacted up to %x, %v, want 3", done, err)
	}
}
