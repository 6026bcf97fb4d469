package etcdapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// row is a request that is made to a node and to a real etcd, as a user, "name:password". Each gets the rows of a
// table in their order, so that both have the same history.
type row struct {
	name     string
	r        proto.Message
	as       string
	inPieces bool // RangeStream, and not Range
	headers  metadata.MD

	// of makes the request, in place of r, where it differs for the two.
	of func(t *testing.T, s *side) proto.Message
}

// side is one of the two that answer.
type side struct {
	conn   *grpc.ClientConn
	tokens map[string]string // of users
}

func dial(t testing.TB, endpoint string) *side {
	t.Helper()
	return dialWith(t, endpoint, insecure.NewCredentials())
}

func dialWith(t testing.TB, endpoint string, c credentials.TransportCredentials) *side {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:"+endpoint, grpc.WithTransportCredentials(c),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &side{conn: conn, tokens: map[string]string{}}
}

// startNode starts a node with our API, as etcdtest.Quick starts an etcd. It is a cluster by itself, unless cfg says
// something else.
func startNode(t testing.TB, cfg node.Config, o Options) (n *node.Node, endpoint string) {
	t.Helper()
	if cfg.InitialCluster == "" {
		peers := etcdtest.Peers(t, 1)
		cfg.Name, cfg.ListenPeerURLs = peers[0].Name, []string{peers[0].URL}
		cfg.InitialCluster = etcdtest.InitialCluster(peers)
	}
	cfg.DataDir = t.TempDir()
	cfg.Tick, cfg.ElectionTimeout = 20*time.Millisecond, 100*time.Millisecond
	cfg.BcryptCost = 4
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.AdvertiseClientURLs = []string{"http://" + l.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if n, err = node.Start(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	select {
	case <-n.Ready():
	case <-ctx.Done():
		t.Fatal("not ready within a minute")
	}
	server := NewServer(n, o)
	t.Cleanup(server.Stop)
	go func() { _ = server.Serve(l) }()
	return n, l.Addr().String()
}

// sides starts a node and an etcd that have done nothing yet. The test runs beside others: it waits a lot.
func sides(t *testing.T, cfg node.Config, flags ...string) (ours, etcds *side) {
	t.Helper()
	t.Parallel()
	_, endpoint := startNode(t, cfg, Options{})
	flags = append(append(flags, "--name=m1", "--bcrypt-cost=4"), etcdtest.Quick...)
	ours, etcds = dial(t, endpoint), dial(t, etcdtest.Start(t, "3.7", t.TempDir(), flags...).Endpoint)
	ours.awaitVersion(t)
	etcds.awaitVersion(t)
	return ours, etcds
}

// awaitVersion waits until the database says its version: that is written some time after the cluster has one.
func (s *side) awaitVersion(t *testing.T) {
	t.Helper()
	s.await(t, "the database has a version", func(r *pb.StatusResponse) bool { return r.StorageVersion == "3.7.0" })
}

// await waits until a member's status is what it is to become.
func (s *side) await(t *testing.T, what string, is func(*pb.StatusResponse) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		r, err := pb.NewMaintenanceClient(s.conn).Status(ctx, &pb.StatusRequest{})
		if err != nil {
			t.Fatalf("until %s: %v", what, err)
		}
		if is(r) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// compare makes the requests of a table to both, and compares what they answer.
func compare(t *testing.T, ours, etcds *side, table []row) {
	t.Helper()
	for _, row := range table {
		row.check(t, ours.answer(t, row), etcds.answer(t, row))
	}
}

// compareAtOnce is compare for requests that wait long, and whose order is of no meaning.
func compareAtOnce(t *testing.T, ours, etcds *side, table []row) {
	t.Helper()
	var wg sync.WaitGroup
	answers := make([][2]answered, len(table))
	for i, row := range table {
		wg.Go(func() { answers[i][0] = ours.answer(t, row) })
		wg.Go(func() { answers[i][1] = etcds.answer(t, row) })
	}
	wg.Wait()
	for i, row := range table {
		row.check(t, answers[i][0], answers[i][1])
	}
}

func (r *row) check(t *testing.T, got, want answered) {
	t.Helper()
	if got.equal(want) {
		return // cmp takes long over large values
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("%s: %.200v as %q (- etcd, + ours):\n%s", r.name, r.r, r.as, diff)
	}
}

// answered is what came of a request.
type answered struct {
	Status    string
	Responses []proto.Message
}

func (a answered) equal(b answered) bool {
	return a.Status == b.Status && slices.EqualFunc(a.Responses, b.Responses, proto.Equal)
}

func (s *side) answer(t *testing.T, row row) answered {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.as(t, row.as), 30*time.Second)
	defer cancel()
	r := row.r
	if row.of != nil {
		r = row.of(t, s)
	}
	for k, v := range row.headers {
		ctx = metadata.AppendToOutgoingContext(ctx, k, v[0])
	}
	responses, err := s.do(ctx, proto.Clone(r), row.inPieces)
	a := answered{Status: status.Convert(err).Code().String() + ": " + status.Convert(err).Message()}
	for _, r := range responses {
		switch r := r.(type) {
		case interface{ GetMembers() []*pb.Member }: // they come in the order of their IDs
			slices.SortFunc(r.GetMembers(), func(a, b *pb.Member) int { return strings.Compare(b.Name, a.Name) })
		case *pb.LeaseTimeToLiveResponse: // its keys come in any order
			slices.SortFunc(r.Keys, bytes.Compare)
		}
		level(r.ProtoReflect())
		a.Responses = append(a.Responses, r)
	}
	return a
}

// as returns a context that names a user, for whom a token is got first.
func (s *side) as(t *testing.T, user string) context.Context {
	t.Helper()
	name, password, ok := strings.Cut(user, ":")
	if user == "" {
		return t.Context()
	}
	if !ok {
		return metadata.AppendToOutgoingContext(t.Context(), rpctypes.TokenFieldNameGRPC, user) // no one's token
	}
	if s.tokens[name] == "" {
		r, err := pb.NewAuthClient(s.conn).Authenticate(t.Context(), &pb.AuthenticateRequest{Name: name, Password: password})
		if err != nil {
			t.Fatalf("token for %s: %v", name, err)
		}
		s.tokens[name] = r.Token
	}
	return metadata.AppendToOutgoingContext(t.Context(), rpctypes.TokenFieldNameGRPC, s.tokens[name])
}

// do makes a request by the one method that takes it: what comes back, and until when.
func (s *side) do(ctx context.Context, r proto.Message, inPieces bool) (responses []proto.Message, err error) {
	method, output, streams := methodOf(r, inPieces)
	response := func() proto.Message { return output.New().Interface() }
	if !streams {
		m := response()
		if err := s.conn.Invoke(ctx, method, r, m); err != nil {
			return nil, err
		}
		return []proto.Message{m}, nil
	}
	stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(r); err != nil && !errors.Is(err, io.EOF) { // the end is what the first response tells
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	for {
		m := response()
		if err := stream.RecvMsg(m); errors.Is(err, io.EOF) {
			return responses, nil
		} else if err != nil {
			return responses, err
		}
		responses = append(responses, m)
	}
}

// methodOf finds the method whose request this is. There are two for a range.
func methodOf(r proto.Message, inPieces bool) (name string, output protoreflect.MessageType, streams bool) {
	services := pb.File_rpc_proto.Services()
	for i := range services.Len() {
		methods := services.Get(i).Methods()
		for j := range methods.Len() {
			m := methods.Get(j)
			if m.Input() != r.ProtoReflect().Descriptor() || inPieces != (m.Name() == "RangeStream") {
				continue
			}
			output, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
			if err != nil {
				panic(err)
			}
			return fmt.Sprintf("/%s/%s", services.Get(i).FullName(), m.Name()), output, m.IsStreamingServer()
		}
	}
	panic(fmt.Sprintf("no method takes %T", r))
}

// own are fields that differ from one server to the next. That they are set or not is compared.
var own = map[string][]protoreflect.Name{
	"ResponseHeader":          {"cluster_id", "member_id", "raft_term"},
	"Member":                  {"ID", "peerURLs", "clientURLs"},
	"AlarmMember":             {"memberID"},
	"AuthenticateResponse":    {"token"},
	"HashResponse":            {"hash"},
	"LeaseTimeToLiveResponse": {"TTL"},
	"StatusResponse":          {"dbSize", "dbSizeInUse", "leader", "raftIndex", "raftTerm", "raftAppliedIndex"},
}

// level replaces what differs from one server to the next.
func level(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		for _, name := range own[string(m.Descriptor().Name())] {
			if f.Name() == name {
				m.Set(f, leveled(f, v))
			}
		}
		switch {
		case f.Name() == "errors":
			for i := range v.List().Len() {
				text := alarmText.ReplaceAllString(v.List().Get(i).String(), "")
				v.List().Set(i, protoreflect.ValueOfString(text))
			}
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				level(v.List().Get(i).Message())
			}
		case !f.IsList() && !f.IsMap() && f.Message() != nil:
			level(v.Message())
		}
		return true
	})
}

func leveled(f protoreflect.FieldDescriptor, v protoreflect.Value) protoreflect.Value {
	switch {
	case f.IsList():
		v.List().Truncate(min(v.List().Len(), 1))
		v.List().Set(0, protoreflect.ValueOfString("some"))
		return v
	case f.Kind() == protoreflect.StringKind:
		return protoreflect.ValueOfString("some")
	case f.Kind() == protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1)
	case f.Kind() == protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(1)
	}
	return protoreflect.ValueOfInt64(min(v.Int(), 1))
}

// alarmText matches what is of no meaning in the text of an alarm.
var alarmText = regexp.MustCompile(`memberID:\d+ +`)
