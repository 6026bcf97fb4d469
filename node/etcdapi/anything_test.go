package etcdapi

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"context"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// chaos makes requests up.
type chaos struct{ *rand.Rand }

// TestAnythingBesideEtcd makes requests of any content by every method but Watch, and compares what comes of them:
// nothing ends a member, and all that it answers is what etcd answers.
func TestAnythingBesideEtcd(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	c := chaos{rand.New(rand.NewPCG(14, 4))}
	var table []row
	for i := range etcdtest.Looks(t, 3) * 500 {
		method := c.method()
		if method.Name() == "Watch" || method.Name() == "AuthEnable" || method.Name() == "Snapshot" {
			continue
		}
		r := c.message(method.Input(), 3)
		tame(r, c)
		table = append(table, row{name: fmt.Sprint("number ", i, " ", method.Name()), r: r, inPieces: method.Name() == "RangeStream"})
	}
	compare(t, ours, etcds, append(table, row{name: "what is left", r: get("", all)}, row{name: "its hash", r: &pb.HashKVRequest{}}))
}

// TestNoMessageBesideEtcd sends bytes that are no request, or not the one that they were.
func TestNoMessageBesideEtcd(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	c := chaos{rand.New(rand.NewPCG(14, 5))}
	refused := 0
	for range etcdtest.Looks(t, 3) * 300 {
		method := c.method()
		body := c.garbage(method)
		got, want := ours.raw(t, method, body), etcds.raw(t, method, body)
		if got != want {
			t.Errorf("%s of %x: %q, want %q", method.Name(), body, got, want)
		}
		if strings.Contains(want, "unmarshal") {
			refused++
		}
	}
	if refused < 100 {
		t.Errorf("%d were no requests: that tells little", refused)
	}
	compare(t, ours, etcds, []row{{name: "what is left", r: get("", all)}, {name: "its hash", r: &pb.HashKVRequest{}}})
}

// method chooses a method of etcd's API.
func (c chaos) method() protoreflect.MethodDescriptor {
	services := pb.File_rpc_proto.Services()
	for {
		methods := services.Get(c.IntN(services.Len())).Methods()
		if m := methods.Get(c.IntN(methods.Len())); !strings.HasPrefix(string(m.Name()), "AuthEnable") {
			return m
		}
	}
}

// message makes a message up, that holds others down to a depth.
func (c chaos) message(d protoreflect.MessageDescriptor, depth int) proto.Message {
	t, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		panic(err)
	}
	m := t.New()
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if c.IntN(5) < 2 || f.IsMap() || f.Message() != nil && depth == 0 {
			continue
		}
		if !f.IsList() {
			m.Set(f, c.value(f, depth))
			continue
		}
		list := m.Mutable(f).List()
		for range c.IntN(4) {
			list.Append(c.value(f, depth))
		}
	}
	return m.Interface()
}

// value makes a value of a field up: mostly one of few, so that requests have to do with each other.
func (c chaos) value(f protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	number := []int64{0, 1, 2, 3, 5, 10, -1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}[c.IntN(11)]
	text := []string{"", "a", "b", "c", "d", "\x00", "root", "http://127.0.0.1:1", "3.6.0", "3.7.0", strings.Repeat("x", 1000)}[c.IntN(11)]
	switch f.Kind() {
	case protoreflect.MessageKind:
		return protoreflect.ValueOfMessage(c.message(f.Message(), depth-1).ProtoReflect())
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(c.IntN(2) == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(c.IntN(f.Enum().Values().Len()+2) - 1))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(text))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(number)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(uint64(number))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(number))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(number))
	}
	panic(f.Kind())
}

// tame takes out of a request what would differ by time or chance, or take the quorum away.
func tame(r proto.Message, c chaos) {
	switch r := r.(type) {
	case *pb.MemberAddRequest:
		r.IsLearner = true
	case *pb.CompactionRequest:
		r.Revision = max(r.Revision, 1) // 0 makes etcd forget how to hash
	case *pb.LeaseGrantRequest:
		r.ID, r.TTL = 1+c.Int64N(5), []int64{9000, 100000, math.MaxInt64}[c.IntN(3)]
	case *pb.AlarmRequest:
		if r.Action != pb.AlarmRequest_GET { // an action that it doesn't know ends etcd
			r.Action = pb.AlarmRequest_DEACTIVATE
		}
	case *pb.DowngradeRequest:
		r.Action = pb.DowngradeRequest_VALIDATE
	}
}

// garbage makes bytes up that are a request of a method with something wrong, or nothing at all. Of requests that must
// be tamed it is only what can't be read.
func (c chaos) garbage(method protoreflect.MethodDescriptor) []byte {
	switch method.Name() {
	case "MemberAdd", "LeaseGrant", "Alarm", "Downgrade", "AuthEnable", "Watch", "Snapshot", "Compact":
		return []byte{0x0a, 0xff, 0xff, byte(c.Uint32())}
	}
	body, err := proto.Marshal(c.message(method.Input(), 2))
	if err != nil {
		panic(err)
	}
	body = append(body, []byte("\xfa\x01")[:c.IntN(3)]...)
	for range c.IntN(3) {
		if len(body) > 0 {
			body[c.IntN(len(body))] = byte(c.Uint32())
		}
	}
	return body[:c.IntN(len(body)+1)]
}

// bytesCodec sends bytes as they are, and reads nothing.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error)   { return v.([]byte), nil }
func (bytesCodec) Unmarshal(_ []byte, _ any) error { return nil }
func (bytesCodec) Name() string                    { return "proto" }

// raw sends bytes to a method, and returns the status that is answered.
func (s *side) raw(t *testing.T, m protoreflect.MethodDescriptor, body []byte) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	name := fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name())
	err := func() error {
		stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, name, grpc.ForceCodec(bytesCodec{}))
		if err != nil {
			return err
		}
		_ = stream.SendMsg(body) // what ends it is what is received
		_ = stream.CloseSend()
		for err == nil {
			err = stream.RecvMsg(nil)
		}
		return err
	}()
	got := status.Convert(err)
	return got.Code().String() + ": " + strings.ReplaceAll(got.Message(), "\u00a0", " ")
}
