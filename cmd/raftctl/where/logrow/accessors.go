package logrow

import (
	"strconv"
	"time"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// What follows are the values of the table of fields, in its order. They are called for records that
// may have the field: see [where.Field.Shown].

func kindName(r *Row) (string, bool)    { return r.Rec.Kind.String(), true }
func segment(r *Row) (string, bool)     { return r.Rec.Pos.Segment, true }
func offset(r *Row) (uint64, bool)      { return uint64(r.Place()), true }
func length(r *Row) (uint64, bool)      { return uint64(r.Rec.Len), true }
func unchecked(r *Row) bool             { return r.Rec.Unchecked }
func foreign(r *Row) bool               { return r.Foreign }
func size(r *Row) (uint64, bool)        { return uint64(len(r.Entry.Data)), true }
func live(r *Row) (bool, bool)          { return r.Live, r.Bad == nil }
func op(r *Row) (string, bool)          { return string(r.Request().Op), true }
func vote(r *Row) (uint64, bool)        { return r.State.Vote, true }
func commit(r *Row) (uint64, bool)      { return r.State.Commit, true }
func nodeID(r *Row) (uint64, bool)      { return r.Metadata.NodeID, true }
func clusterID(r *Row) (uint64, bool)   { return r.Metadata.ClusterID, true }
func class(r *Row) (string, bool)       { return string(r.Rec.Damage.Class), true }
func damaged(r *Row) (uint64, bool)     { return uint64(r.Rec.Damage.Len), true }
func indexBefore(r *Row) (uint64, bool) { return r.Rec.Damage.Before.Index, true }
func indexAfter(r *Row) (uint64, bool)  { return r.Rec.Damage.After.Index, true }
func evidence(r *Row) (string, bool)    { return r.Rec.Damage.Evidence, true }
func logPath(r *Row) (string, bool)     { return r.Path, r.Path != "" }

func pad(r *Row) (uint64, bool) { return uint64(r.Rec.Pad), r.Rec.Kind != wal.KindDamage }

func crc(r *Row) (uint32, bool) { return r.Rec.CRC, r.Rec.Kind != wal.KindDamage }

func crcComputed(r *Row) (uint32, bool) { return r.Rec.Sum, r.Rec.Kind != wal.KindDamage }

func failure(r *Row) (string, bool) {
	if r.Bad == nil {
		return "", false
	}
	return r.Bad.Error(), true
}

func entryType(r *Row) (string, bool) {
	switch r.Entry.Type {
	case raftpb.EntryNormal:
		return "normal", true
	case raftpb.EntryConfChange:
		return "conf_change", true
	case raftpb.EntryConfChangeV2:
		return "conf_change_v2", true
	}
	return strconv.Itoa(int(r.Entry.Type)), true
}

func key(r *Row) ([]byte, bool) {
	p := r.Request()
	if p.Key != nil { // as most have; FirstKey does more
		return p.Key, true
	}
	a, ok := p.FirstKey()
	return a.Key, ok && a.Key != nil
}

func rangeEnd(r *Row) ([]byte, bool) {
	p := r.Request()
	if p.Key != nil {
		return p.RangeEnd, p.RangeEnd != nil
	}
	a, _ := p.FirstKey()
	return a.RangeEnd, a.RangeEnd != nil
}

func keys(b []byte, r *Row) []byte { return r.Request().AppendKeys(b) }

// isTxn reports whether the entry is a transaction: of others key and range_end tell all.
func isTxn(r *Row) bool { return r.Request().Op == decode.OpTxn }

// summary returns the line that says what the entry asks for. It is valid until the next call. It
// has no values: the request next to it has them, and looking at each twice doubles the time that
// it takes to write a log as JSON.
func summary(r *Row) ([]byte, bool) {
	style := r.Style
	style.Values = decode.ValuesNone
	r.text = r.Request().AppendSummary(r.text[:0], style)
	return r.text, true
}

func request(b []byte, r *Row) []byte { return r.Request().AppendJSON(b, r.Style) }

func confState(b []byte, r *Row) []byte {
	c := r.Snapshot.ConfState
	if c == nil { // logs of etcd 3.4, and the empty snapshot
		return append(b, "null"...)
	}
	b = appendIDs(append(b, `{"voters":`...), c.Voters)
	for _, list := range []struct {
		name string
		ids  []uint64
	}{{"learners", c.Learners}, {"voters_outgoing", c.VotersOutgoing}, {"learners_next", c.LearnersNext}} {
		b = appendIDs(jsontext.AppendName(b, list.name), list.ids)
	}
	b = strconv.AppendBool(jsontext.AppendName(b, "auto_leave"), c.AutoLeave)
	return append(b, '}')
}

func appendIDs(b []byte, ids []uint64) []byte {
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendID(b, id)
	}
	return append(b, ']')
}

// proposer returns the member that proposed the entry at hand, as far as the ID of its request tells.
func (r *Row) proposer() (m decode.Member, o decode.Origin, ok bool) {
	if r.Who == nil {
		return m, o, false
	}
	if o, ok = r.Request().Origin(); !ok {
		return m, o, false
	}
	if found := r.Who.BySuffix(o.Member); len(found) == 1 {
		m = found[0]
	}
	return m, o, true
}

func whoMember(r *Row) (string, bool) {
	m, _, _ := r.proposer()
	return strconv.FormatUint(m.ID, 16), m.ID != 0
}

func whoName(r *Row) (string, bool) {
	m, _, _ := r.proposer()
	return m.Name, m.Name != ""
}

// milliseconds is how times are written: such times compare as text.
const milliseconds = "2006-01-02T15:04:05.000Z07:00"

func whoStarted(r *Row) (string, bool) {
	_, o, ok := r.proposer()
	return o.Started.Format(milliseconds), ok
}

// AppendWho appends for people who proposed the entry at hand: see [decode.Members.AppendWho].
// Nothing if its request doesn't tell.
func (r *Row) AppendWho(b []byte) []byte {
	if r.Rec.Kind != wal.KindEntry || r.Bad != nil || r.Who == nil {
		return b
	}
	o, ok := r.Request().Origin()
	if !ok {
		return b
	}
	return r.Who.AppendWho(b, o)
}

// bounds returns when the entry at hand was written, as far as the log tells. It tells of those that are live.
func (r *Row) bounds() decode.Bounds {
	if r.Times == nil || !r.Live {
		return decode.Bounds{}
	}
	return r.Times.At(r.Entry.Index)
}

func notBefore(r *Row) (string, bool) { return NotBefore(r.bounds()) }
func notAfter(r *Row) (string, bool)  { return NotAfter(r.bounds()) }

// NotBefore returns a lower bound as JSON has it, and whether it is known.
func NotBefore(b decode.Bounds) (string, bool) {
	if b.NotBefore.IsZero() {
		return "", false
	}
	return b.NotBefore.Format(milliseconds), true
}

// NotAfter returns an upper bound as JSON has it, and whether it is known.
func NotAfter(b decode.Bounds) (string, bool) {
	if b.NotAfter.IsZero() {
		return "", false
	}
	return b.NotAfter.Add(time.Millisecond - 1).Format(milliseconds), true
}

// AppendTime appends for people when the entry at hand was written: see [decode.Bounds.AppendTo].
// Nothing if nothing is known.
func (r *Row) AppendTime(b []byte) []byte {
	if r.Rec.Kind != wal.KindEntry || r.Bad != nil {
		return b
	}
	return r.bounds().AppendTo(b)
}
