package msgcmd

import (
	"strconv"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/raftpb"
)

// tableRenderer writes a line an event.
type tableRenderer struct {
	table   *ui.StreamTable
	style   decode.Style
	entries decode.Values
	color   bool
	text    []byte
	request decode.Request
}

func newTableRenderer(a *ui.App, o *dumpOptions) *tableRenderer {
	members := "8e9e05c52164694d→8e9e05c52164694d"
	if len(o.source.dataDir) > 0 { // names are shorter
		members = "infra1→infra2"
	}
	table := ui.NewStreamTable(a.Screen(),
		ui.TextColumn("TIME").Wide(len("15:04:05.000000")),
		ui.TextColumn("FROM→TO").Wide(display.Width(members)),
		ui.TextColumn("MESSAGE"))
	return &tableRenderer{table: table, style: o.style, entries: o.shown, color: a.Color}
}

func (x *tableRenderer) start() []byte { return x.table.Header() }

func (x *tableRenderer) finish(int) []byte { return nil }

func (x *tableRenderer) line(dst []byte, r *msgrow.Row) []byte {
	x.text = x.text[:0]
	if t := r.Event.Time; !t.IsZero() {
		x.text = appendClock(x.text, t)
	}
	x.table.Bytes(x.text)
	x.text = appendMember(x.text[:0], r.Event.From, r.FromName)
	x.text = append(x.text, "→"...)
	x.text = appendMember(x.text, r.Event.To, r.ToName)
	x.table.Bytes(x.text)
	x.text = x.appendEvent(x.text[:0], r)
	x.table.Bytes(x.text)
	line := x.table.End()
	if x.color && r.Event.Kind == stream.KindGap {
		dst = append(ui.Red.Append(dst, line[:len(line)-1]), '\n')
	} else {
		dst = append(dst, line...)
	}
	if x.entries == decode.ValuesFull && r.Event.Kind == stream.KindMessage {
		dst = x.appendEntries(dst, r.Message.Entries)
	}
	return dst
}

// appendClock appends the time of day, in UTC, to the microsecond.
func appendClock(b []byte, t time.Time) []byte {
	day := t.Unix() % 86400
	if day < 0 {
		day += 86400
	}
	for i, n := range [...]int64{day / 3600, day / 60 % 60, day % 60} {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, byte('0'+n/10), byte('0'+n%10))
	}
	b = append(b, '.')
	n := t.Nanosecond() / 1000
	for div := 100_000; div > 0; div /= 10 {
		b = append(b, byte('0'+n/div%10))
	}
	return b
}

// appendMember names a member.
func appendMember(b []byte, id uint64, name string) []byte {
	switch {
	case name != "":
		return append(b, ui.Printable(name)...)
	case id == raftpb.None:
		return append(b, '?')
	}
	return strconv.AppendUint(b, id, 16)
}

// appendEntries appends a line for each entry.
func (x *tableRenderer) appendEntries(dst []byte, entries []raftpb.Entry) []byte {
	for i := range entries {
		x.table.Text("")
		x.table.Text("")
		x.text = appendID(append(x.text[:0], ' ', ' '), entries[i].ID())
		x.text = append(x.text, ' ')
		x.text = x.appendRequest(x.text, &entries[i])
		x.table.Bytes(x.text)
		dst = append(dst, x.table.End()...)
	}
	return dst
}

func (x *tableRenderer) appendRequest(b []byte, e *raftpb.Entry) []byte {
	_ = decode.Payload(&x.request, e) // what can't be read says so itself
	return x.request.AppendSummary(b, x.style)
}
