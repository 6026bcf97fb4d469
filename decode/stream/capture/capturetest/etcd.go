package capturetest

import (
	"bytes"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// The members of captures: M1 leads.
const (
	M1 = 0x8e9e05c52164694d
	M2 = 0xb0
	M3 = 0xa3
)

// StreamRequest is the head of a request for a stream, by which dialer asks the member to.
func StreamRequest(c wire.Channel, dialer, to uint64) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 10.0.0.1:2380\r\nUser-Agent: Go-http-client/1.1\r\nX-Etcd-Cluster-Id: cdf818194e3a8c32\r\n"+
		"X-Min-Cluster-Version: 3.0.0\r\nX-Peerurls: http://10.0.0.3:2380\r\nX-Raft-To: %x\r\nX-Server-From: %x\r\n"+
		"X-Server-Version: 3.6.16\r\nAccept-Encoding: gzip\r\n\r\n", c.Path(dialer), to, dialer)
}

// StreamResponse is the head of the response.
const StreamResponse = "HTTP/1.1 200 OK\r\nX-Etcd-Cluster-Id: cdf818194e3a8c32\r\nX-Server-Version: 3.6.16\r\n" +
	"Date: Sun, 29 Nov 2026 12:04:05 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"

// Chunk returns a chunk of HTTP.
func Chunk(b []byte) []byte {
	return append(append(fmt.Appendf(nil, "%x\r\n", len(b)), b...), "\r\n"...)
}

// Chunks returns bytes as chunks of a size.
func Chunks(b []byte, size int) (out []byte) {
	for len(b) > 0 {
		n := min(size, len(b))
		out = append(out, Chunk(b[:n])...)
		b = b[n:]
	}
	return out
}

// Frames returns messages as frames of a stream from one member to another, which is at its beginning.
func Frames(c wire.Channel, f raftpb.Flavor, link wire.Link, messages []raftpb.Message) (frames [][]byte, err error) {
	var out bytes.Buffer
	w := interface{ Write(*raftpb.Message) error }(wire.NewMessageWriter(&out, f))
	if c == wire.ChannelAppend {
		w = wire.NewAppendWriter(&out, link, f)
	}
	for i := range messages {
		if err := w.Write(&messages[i]); err != nil {
			return nil, err
		}
		frames = append(frames, bytes.Clone(out.Bytes()))
		out.Reset()
	}
	return frames, nil
}

// Put returns the data of an entry that puts a key.
func Put(key, value string) []byte {
	put := append([]byte{0x0a, byte(len(key))}, key...)
	put = append(appendLen(append(put, 0x12), len(value)), value...)
	return append(appendLen([]byte{0x22}, len(put)), put...)
}

func appendLen(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// Appends returns n messages by which M1 sends M3 entries of term 4, one each, from an index on.
func Appends(n int, index uint64, value string) (list []raftpb.Message) {
	for i := range uint64(n) {
		list = append(list, raftpb.Message{
			Type: raftpb.MsgApp, From: M1, To: M3, Term: 4, LogTerm: 4, Index: index + i - 1, Commit: index + i - 2,
			Entries: []raftpb.Entry{{Term: 4, Index: index + i, Data: Put(fmt.Sprintf("/registry/pods/%d", i), value)}},
		})
	}
	return list
}
