package msgrow

import (
	"strconv"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
)

// What follows are the values of the table of fields, in its order.

func kindName(r *Row) (string, bool)      { return r.Kind(), true }
func from(r *Row) (uint64, bool)          { return some(r.Event.From) }
func fromName(r *Row) (string, bool)      { return r.FromName, r.FromName != "" }
func to(r *Row) (uint64, bool)            { return some(r.Event.To) }
func toName(r *Row) (string, bool)        { return r.ToName, r.ToName != "" }
func channel(r *Row) (string, bool)       { return string(r.Event.Channel), r.Event.Channel != "" }
func connection(r *Row) (uint64, bool)    { return some(r.Event.Conn) }
func size(r *Row) (uint64, bool)          { return uint64(r.Event.Size), true }
func source(r *Row) (string, bool)        { return r.Event.Pos.Path(), r.Event.Pos.Source != "" }
func packet(r *Row) (uint64, bool)        { return some(uint64(r.Event.Pos.Packet)) }
func offset(r *Row) (uint64, bool)        { return uint64(r.Event.Pos.Off), true }
func msgType(r *Row) (string, bool)       { return r.Message.Type.String(), true }
func term(r *Row) (uint64, bool)          { return some(r.Message.Term) }
func logTerm(r *Row) (uint64, bool)       { return some(r.Message.LogTerm) }
func index(r *Row) (uint64, bool)         { return some(r.Message.Index) }
func commit(r *Row) (uint64, bool)        { return some(r.Message.Commit) }
func vote(r *Row) (uint64, bool)          { return some(r.Message.Vote) }
func reject(r *Row) bool                  { return r.Event.Message != nil && r.Message.Reject }
func rejectHint(r *Row) (uint64, bool)    { return r.Message.RejectHint, r.Message.Reject }
func context(r *Row) ([]byte, bool)       { return r.Message.Context, len(r.Message.Context) > 0 }
func entryCount(r *Row) (uint64, bool)    { return some(uint64(len(r.Message.Entries))) }
func method(r *Row) (string, bool)        { return r.Exchange.Method, r.Exchange.Method != "" }
func path(r *Row) (string, bool)          { return r.Exchange.Path, r.Exchange.Path != "" }
func status(r *Row) (uint64, bool)        { return some(uint64(r.Exchange.Status)) }
func serverVersion(r *Row) (string, bool) { return r.Exchange.Server, r.Exchange.Server != "" }
func clusterID(r *Row) (uint64, bool)     { return some(r.Exchange.Cluster) }
func note(r *Row) (string, bool)          { return r.Exchange.Note, r.Exchange.Note != "" }
func missing(r *Row) (uint64, bool)       { return uint64(max(r.Gap.Bytes, 0)), r.Gap.Bytes >= 0 }
func reason(r *Row) (string, bool)        { return r.Gap.Reason, true }
func hasEntries(r *Row) bool              { return len(r.Message.Entries) > 0 }

func some(n uint64) (uint64, bool) { return n, n != 0 }

// secondText is a second as text: those of events that follow each other are mostly the same.
type secondText struct {
	unix int64
	text [len("2006-01-02T15:04:05")]byte
	set  bool
}

// timeOf returns when the event was seen. All times have the same length, so that they compare as text.
func timeOf(r *Row) ([]byte, bool) {
	t := r.Event.Time
	if t.IsZero() {
		return nil, false
	}
	if s := &r.second; !s.set || s.unix != t.Unix() {
		s.unix, s.set = t.Unix(), true
		t.UTC().AppendFormat(s.text[:0], "2006-01-02T15:04:05")
	}
	r.text = append(append(r.text[:0], r.second.text[:]...), '.')
	n := uint32(t.Nanosecond())
	for div := uint32(100_000_000); div > 0; div /= 10 {
		r.text = append(r.text, byte('0'+n/div%10))
	}
	r.text = append(r.text, 'Z')
	return r.text, true
}

func firstIndex(r *Row) (uint64, bool) {
	if !hasEntries(r) {
		return 0, false
	}
	return r.Message.Entries[0].Index, true
}

func lastIndex(r *Row) (uint64, bool) {
	if !hasEntries(r) {
		return 0, false
	}
	return r.Message.Entries[len(r.Message.Entries)-1].Index, true
}

// entries appends the list of entries.
func entries(b []byte, r *Row) []byte {
	b = append(jsontext.AppendName(b, "entries"), '[')
	for i := range r.Message.Entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.appendEntry(b, &r.Message.Entries[i])
	}
	return append(b, ']')
}

func (r *Row) appendEntry(b []byte, e *raftpb.Entry) []byte {
	b = strconv.AppendUint(append(b, `{"term":`...), e.Term, 10)
	b = strconv.AppendUint(append(b, `,"index":`...), e.Index, 10)
	b = append(append(b, `,"type":"`...), EntryType(e.Type)...)
	b = strconv.AppendUint(append(b, `","size":`...), uint64(len(e.Data)), 10)
	q := r.decoded(e)
	b = append(append(append(b, `,"op":"`...), q.Op...), '"')
	if a, ok := q.FirstKey(); ok && a.Key != nil {
		b = jsontext.AppendBytes(b, "key", a.Key)
		if a.RangeEnd != nil {
			b = jsontext.AppendBytes(b, "range_end", a.RangeEnd)
		}
	}
	style := r.Style
	style.Values = decode.ValuesNone
	r.text = q.AppendSummary(r.text[:0], style)
	b = jsontext.AppendString(append(b, `,"summary":`...), r.text)
	if r.Entries == decode.ValuesFull {
		b = q.AppendJSON(append(b, `,"request":`...), r.Style)
	}
	return append(b, '}')
}

// EntryType names the type of an entry as JSON has it.
func EntryType(t raftpb.EntryType) string {
	switch t {
	case raftpb.EntryNormal:
		return "normal"
	case raftpb.EntryConfChange:
		return "conf_change"
	case raftpb.EntryConfChangeV2:
		return "conf_change_v2"
	}
	return strconv.Itoa(int(t))
}

// snapshot appends what a snapshot stands for, without its data.
func snapshot(b []byte, r *Row) []byte {
	s := r.Message.Snapshot
	if s.IsEmpty() {
		return append(b, "null"...)
	}
	m := &s.Metadata
	b = strconv.AppendUint(append(b, `{"index":`...), m.Index, 10)
	b = strconv.AppendUint(append(b, `,"term":`...), m.Term, 10)
	b = append(b, `,"conf_state":`...)
	for i, l := range []struct {
		name string
		ids  []uint64
	}{
		{"voters", m.ConfState.Voters}, {"learners", m.ConfState.Learners},
		{"voters_outgoing", m.ConfState.VotersOutgoing}, {"learners_next", m.ConfState.LearnersNext},
	} {
		if i == 0 {
			b = append(b, '{')
		}
		b = appendIDs(append(jsontext.AppendName(b, l.name), '['), l.ids)
	}
	b = strconv.AppendBool(jsontext.AppendName(b, "auto_leave"), m.ConfState.AutoLeave)
	return append(strconv.AppendInt(append(b, `},"data_size":`...), int64(len(s.Data)), 10), '}')
}

func appendIDs(b []byte, ids []uint64) []byte {
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendID(b, id)
	}
	return append(b, ']')
}
