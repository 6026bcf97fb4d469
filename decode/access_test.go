package decode

import (
	"fmt"
	"slices"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

func decoded(t *testing.T, m *pb.InternalRaftRequest) *Request {
	t.Helper()
	r := new(Request)
	if err := Payload(r, normal(marshal(t, m))); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAccesses(t *testing.T) {
	inner := &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte("c2")}},
		Success: []*pb.RequestOp{putOp("p2", "v2")},
		Failure: []*pb.RequestOp{deleteOp("d2", "d3")},
	}
	r := decoded(t, &pb.InternalRaftRequest{Txn: &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte("c1"), RangeEnd: []byte("c9")}},
		Success: []*pb.RequestOp{putOp("p1", "v1"), rangeOp(&pb.RangeRequest{Key: []byte("r1")})},
		Failure: []*pb.RequestOp{deleteOp("d1", ""), txnOp(inner)},
	}})
	var got []string
	for a := range r.Accesses() {
		got = append(got, fmt.Sprintf("%s %s-%s %s %d", a.Op, a.Key, a.RangeEnd, a.Value, a.Branch))
	}
	want := []string{
		"compare c1-c9  0", "put p1- v1 1", "range r1-  1", "delete_range d1-  2",
		"compare c2-  2", "put p2- v2 2", "delete_range d2-d3  2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	for a := range r.Accesses() { // ends where the caller does
		if a.Op == OpPut {
			break
		}
	}
}

func TestTouchesPrefix(t *testing.T) {
	del := func(key, end string) *pb.InternalRaftRequest {
		return &pb.InternalRaftRequest{DeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)}}
	}
	for _, tt := range []struct {
		m      *pb.InternalRaftRequest
		prefix string
		want   bool
	}{
		{del("/a", ""), "/a", true},
		{del("/a", ""), "/", true},
		{del("/a", ""), "", true},
		{del("/a", ""), "/a/b", false},
		{del("/a", "/b"), "/a/b", true},
		{del("/a", "/b"), "/b", false},
		{del("/a", "/b"), "/", true},
		{del("/b", "/c"), "/a", false},
		{del("\x00", "\x00"), "/a", true},
		{del("/b", "\x00"), "/a", false},
		{del("/b", "\x00"), "/z", true},
		{&pb.InternalRaftRequest{Txn: &pb.TxnRequest{Failure: []*pb.RequestOp{deleteOp("/a", "/b")}}}, "/a/b", true},
		{&pb.InternalRaftRequest{Txn: &pb.TxnRequest{Failure: []*pb.RequestOp{deleteOp("/a", "/b")}}}, "/c", false},
		{&pb.InternalRaftRequest{Txn: &pb.TxnRequest{Compare: []*pb.Compare{{Key: []byte("/a/b")}}}}, "/a", true},
		{&pb.InternalRaftRequest{LeaseRevoke: &pb.LeaseRevokeRequest{ID: 7}}, "", false},
	} {
		if got := decoded(t, tt.m).TouchesPrefix([]byte(tt.prefix)); got != tt.want {
			t.Errorf("%v touches %q: %t, want %t", tt.m, tt.prefix, got, tt.want)
		}
	}
	var r Request
	if err := Payload(&r, normal(v2Put("/1/a/b", "v"))); err != nil {
		t.Fatal(err)
	}
	if !r.TouchesPrefix([]byte("/1/a")) || r.TouchesPrefix([]byte("/2")) {
		t.Error("v2 put of /1/a/b: touches the wrong prefixes")
	}
}

func TestRecursiveV2Delete(t *testing.T) {
	var r Request
	data := append(v2Put("/1/a", ""), 0x12, 6, 'D', 'E', 'L', 'E', 'T', 'E', 0x60, 1)
	if err := Payload(&r, normal(data)); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]bool{"/1/a": true, "/1/a/b": true, "/1/ab": false, "/1": true, "/2": false} {
		if got := r.TouchesPrefix([]byte(prefix)); got != want {
			t.Errorf("%s: %t, want %t", prefix, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	start := time.Date(2026, 11, 21, 0, 24, 26, 85e6, time.UTC)
	// As etcd's generator does it: member, time and counter, and then 300 requests later.
	id := uint64(0xb37a)<<48 | uint64(start.UnixMilli())<<24>>16
	for counter, want := range map[uint64]time.Time{0: start, 255: start, 300: start.Add(time.Millisecond)} {
		o, ok := OriginOf(id + counter)
		if !ok || o.Member != 0xb37a || !o.Started.Equal(want) {
			t.Errorf("id %x: member %x, %v, %t; want b37a, %v", id+counter, o.Member, o.Started, ok, want)
		}
	}
	for _, at := range []time.Time{
		time.Date(2013, 7, 29, 0, 0, 0, 0, time.UTC), time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		o, _ := OriginOf(1<<48 | uint64(at.UnixMilli())<<24>>16)
		if !o.Started.Equal(at) {
			t.Errorf("started %v, want %v", o.Started, at)
		}
	}
	if _, ok := OriginOf(7); ok {
		t.Error("7 has an origin")
	}
}

func TestAppendTime(t *testing.T) {
	for _, at := range []time.Time{
		time.UnixMilli(originEpoch), time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC),
		time.Date(2031, 12, 31, 23, 59, 59, 999e6, time.UTC),
	} {
		want := at.UTC().Format("2006-01-02T15:04:05.000Z")
		if got := string(appendTime(nil, at.UTC())); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestFields(t *testing.T) {
	r := decoded(t, &pb.InternalRaftRequest{
		Put:    &pb.PutRequest{Key: []byte("a"), Value: []byte("v"), Lease: 0x70},
		Header: &pb.RequestHeader{AuthRevision: 1<<53 + 1, Username: "alice"}})
	put, _ := fieldsOf(r, Style{})["put"].(map[string]any)
	if put["key"] != "a" || put["value_size"] != int64(1) || put["lease"] != "70" {
		t.Errorf("put %v", put)
	}
	header, _ := fieldsOf(r, Style{})["header"].(map[string]any)
	if header["auth_revision"] != "9007199254740993" {
		t.Errorf("header %v", header)
	}
	if string(r.User()) != "alice" {
		t.Errorf("user %q", r.User())
	}
}
