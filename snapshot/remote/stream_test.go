package remote_test

import (
	"bytes"
	"crypto/sha256"
	"net"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"github.com/raftctl/raftctl/snapshot/remote"
)

// liar is a server that streams what a test says.
type liar struct {
	pb.UnimplementedMaintenanceServer
	messages []*pb.SnapshotResponse
	forever  bool // it goes on with empty messages
}

func (l *liar) Snapshot(_ *pb.SnapshotRequest, s grpc.ServerStreamingServer[pb.SnapshotResponse]) error {
	for _, m := range l.messages {
		if err := s.Send(m); err != nil {
			return err
		}
	}
	for l.forever {
		if err := s.Send(&pb.SnapshotResponse{}); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func (l *liar) start(t *testing.T) (endpoint string) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterMaintenanceServer(s, l)
	go func() { _ = s.Serve(lis) }() // ends with Stop
	t.Cleanup(s.Stop)
	return lis.Addr().String()
}

// A stream that ends without an error of the server's is checked all the same.
func TestStreamIsChecked(t *testing.T) {
	data := bytes.Repeat([]byte("page"), 1024)
	sum := sha256.Sum256(data)
	other := sha256.Sum256(nil)
	part := func(b []byte, rest int) *pb.SnapshotResponse {
		return &pb.SnapshotResponse{Blob: b, RemainingBytes: uint64(rest)}
	}
	first, second := part(data[:1000], len(data)-1000), part(data[1000:], 0)
	for name, tc := range map[string]struct {
		liar liar
		text string
	}{
		"whole":             {liar{messages: []*pb.SnapshotResponse{first, second, part(sum[:], 0)}}, ""},
		"sum in two":        {liar{messages: []*pb.SnapshotResponse{first, second, part(sum[:9], 0), part(sum[9:], 0)}}, ""},
		"sum with the data": {liar{messages: []*pb.SnapshotResponse{first, part(append(data[1000:len(data):len(data)], sum[:]...), 0)}}, ""},
		"nothing":           {liar{}, "the stream ends after 0 of"},
		"no second part":    {liar{messages: []*pb.SnapshotResponse{first}}, "the stream ends after 1000 of 4128 bytes"},
		"part missing":      {liar{messages: []*pb.SnapshotResponse{first, part(sum[:], 0)}}, "the stream ends after 1032 of 4128 bytes"},
		"no sum":            {liar{messages: []*pb.SnapshotResponse{first, second}}, "the stream ends after 4096 of 4128 bytes"},
		"wrong sum":         {liar{messages: []*pb.SnapshotResponse{first, second, part(other[:], 0)}}, "sha256 "},
		"more":              {liar{messages: []*pb.SnapshotResponse{first, second, second, part(sum[:], 0)}}, "more than the 4096 bytes"},
		"one byte more":     {liar{messages: []*pb.SnapshotResponse{first, second, part(sum[:], 0), part(sum[:1], 0)}}, "more than"},
		"too large":         {liar{messages: []*pb.SnapshotResponse{{RemainingBytes: 1 << 63}}}, "bytes is announced"},
		"empty for ever":    {liar{messages: []*pb.SnapshotResponse{first}, forever: true}, "no answer within 100ms"},
		"never any":         {liar{forever: true}, "no answer within 100ms"},
	} {
		config := patient(tc.liar.start(t))
		config.StallTimeout = 100 * time.Millisecond
		if tc.text == "" {
			config.StallTimeout = time.Minute
		}
		var b bytes.Buffer
		snap, err := dial(t, config).Snapshot(t.Context(), &b, nil)
		switch {
		case tc.text == "" && (err != nil || snap.SHA256 != sum || !bytes.Equal(b.Bytes(), append(data[:len(data):len(data)], sum[:]...))):
			t.Errorf("%s: %v, %d bytes", name, err, b.Len())
		case tc.text != "" && (err == nil || !strings.Contains(err.Error(), tc.text)):
			t.Errorf("%s: error %v, want %q", name, err, tc.text)
		}
	}
}

// Keys and hashes are not what every server has.
func TestServerWithoutKeys(t *testing.T) {
	c := dial(t, patient((&liar{}).start(t)))
	_, err := first(c.Keys(t.Context(), remote.Query{}))
	wantError(t, err, nil, "unknown service")
	_, err = c.HashKV(t.Context(), 0)
	wantError(t, err, nil, "not implemented")
	_, err = c.Status(t.Context())
	wantError(t, err, nil, "not implemented")
}
