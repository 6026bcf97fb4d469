package stream

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// benchAppend is a MsgApp with 64 entries, as a leader with proposals waiting sends it.
func benchAppend(size int) raftpb.Message {
	m := raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 7, LogTerm: 7, Index: 1000, Commit: 990}
	for i := range 64 {
		m.Entries = append(m.Entries, raftpb.Entry{Term: 7, Index: 1001 + uint64(i), Data: make([]byte, size)})
	}
	return m
}

// A short frame costs about what copying its payload costs.
func BenchmarkWriteAppend(b *testing.B) {
	for _, size := range []int{16, 1024} {
		m := benchAppend(size)
		w := NewAppendWriter(io.Discard, testLink, raftpb.FlavorGogo)
		bench(b, size, func() {
			w.state = raftpb.EntryID{Term: m.Term, Index: m.Index}
			if err := w.Write(&m); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkReadAppend(b *testing.B) {
	for _, size := range []int{16, 1024} {
		m := benchAppend(size)
		whole := appendBytes(b, raftpb.FlavorGogo, []raftpb.Message{m})
		src := bytes.NewReader(whole)
		r := NewAppendReader(src, testLink)
		bench(b, size, func() {
			src.Reset(whole)
			var got raftpb.Message
			if err := r.Read(&got); err != nil || len(got.Entries) != 64 {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	m := goldenBeat()
	whole := slices.Repeat(messageBytes(b, raftpb.FlavorGogo, []raftpb.Message{m}), 64)
	b.Run("write", func(b *testing.B) {
		w := NewMessageWriter(io.Discard, raftpb.FlavorGogo)
		b.ReportAllocs()
		for b.Loop() {
			if err := w.Write(&m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		src := bytes.NewReader(nil)
		r := NewMessageReader(src)
		b.ReportAllocs()
		for b.Loop() {
			if src.Len() == 0 {
				src.Reset(whole)
			}
			var got raftpb.Message
			if err := r.Read(&got); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// bench runs fn, which handles 64 entries with data of a size.
func bench(b *testing.B, size int, fn func()) {
	b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(64 * size))
		for b.Loop() {
			fn()
		}
	})
}
