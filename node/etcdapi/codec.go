package etcdapi

import (
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// countingCodec is gRPC's codec for protobuf, and counts the bytes.
type countingCodec struct {
	encoding.CodecV2
	metrics *metrics
}

func newCodec(m *metrics) encoding.CodecV2 {
	return countingCodec{encoding.GetCodecV2(grpcproto.Name), m}
}

// maxPooled is up to which size in bytes a message gets a buffer of gRPC's. The next larger one has 1 MiB, which it would
// keep for as long as its client doesn't read.
const maxPooled = 32 << 10

// Marshal implements encoding.CodecV2.
func (c countingCodec) Marshal(v any) (data mem.BufferSlice, err error) {
	if m, ok := v.(proto.Message); ok && proto.Size(m) > maxPooled {
		var b []byte
		b, err = proto.Marshal(m)
		data = mem.BufferSlice{mem.SliceBuffer(b)}
	} else {
		data, err = c.CodecV2.Marshal(v)
	}
	c.metrics.sent.Add(float64(data.Len()))
	return data, err
}

// Unmarshal implements encoding.CodecV2.
func (c countingCodec) Unmarshal(data mem.BufferSlice, v any) error {
	c.metrics.received.Add(float64(data.Len()))
	return c.CodecV2.Unmarshal(data, v)
}
