package etcdapi

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// countingCodec is gRPC's codec for protobuf, and counts the bytes.
type countingCodec struct {
	encoding.CodecV2
	metrics *metrics
}

func newCodec(m *metrics) encoding.CodecV2 {
	return countingCodec{encoding.GetCodecV2(proto.Name), m}
}

// Marshal implements encoding.CodecV2.
func (c countingCodec) Marshal(v any) (mem.BufferSlice, error) {
	data, err := c.CodecV2.Marshal(v)
	c.metrics.sent.Add(float64(data.Len()))
	return data, err
}

// Unmarshal implements encoding.CodecV2.
func (c countingCodec) Unmarshal(data mem.BufferSlice, v any) error {
	c.metrics.received.Add(float64(data.Len()))
	return c.CodecV2.Unmarshal(data, v)
}
