package recording

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// What can be read as an event is written as one that reads the same, and nothing makes reading panic.
func FuzzEvent(f *testing.F) {
	for _, e := range oneOfEach() {
		f.Add(appendEvent(nil, &e, raftpb.FlavorGogo))
		f.Add(appendEvent(nil, &e, raftpb.FlavorPbgo))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s slots
		if s.read(data) != nil {
			return
		}
		b := appendEvent(nil, &s.event, raftpb.FlavorGogo)
		if !fitsEvent(b) {
			t.Errorf("%x, written anew, is %x, which is no event", data, b)
		}
		var again slots
		check(t, again.read(b))
		if diff := cmp.Diff(s.event, again.event, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%x: -first +second:\n%s", data, diff)
		}
	})
}

// Metadata of any bytes is refused or read, and written so that it reads the same.
func FuzzMetadata(f *testing.F) {
	m := testMetadata()
	f.Add(m.appendTo(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m, again Metadata
		if m.unmarshal(data) != nil {
			return
		}
		check(t, again.unmarshal(m.appendTo(nil)))
		if diff := cmp.Diff(m, again); diff != "" {
			t.Errorf("%x: -first +second:\n%s", data, diff)
		}
	})
}

// A segment of any bytes yields events or gaps, in the order of their offsets.
func FuzzRead(f *testing.F) {
	b, _ := small(f)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		events, lost := readBytes(t, b)
		for _, list := range [][]stream.Event{events, lost} {
			for i := 1; i < len(list); i++ {
				if list[i].Pos.Off < list[i-1].Pos.Off {
					t.Errorf("event at offset %d after one at %d", list[i].Pos.Off, list[i-1].Pos.Off)
				}
			}
		}
	})
}
