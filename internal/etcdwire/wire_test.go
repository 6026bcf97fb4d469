package etcdwire_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	etcdpb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	etcdraftpb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/etcdwire"
)

// mutate damages b in one of the ways that tell decoders apart.
func mutate(rng *rand.Rand, b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + rng.IntN(3) {
		switch i := rng.IntN(len(b)); rng.IntN(3) {
		case 0:
			b[i] ^= 1 << rng.IntN(8)
		case 1:
			b[i] = byte(rng.Uint32())
		case 2:
			if i > 0 {
				b = b[:i]
			}
		}
	}
	return b
}

// What the google decoder makes of damaged messages is compared with the library itself, on the
// messages of etcd 3.7.
func TestGoogleDecodesAsTheLibrary(t *testing.T) {
	conf := &etcdraftpb.ConfState{Voters: []uint64{1, 300}, Learners: []uint64{7}}
	tests := map[string]struct {
		from, into proto.Message
		msg        *etcdwire.Message
	}{
		"entry": {&etcdraftpb.Entry{Term: new(uint64(9)), Index: new(uint64(300)), Data: []byte("abc")},
			new(etcdraftpb.Entry), &etcdwire.Entry},
		"state": {&etcdraftpb.HardState{Term: new(uint64(9)), Commit: new(uint64(300))},
			new(etcdraftpb.HardState), &etcdwire.HardState},
		"snapshot": {&walpb.Snapshot{Index: new(uint64(9)), Term: new(uint64(2)), ConfState: conf},
			new(walpb.Snapshot), &etcdwire.Snapshot},
		"metadata": {&etcdpb.Metadata{NodeID: new(uint64(9)), ClusterID: new(uint64(1 << 60))},
			new(etcdpb.Metadata), &etcdwire.Metadata},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, tt := range tests {
		b, err := proto.Marshal(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		faults := 0
		for range 20_000 {
			damaged := mutate(rng, b)
			want := ""
			if err := proto.Unmarshal(damaged, tt.into); err != nil {
				want = strings.ReplaceAll(err.Error(), "\u00a0", " ")
				faults++
			}
			got := ""
			if fault := tt.msg.Check(damaged, etcdwire.Google); fault != nil {
				got = fault.Text
			}
			if got != want {
				t.Fatalf("%s %x: %q, the library says %q", name, damaged, got, want)
			}
		}
		if faults == 0 || faults == 20_000 {
			t.Errorf("%s: %d faults: the test shows nothing", name, faults)
		}
	}
}

func TestDecodersDiffer(t *testing.T) {
	nested := &etcdwire.Message{Name: "Header", Fields: []etcdwire.Field{
		{Num: 2, Name: "Username", Type: protowire.BytesType, UTF8: true}}}
	m := &etcdwire.Message{Name: "Request", Fields: []etcdwire.Field{
		{Num: 1, Name: "ID"},
		{Num: 100, Name: "Header", Type: protowire.BytesType, Sub: nested}}}
	const google = "proto: cannot parse invalid wire-format data"
	tests := map[string]struct {
		b            string
		gogo, google string
		torn         bool
	}{
		"good":                 {"\x08\x05\xa2\x06\x03\x12\x01a", "", "", false},
		"unknown field":        {"\x08\x05\x12\x01a", "", "", false},
		"known, wrong type":    {"\x0a\x01a", "proto: wrong wireType = 2 for field ID", "", false},
		"cut":                  {"\x08", "unexpected EOF", google, true},
		"cut within":           {"\xa2\x06\x05\x12\x01a", "unexpected EOF", google, true},
		"nested, cut":          {"\xa2\x06\x03\x12\x02a", "unexpected EOF", google, true},
		"nested, wrong type":   {"\xa2\x06\x02\x10\x01", "proto: wrong wireType = 0 for field Username", "", false},
		"not UTF-8":            {"\xa2\x06\x03\x12\x01\xff", "", "string field contains invalid UTF-8", false},
		"end group":            {"\x0c", "proto: Request: wiretype end group for non-group", google, false},
		"field 0":              {"\x00\x01", "proto: Request: illegal tag 0 (wire type 0)", google, false},
		"wire type 7":          {"\x17", "proto: illegal wireType 7", google, false},
		"overflowing a number": {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "proto: integer overflow", google, false},
	}
	for name, tt := range tests {
		for d, want := range map[etcdwire.Decoder]string{etcdwire.Gogo: tt.gogo, etcdwire.Google: tt.google} {
			fault := m.Check([]byte(tt.b), d)
			if fault == nil {
				fault = &etcdwire.Fault{}
			}
			if fault.Text != want || fault.Torn != (tt.torn && d == etcdwire.Gogo) {
				t.Errorf("%s, decoder %d: %+v, want %q", name, d, *fault, want)
			}
		}
	}
}

// A message within a message within a message must not exhaust the stack.
func TestDepthIsBounded(t *testing.T) {
	m := &etcdwire.Message{Name: "Txn"}
	m.Fields = []etcdwire.Field{{Num: 1, Name: "Txn", Type: protowire.BytesType, Sub: m}}
	var b []byte
	for range 20_000 {
		b = append(protowire.AppendVarint([]byte{0x0a}, uint64(len(b))), b...)
	}
	if fault := m.Check(b, etcdwire.Google); fault == nil || !strings.Contains(fault.Text, "depth") {
		t.Errorf("google: %+v, want a fault about the depth", fault)
	}
	if fault := m.Check(b, etcdwire.Gogo); fault != nil {
		t.Errorf("gogo: %+v, want none", fault)
	}
}
