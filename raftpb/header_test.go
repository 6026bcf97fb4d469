package raftpb

import (
	"bytes"
	"errors"
	"testing"
)

func TestReadEntryHeader(t *testing.T) {
	tests := []struct {
		name, in string
		typ      EntryType
		id       EntryID
		form     EntryForm
	}{
		{"gogo", "0800 1003 1807 2203 666f6f", EntryNormal, EntryID{3, 7}, EntryFull},
		{"pbgo", "1003 1807 2203 666f6f", EntryNormal, EntryID{3, 7}, EntryFull},
		{"conf change v2", "0802 1003 1807 2200", EntryConfChangeV2, EntryID{3, 7}, EntryFull},
		{"empty data", "1003 1807 2200", EntryNormal, EntryID{3, 7}, EntryFull},
		{"no data", "0800 1003 1807", EntryNormal, EntryID{3, 7}, EntryBare},
		{"data cut off", "1003 1807 2203 666f", EntryNormal, EntryID{3, 7}, EntryCut},
		{"length cut off", "1003 1807 2280", EntryNormal, EntryID{3, 7}, EntryCut},
		{"no length", "1003 1807 22", EntryNormal, EntryID{3, 7}, EntryCut},
		{"large numbers", "10ffffffffffffff7f 18ffffffffffffff7f 2200",
			EntryNormal, EntryID{1<<56 - 1, 1<<56 - 1}, EntryFull},
		{in: "", name: "nothing"},
		{in: "0800 1003", name: "no index"},
		{in: "0800 1807", name: "no term"},
		{in: "0800 1000 1807 2200", name: "term 0"},
		{in: "0800 1003 1800 2200", name: "index 0"},
		{in: "0803 1003 1807 2200", name: "no such type"},
		{in: "0800 1003 1887", name: "index cut off"},
		{in: "0800 1003 1807 2201 61 00", name: "bytes behind the data"},
		{in: "0800 1003 1807 2801", name: "unknown field"},
		{in: "0800 1807 1003 2200", name: "other order"},
	}
	for _, tt := range tests {
		in := unhex(t, tt.in)
		typ, id, form := ReadEntryHeader(in)
		if form != tt.form {
			t.Errorf("%s: form %d, want %d", tt.name, form, tt.form)
		}
		if form != EntryOther && (typ != tt.typ || id != tt.id) {
			t.Errorf("%s: %v %v, want %v %v", tt.name, typ, id, tt.typ, tt.id)
		}
	}
}

// What ReadEntryHeader takes for a whole entry, the decoder for any form reads alike.
func FuzzReadEntryHeader(f *testing.F) {
	for _, fl := range []Flavor{FlavorGogo, FlavorPbgo} {
		f.Add((&Entry{Term: 3, Index: 7, Data: []byte("foo")}).Marshal(fl))
		f.Add((&Entry{Type: EntryConfChange, Term: 3, Index: 1 << 40}).Marshal(fl))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, id, form := ReadEntryHeader(b)
		if form < EntryBare {
			return
		}
		var e Entry
		if err := e.decode(b, 0); err != nil {
			t.Fatalf("form %d, but %v", form, err)
		}
		if e.Type != typ || e.ID() != id || (e.Data != nil) != (form == EntryFull) {
			t.Fatalf("%v %v of form %d, want %v %v, data %t", typ, id, form, e.Type, e.ID(), e.Data != nil)
		}
	})
}

func TestReadHardState(t *testing.T) {
	tests := []struct {
		name, in string
		fast     bool   // ReadHardState reads it
		strict   string // the error of UnmarshalStrict; empty if it reads it too
	}{
		{"as etcd writes it", "0803 10ac02 1807", true, ""},
		{"other order", "10ac02 0803 1807", false, ""},
		{"absent fields", "0803 10ac02", false, ""},
		{"long varint", "0803 10ac8200 1807", false, ""},
		{"an entry with data", "0803 10ac02 1807 220161", false,
			"HardState: offset 7: field number 4, want 1 to 3"},
		{"wrong wire type", "0803 12020000 1807", false, "HardState.vote: offset 2: wire type 2, want 0"},
		{"cut off", "0803 10ac02 18", false, "HardState.commit: offset 5: field is cut off: unexpected EOF"},
	}
	for _, tt := range tests {
		in := unhex(t, tt.in)
		var strict, lax HardState
		err := strict.UnmarshalStrict(in)
		if err == nil && tt.strict != "" || err != nil && err.Error() != tt.strict {
			t.Errorf("%s: UnmarshalStrict says %v, want %q", tt.name, err, tt.strict)
		}
		st, ok := ReadHardState(in)
		if ok != tt.fast {
			t.Errorf("%s: ReadHardState says %t, want %t", tt.name, ok, tt.fast)
		}
		if lax.Unmarshal(in) == nil && err == nil && strict != lax || ok && st != lax {
			t.Errorf("%s: %v and %v, want %v", tt.name, st, strict, lax)
		}
	}
}

func TestReadHardStateOfEveryPrefix(t *testing.T) {
	whole := (&HardState{Term: 300, Vote: 1 << 63, Commit: 1 << 30}).Marshal(FlavorGogo)
	for n := range whole {
		if st, ok := ReadHardState(whole[:n]); ok {
			t.Errorf("%d of %d bytes are a hard state: %v", n, len(whole), st)
		}
	}
	if _, ok := ReadHardState(bytes.Join([][]byte{whole, {0}}, nil)); ok {
		t.Error("a byte behind a hard state is overlooked")
	}
}

func TestStrictErrorIsTyped(t *testing.T) {
	err := new(HardState).UnmarshalStrict([]byte{0x20, 1})
	if e, ok := errors.AsType[*DecodeError](err); !ok || e.Off != 0 {
		t.Errorf("got %v, want a *DecodeError at 0", err)
	}
}

func TestHeadersAllocateNothing(t *testing.T) {
	entry := (&Entry{Term: 3, Index: 7, Data: []byte("foo")}).Marshal(FlavorGogo)
	state := (&HardState{Term: 3, Vote: 1 << 63, Commit: 7}).Marshal(FlavorGogo)
	if n := testing.AllocsPerRun(100, func() {
		ReadEntryHeader(entry)
		ReadHardState(state)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
