package msgrow

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/jsontext/jsontest"
	"github.com/raftctl/raftctl/raftpb"
)

// items has an event of each kind, with and without what only some have.
func items() []Item {
	put := []byte{0x22, 0x03, 0x0a, 0x01, 'k'}
	at := time.Date(2026, 11, 29, 12, 4, 5, 123456000, time.UTC)
	pos := stream.Pos{Source: "c.pcap", Packet: 7, Off: 100}
	var names stream.Names
	names.Set(1, "m1")
	var list []Item
	for _, e := range []stream.Event{
		{Kind: stream.KindMessage, Time: at, From: 1, To: 2, Channel: stream.ChannelAppend, Conn: 3, Size: 9, Pos: pos, Message: &raftpb.Message{
			Type: raftpb.MsgApp, From: 1, To: 2, Term: 4, LogTerm: 4, Index: 17, Commit: 16, Context: []byte{1},
			Entries: []raftpb.Entry{{Term: 4, Index: 18, Data: put}, {Term: 4, Index: 19}}}},
		{Kind: stream.KindMessage, From: 2, To: 1, Message: &raftpb.Message{Type: raftpb.MsgAppResp, Term: 4, Index: 20, Reject: true, RejectHint: 17, Vote: 1}},
		{Kind: stream.KindMessage, From: 1, To: 2, Message: &raftpb.Message{Type: raftpb.MsgSnap, Term: 4, Snapshot: &raftpb.Snapshot{
			Data: []byte("{}"), Metadata: raftpb.SnapshotMetadata{Index: 9, Term: 3, ConfState: raftpb.ConfState{Voters: []uint64{1, 2}}}}}},
		{Kind: stream.KindLinkHeartbeat, Time: at, From: 1, To: 2, Channel: stream.ChannelMessage, Size: 1},
		{Kind: stream.KindExchange, Channel: stream.ChannelPeer, Exchange: &stream.Exchange{Method: "GET", Path: "/version", Status: 200,
			Server: "3.6.16", Cluster: 7, Note: "server 3.6.16"}},
		{Kind: stream.KindExchange, Exchange: &stream.Exchange{Method: "GET", Path: "/version"}},
		{Kind: stream.KindGap, Gap: &stream.Gap{Bytes: 5, Reason: "5 bytes were not captured"}},
		{Kind: stream.KindGap, Gap: &stream.Gap{Bytes: -1, Reason: "TLS, without a key log"}},
	} {
		list = append(list, NewItem(&e, &names))
	}
	return list
}

// The JSON of an event has the table's fields, in the table's order, and --where has the same ones.
func TestJSONAndWhereAgree(t *testing.T) {
	for _, shown := range []decode.Values{decode.ValuesShort, decode.ValuesNone, decode.ValuesFull} {
		r := NewRow(Options{Entries: shown})
		for range 2 { // the second time from what is remembered of shapes
			for _, item := range items() {
				r.Set(&item)
				line := r.AppendJSON(nil)
				var want []string
				for _, f := range Table.Fields() {
					if f.Has(r) && f.Shown(r) && !f.Repeats(r) {
						want = append(want, f.Name)
					}
				}
				if diff := cmp.Diff(want, jsontest.Members(t, line)); diff != "" {
					t.Errorf("%s (-where +JSON):\n%s", line, diff)
				}
			}
		}
	}
}

// Every field can be compared in an expression, whether the event has it or not, and has the event's value.
func TestWhere(t *testing.T) {
	for expr, want := range map[string]int{
		`kind == "gap"`: 2, `time == "2026-11-29T12:04:05.123456000Z"`: 2, `from == "1"`: 3, `from_name == "m1"`: 3, `to == "1" && to_name == "m1"`: 1,
		`channel == "msgapp"`: 1, `connection == 3`: 1, `size == 9`: 1, `source == "c.pcap"`: 1, `packet == 7`: 1, `offset == 100`: 1,
		`type == "MsgApp"`: 1, `term == 4`: 3, `log_term == 4`: 1, `index == 20`: 1, `commit == 16`: 1, `vote == "1"`: 1, `reject`: 1, `reject_hint == 17`: 1,
		`context == "AQ=="`: 1, `entry_count == 2`: 1, `first_index == 18`: 1, `last_index == 19`: 1, `entries.exists(e, e.op == "put" && e.key == "k")`: 1,
		`snapshot.index == 9 && snapshot.conf_state.voters[1] == "2" && snapshot.data_size == 2`: 1,
		`method == "GET"`: 2, `path == "/version"`: 2, `status == 200`: 1, `server_version == "3.6.16"`: 1, `cluster_id == "7"`: 1, `note != ""`: 1,
		`missing == 5`: 1, `reason.startsWith("TLS")`: 1,
	} {
		e, err := Table.Compile(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		r, got := NewRow(Options{}), 0
		for _, item := range items() {
			r.Set(&item)
			ok, err := e.Match(r)
			if err != nil {
				t.Errorf("%s: %v", expr, err)
			}
			if ok {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d events, want %d", expr, got, want)
		}
	}
}

// What was kept doesn't change with the memory of the event.
func TestKeep(t *testing.T) {
	buf := []byte("contextdata")
	e := stream.Event{Kind: stream.KindMessage, Message: &raftpb.Message{Context: buf[:7], Entries: []raftpb.Entry{{Data: buf[7:]}, {}},
		Snapshot: &raftpb.Snapshot{Data: buf[:3]}}}
	item := NewItem(&e, new(stream.Names))
	item.Keep(make([]byte, item.Size()))
	e.Message.Entries[1].Index = 9
	copy(buf, "xxxxxxxxxxx")
	m := item.Message
	if string(m.Context) != "context" || string(m.Entries[0].Data) != "data" || m.Entries[1].Data != nil || m.Entries[1].Index != 0 || string(m.Snapshot.Data) != "con" {
		t.Errorf("got %+v", m)
	}
}
