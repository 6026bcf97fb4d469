package etcdapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/raftctl/raftctl/node"
)

// watchStep is something that happens while a stream of watches is open, and how many responses follow.
type watchStep struct {
	name  string
	r     proto.Message // of another service, answered before the stream is looked at
	watch *pb.WatchRequest
	want  int
}

func create(r *pb.WatchCreateRequest) *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: r}}
}

func cancelWatch(id int64) *pb.WatchRequest {
	r := &pb.WatchCancelRequest{WatchId: id}
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: r}}
}

func progress() *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}}
}

// watchStreams are what happens on streams, one after the other.
var watchStreams = map[string][]watchStep{
	"1 one key": {
		{"created", nil, create(&pb.WatchCreateRequest{Key: []byte("a")}), 1},
		{"put", put("a", "1"), nil, 1},
		{"another key", put("b", "1"), nil, 0},
		{"put again", put("a", "2"), nil, 1},
		{"deleted", del("a", ""), nil, 1},
		{"deleted, not there", del("a", ""), nil, 0},
		{"transaction", &pb.TxnRequest{Success: []*pb.RequestOp{
			{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("a"), Value: []byte("3")}}},
			{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("c"), Value: []byte("3")}}},
		}}, nil, 1},
	},
	"2 ranges, from the past": {
		{"all", nil, create(&pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}, StartRevision: 1}), 2},
		{"no key", nil, create(&pb.WatchCreateRequest{RangeEnd: []byte{0}, StartRevision: 4}), 2},
		{"a range", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), RangeEnd: []byte("b"), StartRevision: 1}), 2},
		{"nothing", nil, create(&pb.WatchCreateRequest{Key: []byte("b"), RangeEnd: []byte("a")}), 1},
		{"the future", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: 1000}), 1},
		{"empty end", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), RangeEnd: []byte{}, StartRevision: 2}), 2},
	},
	"3 previous values and filters": {
		{"previous", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: 2, PrevKv: true}), 2},
		{"no puts", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: 2, PrevKv: true,
			Filters: []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NOPUT}}), 2},
		{"no deletes", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: 2,
			Filters: []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NODELETE}}), 2},
		{"neither", nil, create(&pb.WatchCreateRequest{Key: []byte("a"),
			Filters: []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NODELETE, pb.WatchCreateRequest_NOPUT}}), 1},
		{"deleted", del("a", ""), nil, 2},
	},
	"4 IDs": {
		{"one of its own", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), WatchId: 7}), 1},
		{"the same", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), WatchId: 7}), 1},
		{"none", nil, create(&pb.WatchCreateRequest{Key: []byte("a")}), 1},
		{"none", nil, create(&pb.WatchCreateRequest{Key: []byte("a")}), 1},
		{"cancelled", nil, cancelWatch(7), 1},
		{"cancelled again", nil, cancelWatch(7), 0},
		{"cancelled, never there", nil, cancelWatch(99), 0},
		{"the same again", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), WatchId: 7}), 1},
		{"put", put("a", "9"), nil, 3},
		{"negative", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), WatchId: -1}), 1},
	},
	"5 progress": {
		{"of none", nil, progress(), 0},
		{"created", nil, create(&pb.WatchCreateRequest{Key: []byte("a")}), 1},
		{"created", nil, create(&pb.WatchCreateRequest{Key: []byte("b")}), 1},
		{"of all", nil, progress(), 1},
		{"nothing asked", nil, &pb.WatchRequest{}, 0},
	},
	"6 fragments": {
		{"large", put("f1", strings.Repeat("1", 1_200_000)), nil, 0},
		{"large", put("f2", strings.Repeat("2", 1_200_000)), nil, 0},
		{"large", put("f3", strings.Repeat("3", 700_000)), nil, 0},
		{"small", put("f4", "4"), nil, 0},
		{"in one", nil, create(&pb.WatchCreateRequest{Key: []byte("f"), RangeEnd: []byte("g"), StartRevision: 1}), 2},
		{"in fragments", nil, create(&pb.WatchCreateRequest{
			Key: []byte("f"), RangeEnd: []byte("g"), StartRevision: 1, Fragment: true}), 3},
		{"one event", nil, create(&pb.WatchCreateRequest{Key: []byte("f1"), StartRevision: 1, Fragment: true}), 2},
	},
	"7 compacted": {
		{"before 0", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: -1}), 1},
		{"compacted", &pb.CompactionRequest{Revision: 8, Physical: true}, nil, 0},
		{"from before", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: 2}), 2},
		{"cancelled", nil, cancelWatch(0), 1},
		{"from there", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: 8}), 2},
	},
}

// Watches of a node answer as those of an etcd.
func TestWatchBesideEtcd(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	for _, name := range sortedNames(watchStreams) {
		got, want := ours.watch(t, name, watchStreams[name]), etcds.watch(t, name, watchStreams[name])
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (- etcd, + ours):\n%.4000s", name, diff)
		}
	}
}

func sortedNames(m map[string][]watchStep) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// told are the responses that a step brought.
type told struct {
	Name      string
	Responses []*pb.WatchResponse
}

// watch opens a stream, and takes its steps.
func (s *side) watch(t *testing.T, as string, steps []watchStep) (all []told) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	stream, err := pb.NewWatchClient(s.conn).Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if step.r != nil {
			if _, err := s.do(ctx, step.r, false); err != nil {
				t.Fatalf("%s: %s: %v", as, step.name, err)
			}
		} else if err := stream.Send(step.watch); err != nil {
			t.Fatalf("%s: %s: %v", as, step.name, err)
		}
		all = append(all, told{step.name, receive(t, stream, as+": "+step.name, step.want)})
	}
	return all
}

func receive(t *testing.T, stream pb.Watch_WatchClient, name string, n int) (all []*pb.WatchResponse) {
	t.Helper()
	for range n {
		r, err := stream.Recv()
		if err != nil {
			t.Fatalf("%s: after %d of %d responses: %v", name, len(all), n, err)
		}
		level(r.ProtoReflect())
		for _, e := range r.Events { // a difference of megabytes would take for ever to show
			if len(e.GetKv().GetValue()) > 1000 {
				e.Kv.Value = fmt.Appendf(nil, "%d bytes of %q", len(e.Kv.Value), e.Kv.Value[:1])
			}
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b *pb.WatchResponse) int { return int(a.WatchId - b.WatchId) })
	return all
}

// A watch that asks for it is told that nothing happened, and not when something did.
func TestWatchTellsProgress(t *testing.T) {
	_, endpoint := startNode(t, node.Config{}, Options{ProgressInterval: time.Millisecond})
	s := dial(t, endpoint)
	stream, err := pb.NewWatchClient(s.conn).Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*pb.WatchRequest{
		create(&pb.WatchCreateRequest{Key: []byte("a"), ProgressNotify: true}),
		create(&pb.WatchCreateRequest{Key: []byte("a")}),
	} {
		if err := stream.Send(r); err != nil {
			t.Fatal(err)
		}
	}
	created := 0
	for told := 0; told < 3 || created < 2; {
		r, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if r.Created {
			created++
			continue
		}
		if told++; r.WatchId != 0 || len(r.Events) != 0 || r.Header.Revision != 1 {
			t.Errorf("%v, want progress of watch 0 at revision 1", r)
		}
	}
}

// What several watches get is not changed by one that wants previous values.
func TestWatchPreviousOfOneOnly(t *testing.T) {
	_, endpoint := startNode(t, node.Config{}, Options{})
	s := dial(t, endpoint)
	with := []watchStep{
		{"with", nil, create(&pb.WatchCreateRequest{Key: []byte("a"), PrevKv: true}), 1},
		{"without", nil, create(&pb.WatchCreateRequest{Key: []byte("a")}), 1},
		{"put", put("a", "1"), nil, 2},
		{"put again", put("a", "2"), nil, 2},
	}
	for _, r := range s.watch(t, "", with)[3].Responses {
		if got := r.Events[0].PrevKv != nil; got != (r.WatchId == 0) {
			t.Errorf("watch %d: a previous value: %v", r.WatchId, got)
		}
	}
}

// A client that says no more still gets events.
func TestWatchHalfClosed(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	for _, s := range []*side{ours, etcds} {
		stream, err := pb.NewWatchClient(s.conn).Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(stream.Send(create(&pb.WatchCreateRequest{Key: []byte("a")})), stream.CloseSend()); err != nil {
			t.Fatal(err)
		}
		receive(t, stream, "created", 1)
		if _, err := s.do(t.Context(), put("a", "1"), false); err != nil {
			t.Fatal(err)
		}
		receive(t, stream, "put", 1)
	}
}

// Without a token, and with that of a user who may not read the keys, a watch is refused in etcd's words.
func TestWatchPermissions(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	var got, want []told
	for _, p := range []struct {
		s  *side
		to *[]told
	}{{ours, &got}, {etcds, &want}} {
		p.s.enableUsers(t)
		for _, user := range []string{"", "no token", "root:r", "u:u"} {
			*p.to = append(*p.to, p.s.watchAs(t, user)...)
		}
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(- etcd, + ours):\n%s", diff)
	}
}

// enableUsers makes users root and u; u may read keys from a to b.
func (s *side) enableUsers(t *testing.T) {
	t.Helper()
	for _, r := range []proto.Message{
		&pb.AuthUserAddRequest{Name: "root", Password: "r"}, &pb.AuthUserAddRequest{Name: "u", Password: "u"},
		&pb.AuthRoleAddRequest{Name: "root"}, &pb.AuthRoleAddRequest{Name: "reader"},
		&pb.AuthUserGrantRoleRequest{User: "root", Role: "root"}, &pb.AuthUserGrantRoleRequest{User: "u", Role: "reader"},
		&pb.AuthRoleGrantPermissionRequest{Name: "reader", Perm: &authpb.Permission{Key: []byte("a"), RangeEnd: []byte("b")}},
		&pb.AuthEnableRequest{},
	} {
		if _, err := s.do(t.Context(), r, false); err != nil {
			t.Fatalf("%v: %v", r, err)
		}
	}
}

// watchAs asks for several watches as a user.
func (s *side) watchAs(t *testing.T, user string) (all []told) {
	t.Helper()
	stream, err := pb.NewWatchClient(s.conn).Watch(s.as(t, user))
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range [][2]string{{"a", ""}, {"a", "b"}, {"a", "c"}, {"c", ""}, {"a", "\x00"}} {
		r := create(&pb.WatchCreateRequest{Key: []byte(keys[0]), RangeEnd: []byte(keys[1])})
		if err := stream.Send(r); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s watches %q", user, keys)
		all = append(all, told{name, receive(t, stream, name, 1)})
	}
	return all
}

// A stream ends when its node stops, with an error after which clients go on elsewhere.
func TestWatchEndsWithNode(t *testing.T) {
	n, endpoint := startNode(t, node.Config{}, Options{})
	stream, err := pb.NewWatchClient(dial(t, endpoint).conn).Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(create(&pb.WatchCreateRequest{Key: []byte("a")})); err != nil {
		t.Fatal(err)
	}
	receive(t, stream, "created", 1)
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ends with %v, want unavailable", err)
	}
}

// A response is divided so that no part is larger than the limit, unless it has one event, and nothing is lost.
func TestSendFragments(t *testing.T) {
	event := func(size int) *mvccpb.Event {
		return &mvccpb.Event{Kv: &mvccpb.KeyValue{Key: []byte("k"), Value: bytes.Repeat([]byte("v"), size)}}
	}
	for _, tc := range []struct {
		sizes []int
		parts []int // events of each
	}{
		{nil, []int{0}},
		{[]int{2000}, []int{1}},
		{[]int{100, 100}, []int{2}},
		{[]int{600, 600}, []int{1, 1}},
		{[]int{2000, 10, 10}, []int{1, 2}},
		{[]int{10, 2000, 10}, []int{1, 1, 1}},
		{[]int{300, 300, 300, 300, 300}, []int{3, 2}},
	} {
		r := &pb.WatchResponse{WatchId: 3}
		for _, size := range tc.sizes {
			r.Events = append(r.Events, event(size))
		}
		var parts []int
		var all []*mvccpb.Event
		more := true
		err := sendFragments(r, 1000, func(p *pb.WatchResponse) error {
			if !more || len(p.Events) > 1 && proto.Size(p) >= 1000 || p.WatchId != 3 {
				t.Errorf("%v: part of %d events and %d bytes", tc.sizes, len(p.Events), proto.Size(p))
			}
			parts, all, more = append(parts, len(p.Events)), append(all, p.Events...), p.Fragment
			return nil
		})
		if err != nil || more || !slices.Equal(parts, tc.parts) || !slices.Equal(all, r.Events) {
			t.Errorf("%v: parts of %v, want %v; the last says that there are more: %v, %v", tc.sizes, parts, tc.parts, more, err)
		}
	}
}
