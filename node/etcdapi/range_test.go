package etcdapi

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/node"
)

// TestPiecesFit streams keys that are small beside a request, large, and small again: pieces grow and shrink.
func TestPiecesFit(t *testing.T) {
	ours, etcds := sides(t, node.Config{MaxRequestBytes: 1000}, "--max-request-bytes=1000")
	var table []row
	for i := range 120 {
		size := 1
		if i >= 40 && i < 80 {
			size = 900
		}
		r := put(fmt.Sprintf("k%03d", i), string(bytes.Repeat([]byte("v"), size)))
		table = append(table, row{name: "put", r: r})
	}
	compare(t, ours, etcds, append(table,
		row{name: "too large", r: put("k", string(make([]byte, 1000)))},
		row{name: "all", r: get("", all), inPieces: true},
		row{name: "some", r: get("", all, limit(60)), inPieces: true},
	))
}

// TestPiecesAreOfOneRevision writes while a stream is read, behind what was read.
func TestPiecesAreOfOneRevision(t *testing.T) {
	t.Parallel()
	_, endpoint := startNode(t, node.Config{}, Options{})
	s := dial(t, endpoint)
	value := string(make([]byte, 100<<10)) // more than a connection takes before anybody reads
	for i := range 60 {
		s.answer(t, row{r: put(fmt.Sprintf("k%02d", i), value)})
	}
	want, err := s.do(t.Context(), get("", all), false)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := pb.NewKVClient(s.conn).RangeStream(t.Context(), get("", all))
	if err != nil {
		t.Fatal(err)
	}
	got := &pb.RangeResponse{}
	for pieces := 0; ; pieces++ {
		p, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		proto.Merge(got, p.RangeResponse)
		if pieces == 0 {
			for _, r := range []proto.Message{put("k58", "new"), put("k99", "new"), del("k59", "")} {
				s.answer(t, row{r: r})
			}
		}
	}
	if !proto.Equal(got, want[0]) {
		t.Errorf("%d of %d keys at revision %d, want %d as before",
			len(got.Kvs), got.Count, got.Header.GetRevision(), want[0].(*pb.RangeResponse).Count)
	}
}
