package where

import (
	"strconv"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// What follows are the values of the table of fields, in its order. They are called for records that
// may have the field: see Field.has.

func kindName(r *Row) (string, bool)    { return r.Rec.Kind.String(), true }
func segment(r *Row) (string, bool)     { return r.Rec.Pos.Segment, true }
func offset(r *Row) (uint64, bool)      { return uint64(r.Rec.Pos.Off), true }
func length(r *Row) (uint64, bool)      { return uint64(r.Rec.Len), true }
func unchecked(r *Row) bool             { return r.Rec.Unchecked }
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
func path(r *Row) (string, bool)        { return r.Path, r.Path != "" }

func pad(r *Row) (uint64, bool) { return uint64(r.Rec.Pad), r.Rec.Kind != wal.KindDamage }

// crc is shown of the records that hold nothing else without being asked for.
func crc(r *Row) (uint32, bool) {
	return r.Rec.CRC, r.Physical && r.Rec.Kind != wal.KindDamage || r.Rec.Kind == wal.KindCRC
}

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
	return p.Key, p.Key != nil
}

func rangeEnd(r *Row) ([]byte, bool) {
	p := r.Request()
	return p.RangeEnd, p.RangeEnd != nil
}

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
