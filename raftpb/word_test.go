package raftpb

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// TestEveryWayToEncode encodes entries around every limit of the short way into buffers of every
// capacity around what they need, and compares it with the long way, field by field.
func TestEveryWayToEncode(t *testing.T) {
	numbers := []uint64{0, 1, 0x7f, 0x80, max14, max14 + 1, 1<<21 - 1, 1 << 21, max28, max28 + 1, math.MaxUint64}
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<11)
	for _, size := range []int{-1, 0, 1, 7, 8, 9, 127, 128, max14 - 17, max14 - 16, max14 - 15, max14, max14 + 1} {
		for _, term := range numbers {
			for _, index := range numbers {
				for typ := EntryNormal; typ <= EntryConfChangeV2; typ++ {
					e := Entry{Type: typ, Term: term, Index: index}
					if size >= 0 {
						e.Data = data[:size]
					}
					testEveryWay(t, &e)
				}
			}
		}
	}
}

// TestLongFields encodes varint fields of nine and ten bytes, into buffers with and without room for the
// short way.
func TestLongFields(t *testing.T) {
	for _, v := range []uint64{1<<56 - 1, 1 << 56, 1<<56 | 0x7f, 0x8211f1d0f64f3269, 1<<63 - 1, 1 << 63, math.MaxUint64} {
		want := protowire.AppendVarint([]byte("kept\x10"), v)
		for _, spare := range []int{-1, 0, 1, 8} {
			got := appendUint(roomFor(len(want)+spare), tagMessageTo, v, false)
			sameBytes(t, &Entry{Index: v}, got, want, spare)
		}
	}
}

func testEveryWay(t *testing.T, e *Entry) {
	t.Helper()
	for _, f := range []Flavor{FlavorGogo, FlavorPbgo} {
		want := e.appendFields([]byte("kept"), f)
		field := appendBytes([]byte("kept"), tagMessageEntries, want[len("kept"):])
		for _, spare := range []int{-1, 0, 1, 8} {
			got := e.AppendTo(roomFor(len(want)+spare), f)
			sameBytes(t, e, got, want, spare)
			got = appendEntries(roomFor(len(field)+spare), []Entry{*e}, f)
			sameBytes(t, e, got, field, spare)
		}
	}
}

// roomFor returns a buffer that holds a word, and whose capacity is filled with dots.
func roomFor(size int) []byte {
	b := bytes.Repeat([]byte("."), max(size, len("kept")))
	copy(b, "kept")
	return slices.Clip(b)[:len("kept")]
}

// sameBytes checks what was encoded, and that nothing was written behind it.
func sameBytes(t *testing.T, e *Entry, got, want []byte, spare int) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%v with %d bytes of data and %d to spare:\n got %x\nwant %x",
			e.ID(), len(e.Data), spare, got, want)
	}
	if rest := got[len(got) : len(got)+max(spare, 0)]; len(bytes.Trim(rest, ".")) > 0 {
		t.Fatalf("%v with %d bytes of data: %q written behind it", e.ID(), len(e.Data), rest)
	}
}
