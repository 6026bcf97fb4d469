package decode

import (
	"bytes"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// putOf returns a put with a value of that size.
func putOf(tb testing.TB, size int) []byte {
	return marshal(tb, &etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: 0xb37aa1fb7d76e501},
		Put: &etcdserverpb.PutRequest{
			Key:   []byte("/registry/pods/kube-system/etcd-control-plane-0"),
			Value: bytes.Repeat([]byte("v"), size),
			Lease: 0x694d7e8d3e0f1a2b,
		},
	})
}

func BenchmarkPut1KiB(b *testing.B) {
	data := putOf(b, 1024)
	for name, style := range map[string]Style{
		"short": {}, "none": {Values: ValuesNone}, "full": {Values: ValuesFull},
	} {
		b.Run(name, func(b *testing.B) {
			var r Request
			var out []byte
			e := normal(data)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Payload(&r, e); err != nil {
					b.Fatal(err)
				}
				out = r.AppendSummary(out[:0], style)
				out = r.AppendJSON(out[:0], style)
			}
		})
	}
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var m etcdserverpb.InternalRaftRequest
			if err := proto.Unmarshal(data, &m); err != nil {
				b.Fatal(err)
			}
			if _, err := protojson.Marshal(&m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeOnly(b *testing.B) {
	var r Request
	e := normal(putOf(b, 1024))
	b.ReportAllocs()
	for b.Loop() {
		if err := Payload(&r, e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTxn(b *testing.B) {
	put := &etcdserverpb.PutRequest{Key: []byte("a"), Value: []byte("b")}
	op := &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: put}}
	data := marshal(b, &etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: 0xb37aa1fb7d76e501},
		Txn: &etcdserverpb.TxnRequest{
			Compare: []*etcdserverpb.Compare{{Key: []byte("a"), Target: etcdserverpb.Compare_MOD,
				TargetUnion: &etcdserverpb.Compare_ModRevision{ModRevision: 7}}},
			Success: []*etcdserverpb.RequestOp{op, op},
		},
	})
	var r Request
	var out []byte
	e := normal(data)
	b.ReportAllocs()
	for b.Loop() {
		if err := Payload(&r, e); err != nil {
			b.Fatal(err)
		}
		out = r.AppendSummary(out[:0], Style{})
		out = r.AppendJSON(out[:0], Style{})
	}
}

// TestNothingIsAllocated holds the common requests to what a dump of a large log needs: no memory
// per entry.
func TestNothingIsAllocated(t *testing.T) {
	requests := map[string][]byte{
		"put":   putOf(t, 1024),
		"lease": marshal(t, &etcdserverpb.InternalRaftRequest{LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: 7}}),
		"v2":    v2Put("/1/a", "b"),
		"text":  []byte("hello, world"),
		"empty": nil,
	}
	for name, data := range requests {
		var r Request
		var out []byte
		e := normal(data)
		n := testing.AllocsPerRun(100, func() {
			if err := Payload(&r, e); err != nil {
				t.Fatal(err)
			}
			out = r.AppendSummary(out[:0], Style{})
			out = r.AppendJSON(out[:0], Style{})
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}
