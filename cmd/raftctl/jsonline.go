package main

import (
	"encoding/base64"
	"strconv"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// The JSON of a record is put together by hand, into a buffer that is used again: a log of some
// gigabytes is written in seconds. docs/json.md is the contract.

// appendJSON appends the record as one JSON object.
func (r *row) appendJSON(b []byte) []byte {
	b = append(b, r.headOf(r.rec.Kind, r.rec.Pos.Segment)...)
	b = strconv.AppendInt(append(b, `,"offset":`...), r.rec.Pos.Off, 10)
	b = strconv.AppendInt(append(b, `,"length":`...), r.rec.Len, 10)
	if r.rec.Unchecked {
		b = append(b, `,"unchecked":true`...)
	}
	if r.physical && r.rec.Kind != wal.KindDamage {
		b = appendUintField(b, "pad", uint64(r.rec.Pad))
		b = appendCRC(append(b, `,"crc":"`...), r.rec.CRC)
		b = appendCRC(append(b, `","crc_computed":"`...), r.rec.Sum)
		b = append(b, '"')
	}
	if r.bad != nil {
		b = appendStringField(b, "error", r.bad.Error())
	} else {
		b = r.appendKind(b)
	}
	if data, ok := r.rawData(); ok {
		b = append(b, `,"data_base64":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, data), '"')
	}
	return append(b, '}')
}

// lineHead is what the lines of a segment's records of one kind begin with.
type lineHead struct {
	kind    wal.Kind
	segment string
	text    []byte
}

// headOf returns what the line of a record begins with. Most are like the one before.
func (r *row) headOf(kind wal.Kind, segment string) []byte {
	h := &r.head
	if h.kind != kind || h.segment != segment {
		h.kind, h.segment = kind, segment
		h.text = append(append(h.text[:0], `{"kind":"`...), kind.String()...)
		h.text = appendStringField(append(h.text, '"'), "segment", segment)
	}
	return h.text
}

// rawData returns the bytes to show as they are: an entry's data, or all of a record that can't be
// taken apart. Secrets are masked unless they are asked for; where nothing tells where they would
// be, there are no bytes to show.
func (r *row) rawData() (data []byte, ok bool) {
	isEntry := r.rec.Kind == wal.KindEntry
	switch {
	case r.bad != nil:
		return r.rec.Data, !isEntry || r.style.ShowSecrets
	case !isEntry || !r.raw:
		return nil, false
	case r.style.ShowSecrets || r.entry.Type != raftpb.EntryNormal:
		return r.entry.Data, true
	}
	r.text = decode.AppendMasked(r.text[:0], r.entry.Data)
	return r.text, true
}

// appendKind appends the fields that only records of this kind have.
func (r *row) appendKind(b []byte) []byte {
	switch r.rec.Kind {
	case wal.KindEntry:
		return r.appendEntry(b)
	case wal.KindState:
		b = appendUintField(b, "term", r.state.Term)
		b = appendIDField(b, "vote", r.state.Vote)
		return appendUintField(b, "commit", r.state.Commit)
	case wal.KindSnapshot:
		b = appendUintField(b, "term", r.snapshot.Term)
		b = appendUintField(b, "index", r.snapshot.Index)
		return appendConfState(append(b, `,"conf_state":`...), r.snapshot.ConfState)
	case wal.KindMetadata:
		b = appendIDField(b, "node_id", r.metadata.NodeID)
		return appendIDField(b, "cluster_id", r.metadata.ClusterID)
	case wal.KindDamage:
		d := r.rec.Damage
		b = appendStringField(b, "class", string(d.Class))
		b = appendUintField(b, "damaged", uint64(d.Len))
		b = appendUintField(b, "index_before", d.Before.Index)
		b = appendUintField(b, "index_after", d.After.Index)
		return appendStringField(b, "evidence", d.Evidence)
	case wal.KindCRC:
		if !r.physical {
			b = appendCRC(append(b, `,"crc":"`...), r.rec.CRC)
			b = append(b, '"')
		}
	}
	return b
}

func (r *row) appendEntry(b []byte) []byte {
	b = strconv.AppendUint(append(b, `,"term":`...), r.entry.Term, 10)
	b = strconv.AppendUint(append(b, `,"index":`...), r.entry.Index, 10)
	b = append(append(b, `,"type":"`...), entryType(r.entry.Type)...)
	b = strconv.AppendInt(append(b, `","size":`...), int64(len(r.entry.Data)), 10)
	if r.physical {
		b = strconv.AppendBool(append(b, `,"live":`...), r.live)
	}
	if r.raw {
		return b
	}
	p := r.request()
	b = append(append(b, `,"op":"`...), p.Op...)
	b = append(b, '"')
	if p.Key != nil {
		b = jsontext.AppendBytes(b, "key", p.Key)
	}
	if p.RangeEnd != nil {
		b = jsontext.AppendBytes(b, "range_end", p.RangeEnd)
	}
	b = jsontext.AppendString(append(b, `,"summary":`...), r.summary())
	return p.AppendJSON(append(b, `,"request":`...), r.style)
}

// summary returns the line that says what the entry asks for. It is valid until the next call. It
// has no values: the request next to it has them, and looking at each twice doubles the time that
// it takes to write a log as JSON.
func (r *row) summary() []byte {
	style := r.style
	style.Values = decode.ValuesNone
	r.text = r.request().AppendSummary(r.text[:0], style)
	return r.text
}

func entryType(t raftpb.EntryType) string {
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

func appendConfState(b []byte, c *raftpb.ConfState) []byte {
	if c == nil { // logs of etcd 3.4, and the empty snapshot
		return append(b, "null"...)
	}
	b = appendIDs(append(b, `{"voters":`...), c.Voters)
	for _, list := range []struct {
		name string
		ids  []uint64
	}{{"learners", c.Learners}, {"voters_outgoing", c.VotersOutgoing}, {"learners_next", c.LearnersNext}} {
		b = append(append(append(b, `,"`...), list.name...), `":`...)
		b = appendIDs(b, list.ids)
	}
	b = strconv.AppendBool(append(b, `,"auto_leave":`...), c.AutoLeave)
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

func appendUintField(b []byte, name string, n uint64) []byte {
	return strconv.AppendUint(jsontext.AppendName(b, name), n, 10)
}

// appendIDField appends an ID as etcd prints it, in hex.
func appendIDField(b []byte, name string, id uint64) []byte {
	return jsontext.AppendID(jsontext.AppendName(b, name), id)
}

func appendStringField[T ~string | ~[]byte](b []byte, name string, s T) []byte {
	return jsontext.AppendString(jsontext.AppendName(b, name), s)
}

// appendID appends an ID as etcd prints it.
func appendID(b []byte, id uint64) []byte { return strconv.AppendUint(b, id, 16) }

// appendCRC appends a checksum as eight digits.
func appendCRC(b []byte, crc uint32) []byte { return jsontext.AppendHex(b, uint64(crc), 8) }
