package raftpb

import (
	"fmt"
	"slices"
	"testing"

	ref "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

var benchSizes = []int{16, 128, 1024}

func benchEntry(size int) Entry {
	return Entry{Term: 7, Index: 123_456, Data: make([]byte, size)}
}

// benchAppend is a MsgApp with 64 entries, as a leader with proposals waiting sends it.
func benchAppend(size int) Message {
	return Message{
		Type: MsgApp, To: 0x8211f1d0f64f3269, From: 0x91bc3c398fb3c146, Term: 7, LogTerm: 7,
		Index: 123_455, Commit: 123_400, Entries: slices.Repeat([]Entry{benchEntry(size)}, 64),
	}
}

// bench runs fn as a sub-benchmark that handles n bytes a time. Nothing else is measured.
func bench(b *testing.B, name string, n int, fn func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(n))
		for b.Loop() {
			if err := fn(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeEntry(b *testing.B) {
	for _, size := range benchSizes {
		e := benchEntry(size)
		in := e.Marshal(FlavorGogo)
		var ours Entry
		var theirs ref.Entry
		benchDecode(b, fmt.Sprintf("mode=alias/size=%d", size), in, ours.UnmarshalAlias, &theirs)
		name := fmt.Sprintf("mode=copy/size=%d", size)
		benchDecode(b, name, in, ours.Unmarshal, &theirs)
		benchCopy(b, name, make([]byte, size), 1, func() {})
	}
}

func BenchmarkEncodeEntry(b *testing.B) {
	for _, size := range benchSizes {
		e := benchEntry(size)
		benchEncode(b, fmt.Sprintf("size=%d", size), &e)
		benchCopies(b, fmt.Sprintf("size=%d", size), e.Data, 1)
	}
}

func BenchmarkDecodeMsgApp64(b *testing.B) {
	for _, size := range benchSizes {
		m := benchAppend(size)
		in := m.Marshal(FlavorGogo)
		var ours, reused Message
		var theirs ref.Message
		benchDecode(b, fmt.Sprintf("mode=reuse/size=%d", size), in, reused.UnmarshalReuse, &theirs)
		benchDecode(b, fmt.Sprintf("mode=alias/size=%d", size), in, ours.UnmarshalAlias, &theirs)
		name := fmt.Sprintf("mode=copy/size=%d", size)
		benchDecode(b, name, in, ours.Unmarshal, &theirs)
		benchCopy(b, name, make([]byte, size), len(m.Entries), func() { ours.Entries = make([]Entry, len(m.Entries)) })
	}
}

func BenchmarkEncodeMsgApp64(b *testing.B) {
	for _, size := range benchSizes {
		m := benchAppend(size)
		benchEncode(b, fmt.Sprintf("size=%d", size), &m)
		benchCopies(b, fmt.Sprintf("size=%d", size), m.Entries[0].Data, len(m.Entries))
	}
}

// benchDecode measures decode beside the reference, which has but one way to decode.
func benchDecode(b *testing.B, name string, in []byte, ours func([]byte) error, ref proto.Message) {
	bench(b, name+"/impl=ours", len(in), func() error { return ours(in) })
	bench(b, name+"/impl=ref", len(in), func() error { return proto.Unmarshal(in, ref) })
}

// benchEncode measures encoding into a buffer that is used again and into a new one.
func benchEncode(b *testing.B, name string, x codec) {
	theirs := toRef(x, FlavorPbgo)
	size := x.Size(FlavorPbgo)
	buf := make([]byte, 0, size)
	bench(b, "mode=append/"+name+"/impl=ours", size, func() error {
		buf = x.AppendTo(buf[:0], FlavorPbgo)
		return nil
	})
	bench(b, "mode=append/"+name+"/impl=ref", size, func() (err error) {
		buf, err = proto.MarshalOptions{}.MarshalAppend(buf[:0], theirs)
		return err
	})
	bench(b, "mode=new/"+name+"/impl=ours", size, func() error {
		buf = x.Marshal(FlavorPbgo)
		return nil
	})
	bench(b, "mode=new/"+name+"/impl=ref", size, func() (err error) {
		buf, err = proto.Marshal(theirs)
		return err
	})
}

// benchCopies measures what encoding can't do without: the payloads copied into a buffer that is used
// again, and into a new one.
func benchCopies(b *testing.B, name string, data []byte, n int) {
	buf := make([]byte, 0, n*len(data))
	bench(b, "mode=append/"+name+"/impl=copy", n*len(data), func() error {
		buf = buf[:0]
		for range n {
			buf = append(buf, data...)
		}
		return nil
	})
	benchCopy(b, "mode=new/"+name, data, n, func() {})
}

// benchCopy measures the payloads copied into a new buffer, and what else has to be new.
func benchCopy(b *testing.B, name string, data []byte, n int, more func()) {
	var buf []byte
	bench(b, name+"/impl=copy", n*len(data), func() error {
		more()
		buf = make([]byte, 0, n*len(data))
		for range n {
			buf = append(buf, data...)
		}
		return nil
	})
}

func BenchmarkSizeMsgApp64(b *testing.B) {
	m := benchAppend(128)
	theirs := refMessage(&m, FlavorPbgo)
	var n int
	bench(b, "impl=ours", 0, func() error { n = m.Size(FlavorPbgo); return nil })
	bench(b, "impl=ref", 0, func() error { n = proto.Size(theirs); return nil })
	if n == 0 {
		b.Error("size 0")
	}
}
