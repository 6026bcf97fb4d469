package raftpb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestAccepts(t *testing.T) {
	tests := []struct {
		name, kind, in string
		want           codec
	}{
		{"nothing", "Entry", "", &Entry{}},
		{"the last scalar wins", "Entry", "10 01 10 02 18 05 10 03", &Entry{Term: 3, Index: 5}},
		{"the last bytes win", "Entry", "22 01 61 22 02 62 63", &Entry{Data: []byte("bc")}},
		{"present but empty bytes", "Entry", "22 00", &Entry{Data: []byte{}}},
		{"descending order", "Entry", "22 01 61 18 05 10 03 08 01",
			&Entry{Type: 1, Term: 3, Index: 5, Data: []byte("a")}},
		{"long varints", "Entry", "08 81 00 90 00 83 80 80 00 18 85 80 80 80 80 80 80 80 80 00",
			&Entry{Type: 1, Term: 3, Index: 5}},
		{"all bits", "Entry", "10 ff ff ff ff ff ff ff ff ff 01", &Entry{Term: 1<<64 - 1}},
		{"negative enum", "Entry", "08 ff ff ff ff ff ff ff ff ff 01", &Entry{Type: -1}},
		{"enum of more than 32 bits", "Entry", "08 81 80 80 80 10", &Entry{Type: 1}},
		{"unknown varint", "Entry", "28 96 01 10 03", &Entry{Term: 3}},
		{"unknown fixed64", "Entry", "29 01 02 03 04 05 06 07 08 10 03", &Entry{Term: 3}},
		{"unknown bytes", "Entry", "2a 02 10 07 10 03", &Entry{Term: 3}},
		{"unknown group", "Entry", "2b 08 01 33 34 2c 10 03", &Entry{Term: 3}},
		{"unknown fixed32", "Entry", "2d 01 02 03 04 10 03", &Entry{Term: 3}},
		{"highest field number", "Entry", "f8 ff ff ff 0f 01 10 03", &Entry{Term: 3}},
		{"packed list", "ConfState", "0a 03 01 96 01", &ConfState{Voters: []uint64{1, 150}}},
		{"mixed list", "ConfState", "08 01 0a 02 02 03 10 09 08 04",
			&ConfState{Voters: []uint64{1, 2, 3, 4}, Learners: []uint64{9}}},
		{"empty packed list", "ConfState", "0a 00 28 01", &ConfState{AutoLeave: true}},
		{"bool above one", "ConfState", "28 02", &ConfState{AutoLeave: true}},
		{"embedded messages merge", "Snapshot", "12 06 0a 02 08 01 10 07 12 06 0a 02 08 02 18 03",
			&Snapshot{Metadata: SnapshotMetadata{
				ConfState: ConfState{Voters: []uint64{1, 2}}, Index: 7, Term: 3}}},
		{"snapshots of a message merge", "Message", "4a 03 0a 01 61 08 03 4a 04 12 02 10 07",
			&Message{Type: MsgApp, Snapshot: &Snapshot{
				Data: []byte("a"), Metadata: SnapshotMetadata{Index: 7}}}},
		{"empty snapshot of etcd 3.5", "Message", "08 03 4a 0a 12 08 0a 02 28 00 10 00 18 00",
			&Message{Type: MsgApp, Snapshot: &Snapshot{}}},
		{"list elements don't merge", "Message", "3a 02 10 01 40 07 3a 02 18 02",
			&Message{Commit: 7, Entries: []Entry{{Term: 1}, {Index: 2}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, in := kindOf(tt.kind), unhex(t, tt.in)
			got := k.ours()
			if err := got.Unmarshal(in); err != nil {
				t.Fatal(err)
			}
			if diff := diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if err := agree(k, in); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	tests := []struct {
		name, kind, in string
		err            string
		cut            bool // bytes are missing at the end
	}{
		{"cut tag", "Entry", "10 03 80", "Entry: offset 2: field is cut off: unexpected EOF", true},
		{"cut varint", "Entry", "10 03 18 80",
			"Entry.Index: offset 2: field is cut off: unexpected EOF", true},
		{"missing varint", "Entry", "10", "Entry.Term: offset 0: field is cut off: unexpected EOF", true},
		{"missing bytes", "Entry", "10 03 22 05 61 62",
			"Entry.Data: offset 2: length 5, but 2 bytes remain: unexpected EOF", true},
		{"length of 2^56", "Entry", "22 80 80 80 80 80 80 80 80 01 61",
			"Entry.Data: offset 0: length 72057594037927936, but 1 bytes remain: unexpected EOF", true},
		{"length of 2^64-1", "Entry", "22 ff ff ff ff ff ff ff ff ff 01 61",
			"Entry.Data: offset 0: length 18446744073709551615, but 1 bytes remain: unexpected EOF", true},
		{"varint of 65 bits", "Entry", "10 80 80 80 80 80 80 80 80 80 02",
			"Entry.Term: offset 0: varint exceeds 64 bits", false},
		{"varint of 11 bytes", "Entry", "10 80 80 80 80 80 80 80 80 80 80 00",
			"Entry.Term: offset 0: varint exceeds 64 bits", false},
		{"bytes as a varint", "Entry", "10 03 20 01", "Entry.Data: offset 2: wire type 0, want 2", false},
		{"varint as bytes", "Entry", "12 01 03", "Entry.Term: offset 0: wire type 2, want 0", false},
		{"varint as fixed64", "Entry", "11 01 02 03 04 05 06 07 08",
			"Entry.Term: offset 0: wire type 1, want 0", false},
		{"list as fixed32", "ConfState", "0d 01 02 03 04",
			"ConfState.voters: offset 0: wire type 5, want 0", false},
		{"bool as a packed list", "ConfState", "2a 01 01",
			"ConfState.auto_leave: offset 0: wire type 2, want 0", false},
		{"field number 0", "Entry", "00 01",
			"Entry: offset 0: field number 0, want 1 to 536870911", false},
		{"field number 2^29", "Entry", "80 80 80 80 10 01",
			"Entry: offset 0: field number 536870912, want 1 to 536870911", false},
		{"wire type 6", "Entry", "2e", "Entry: offset 0: wire type 6, want 0 to 5", false},
		{"end of no group", "Entry", "10 03 2c",
			"Entry: offset 2: end of a group that was not begun", false},
		{"group with another's end", "Entry", "2b 34", "Entry: offset 0: malformed group", false},
		{"group without end", "Entry", "2b 10 03",
			"Entry: offset 0: field is cut off: unexpected EOF", true},
		{"unknown field cut", "Entry", "10 03 2d 01 02",
			"Entry: offset 2: field is cut off: unexpected EOF", true},
		{"packed list cut within", "ConfState", "28 01 0a 02 01 80",
			"ConfState.voters: offset 2: field is cut off: unexpected EOF", true},
		{"within an entry", "Message", "08 03 3a 02 10 01 3a 04 18 01 10 80",
			"Entry.Term: offset 10: field is cut off: unexpected EOF", true},
		{"within a snapshot", "Message", "08 07 4a 06 12 04 0a 02 08 80",
			"ConfState.voters: offset 8: field is cut off: unexpected EOF", true},
		{"within a response", "Message", "08 13 72 04 3a 02 12 00",
			"Entry.Term: offset 6: wire type 2, want 0", false},
		{"within a step", "ConfChangeV2", "12 02 08 00 12 02 10 80",
			"ConfChangeSingle.node_id: offset 6: field is cut off: unexpected EOF", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, in := kindOf(tt.kind), unhex(t, tt.in)
			err := k.ours().Unmarshal(in)
			if err == nil || err.Error() != tt.err {
				t.Errorf("error %v, want %s", err, tt.err)
			}
			if got := errors.Is(err, io.ErrUnexpectedEOF); got != tt.cut {
				t.Errorf("error is io.ErrUnexpectedEOF: %t, want %t", got, tt.cut)
			}
			if err := agree(k, in); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestResponsesNestOnlySoDeep(t *testing.T) {
	nest := func(depth int) []byte {
		m := Message{Type: MsgAppResp}
		for range depth {
			m = Message{Type: MsgStorageAppend, Responses: []Message{m}}
		}
		return m.Marshal(FlavorPbgo)
	}
	var m Message
	if err := m.Unmarshal(nest(maxDepth)); err != nil {
		t.Errorf("depth %d: %v", maxDepth, err)
	}
	var depth depthError
	if err := m.Unmarshal(nest(maxDepth + 1)); !errors.As(err, &depth) {
		t.Errorf("depth %d: error %v, want a depthError", maxDepth+1, err)
	}
}

// Every prefix and every changed byte of an encoding is decoded as the reference decodes it.
func TestDamagedEncodings(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		g := generator(k.name)
		for range 20 {
			x := k.random(g)
			if x.Size(FlavorGogo) > 1000 {
				continue
			}
			for _, f := range []Flavor{FlavorGogo, FlavorPbgo} {
				checkDamage(t, k, x.Marshal(f))
			}
		}
	})
}

func checkDamage(t *testing.T, k kind, b []byte) {
	t.Helper()
	for n := range b {
		if err := agree(k, b[:n:n]); err != nil {
			t.Fatalf("first %d bytes of %x: %v", n, b, err)
		}
		for _, mask := range []byte{0x01, 0x04, 0x80, 0xff} {
			flipped := bytes.Clone(b)
			flipped[n] ^= mask
			if err := agree(k, flipped); err != nil {
				t.Fatalf("%x, flipped at %d: %v", flipped, n, err)
			}
		}
	}
}

// Invariant: decoding n bytes allocates at most amplification*n bytes, plus a constant. The dearest
// field is a response without content, which takes two bytes and stands for a whole Message.
func TestMemoryIsBounded(t *testing.T) {
	const n, amplification, constant = 1 << 16, 256, 4096
	tests := []struct {
		name, kind string
		in         []byte
	}{
		{"empty responses", "Message", bytes.Repeat(unhex(t, "72 00"), n/2)},
		{"empty entries", "Message", bytes.Repeat(unhex(t, "3a 00"), n/2)},
		{"entries apart", "Message", bytes.Repeat(unhex(t, "3a 00 08 00"), n/4)},
		{"responses apart", "Message", bytes.Repeat(unhex(t, "72 00 08 00"), n/4)},
		{"empty snapshots", "Message", bytes.Repeat(unhex(t, "4a 00"), n/2)},
		{"contexts", "Message", bytes.Repeat(unhex(t, "62 01 00"), n/3)},
		{"voters", "ConfState", bytes.Repeat(unhex(t, "08 01"), n/2)},
		{"voters apart", "ConfState", bytes.Repeat(unhex(t, "08 01 28 00"), n/4)},
		{"packed voters", "ConfState", protowire.AppendBytes(unhex(t, "0a"), make([]byte, n))},
		{"packed lists", "ConfState", bytes.Repeat(unhex(t, "0a 01 00"), n/3)},
		{"steps", "ConfChangeV2", bytes.Repeat(unhex(t, "12 00"), n/2)},
		{"unknown groups", "Entry", bytes.Repeat(unhex(t, "2b"), n)},
		{"length of 2^56", "Message", unhex(t, "3a 80 80 80 80 80 80 80 80 01 61")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := kindOf(tt.kind).ours()
			got := allocated(func() { _ = x.Unmarshal(tt.in) })
			if limit := uint64(len(tt.in)*amplification + constant); got > limit {
				t.Errorf("%d bytes allocated for %d, want at most %d", got, len(tt.in), limit)
			}
		})
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAliasingAllocatesNothing(t *testing.T) {
	entry := (&Entry{Term: 3, Index: 7, Data: make([]byte, 1000)}).Marshal(FlavorGogo)
	var e Entry
	if got := testing.AllocsPerRun(100, func() { _ = e.UnmarshalAlias(entry) }); got != 0 {
		t.Errorf("entry: %v allocations, want 0", got)
	}
	m := Message{Type: MsgApp, Entries: slices.Repeat([]Entry{e}, 64)}
	b := m.Marshal(FlavorGogo)
	if got := testing.AllocsPerRun(100, func() { _ = m.UnmarshalReuse(b) }); got != 0 {
		t.Errorf("message, reusing: %v allocations, want 0", got)
	}
	if got := testing.AllocsPerRun(100, func() { _ = m.UnmarshalAlias(b) }); got != 1 {
		t.Errorf("message: %v allocations, want 1, that of the list of entries", got)
	}
	buf := make([]byte, 0, len(b))
	if got := testing.AllocsPerRun(100, func() { _ = m.AppendTo(buf, FlavorGogo) }); got != 0 {
		t.Errorf("encode: %v allocations, want 0", got)
	}
}

func TestAliasesHaveNoRoomToSpare(t *testing.T) {
	b := (&Message{Entries: []Entry{{Data: []byte("a")}, {Data: []byte("b")}}}).Marshal(FlavorPbgo)
	var alias, own Message
	if err := errors.Join(alias.UnmarshalAlias(b), own.Unmarshal(b)); err != nil {
		t.Fatal(err)
	}
	for _, m := range []Message{alias, own} {
		_ = append(m.Entries[0].Data, 'x')
		if got := string(m.Entries[1].Data); got != "b" {
			t.Errorf("appending to the first entry's data made the second's %q", got)
		}
	}
	entry := append((&Entry{Data: []byte("a")}).Marshal(FlavorPbgo), "next"...)
	var e Entry
	if err := e.UnmarshalAlias(entry[:len(entry)-4]); err != nil {
		t.Fatal(err)
	}
	_ = append(e.Data, 'x')
	if got := string(entry[len(entry)-4:]); got != "next" {
		t.Errorf("appending to the entry's data made what follows %q", got)
	}
}

func TestReuseKeepsNothing(t *testing.T) {
	long := Message{Type: MsgApp, Entries: []Entry{{Term: 1, Data: []byte("a")}, {Term: 2}}}
	short := Message{Type: MsgHeartbeat, Commit: 3, Entries: []Entry{{Index: 9}}}
	var m Message
	for _, want := range []Message{long, short, long} {
		if err := m.UnmarshalReuse(want.Marshal(FlavorPbgo)); err != nil {
			t.Fatal(err)
		}
		if diff := diff(want, m); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
