package raftpb

import "slices"

var messageSchema = &schema{"Message", []field{
	{"type", wireVarint}, {"to", wireVarint}, {"from", wireVarint}, {"term", wireVarint},
	{"logTerm", wireVarint}, {"index", wireVarint}, {"entries", wireBytes}, {"commit", wireVarint},
	{"snapshot", wireBytes}, {"reject", wireVarint}, {"rejectHint", wireVarint},
	{"context", wireBytes}, {"vote", wireVarint}, {"responses", wireBytes},
}}

const (
	tagMessageType       = 1<<3 | wireVarint
	tagMessageTo         = 2<<3 | wireVarint
	tagMessageFrom       = 3<<3 | wireVarint
	tagMessageTerm       = 4<<3 | wireVarint
	tagMessageLogTerm    = 5<<3 | wireVarint
	tagMessageIndex      = 6<<3 | wireVarint
	tagMessageEntries    = 7<<3 | wireBytes
	tagMessageCommit     = 8<<3 | wireVarint
	tagMessageSnapshot   = 9<<3 | wireBytes
	tagMessageReject     = 10<<3 | wireVarint
	tagMessageRejectHint = 11<<3 | wireVarint
	tagMessageContext    = 12<<3 | wireBytes
	tagMessageVote       = 13<<3 | wireVarint
	tagMessageResponses  = 14<<3 | wireBytes
)

// maxDepth is how deeply messages may nest in Responses. Raft nests one level: the responses of a
// storage message are plain messages. The bound keeps hostile input from using up the stack.
const maxDepth = 16

// The wire form of a message, as etcd 3.6 and 3.7 order it. FlavorGogo leaves out nothing but nil
// Snapshot and Context; FlavorPbgo also leaves out zeros, except Type. (etcd up to 3.5 also wrote
// an empty Snapshot in every message, and knew neither Vote nor Responses; it reads this form.)
//
//	+----+------+----+----+----+------+----+------+----+---------+----+-------+
//	| 08 | Type | 10 | To | 18 | From | 20 | Term | 28 | LogTerm | 30 | Index |
//	+----+-----++----++---++---+-+----+----++----++----+-----+---+-+--+-------+
//	| 3a | len | Entry | ... | 40 | Commit | 4a | len | Snapshot | 50 | Reject |
//	+----+-----+------+-----+-+--+-+------++--+-+-+----+----+----+--+-+-+------+-----+
//	| 58 | RejectHint | 62 | len | Context | 68 | Vote | 72 | len | Response | ... |
//	+----+------------+----+-----+---------+----+------+----+-----+----------+-----+

// Size returns the number of bytes that AppendTo appends.
func (m *Message) Size(f Flavor) int {
	all := f == FlavorGogo
	n := sizeUint(uint64(m.Type), true) +
		sizeUint(m.To, all) +
		sizeUint(m.From, all) +
		sizeUint(m.Term, all) +
		sizeUint(m.LogTerm, all) +
		sizeUint(m.Index, all) +
		sizeUint(m.Commit, all) +
		sizeUint(boolToUint(m.Reject), all) +
		sizeUint(m.RejectHint, all) +
		sizeBytes(m.Context) +
		sizeUint(m.Vote, all)
	for i := range m.Entries {
		n += sizeLen(m.Entries[i].Size(f))
	}
	if m.Snapshot != nil {
		n += sizeLen(m.Snapshot.Size(f))
	}
	for i := range m.Responses {
		n += sizeLen(m.Responses[i].Size(f))
	}
	return n
}

// AppendTo appends the message's encoding to b.
func (m *Message) AppendTo(b []byte, f Flavor) []byte {
	all := f == FlavorGogo
	b = appendUint(b, tagMessageType, uint64(m.Type), true)
	b = appendUint(b, tagMessageTo, m.To, all)
	b = appendUint(b, tagMessageFrom, m.From, all)
	b = appendUint(b, tagMessageTerm, m.Term, all)
	b = appendUint(b, tagMessageLogTerm, m.LogTerm, all)
	b = appendUint(b, tagMessageIndex, m.Index, all)
	b = appendEntries(b, m.Entries, f)
	b = appendUint(b, tagMessageCommit, m.Commit, all)
	if m.Snapshot != nil {
		b = appendLen(b, tagMessageSnapshot, m.Snapshot.Size(f))
		b = m.Snapshot.AppendTo(b, f)
	}
	b = appendUint(b, tagMessageReject, boolToUint(m.Reject), all)
	b = appendUint(b, tagMessageRejectHint, m.RejectHint, all)
	b = appendBytes(b, tagMessageContext, m.Context)
	b = appendUint(b, tagMessageVote, m.Vote, all)
	for i := range m.Responses {
		b = appendLen(b, tagMessageResponses, m.Responses[i].Size(f))
		b = m.Responses[i].AppendTo(b, f)
	}
	return b
}

// Marshal returns the message's encoding.
func (m *Message) Marshal(f Flavor) []byte { return m.AppendTo(make([]byte, 0, m.Size(f)), f) }

// Unmarshal sets *m to the message that b encodes. All byte fields of the result share one copy of b,
// which lives as long as any of them. The error is a *DecodeError; *m then holds what was decoded so
// far.
func (m *Message) Unmarshal(b []byte) error {
	*m = Message{}
	return m.merge(reader{buf: b, shared: true}, 0)
}

// UnmarshalAlias is Unmarshal with Data and Context, at any depth, pointing into b.
func (m *Message) UnmarshalAlias(b []byte) error {
	*m = Message{}
	return m.merge(reader{buf: b}, 0)
}

// UnmarshalReuse is UnmarshalAlias that decodes the entries into the array of m.Entries as far as
// it reaches, so that reading a stream of messages into the same m allocates nothing. Whoever calls
// it vouches that nobody else holds those entries.
func (m *Message) UnmarshalReuse(b []byte) error {
	*m = Message{Entries: m.Entries[:0]}
	return m.merge(reader{buf: b}, 0)
}

func (m *Message) merge(r reader, depth int) error {
	r.schema = messageSchema
	for r.next() {
		switch r.tag {
		case tagMessageType:
			m.Type = MessageType(r.varint())
		case tagMessageTo:
			m.To = r.varint()
		case tagMessageFrom:
			m.From = r.varint()
		case tagMessageTerm:
			m.Term = r.varint()
		case tagMessageLogTerm:
			m.LogTerm = r.varint()
		case tagMessageIndex:
			m.Index = r.varint()
		case tagMessageEntries:
			m.mergeEntries(&r)
		case tagMessageCommit:
			m.Commit = r.varint()
		case tagMessageSnapshot:
			m.mergeSnapshot(&r)
		case tagMessageReject:
			m.Reject = r.varint() != 0
		case tagMessageRejectHint:
			m.RejectHint = r.varint()
		case tagMessageContext:
			m.Context = r.bytes()
		case tagMessageVote:
			m.Vote = r.varint()
		case tagMessageResponses:
			m.mergeResponse(&r, depth+1)
		default:
			r.skip()
		}
	}
	return r.err
}

// mergeEntries decodes the current field and those of the same tag that follow it.
func (m *Message) mergeEntries(r *reader) {
	if len(m.Entries) == 0 {
		m.Entries = slices.Grow(m.Entries, r.run())
	}
	for more := true; more; more = r.again() {
		n := len(m.Entries)
		if n == cap(m.Entries) {
			m.Entries = slices.Grow(m.Entries, 1)
		}
		m.Entries = m.Entries[:n+1]
		value := r.bytes()
		e := &m.Entries[n]
		if typ, id, data, form := readEntry(value); form >= EntryBare {
			e.Type, e.Term, e.Index, e.Data = typ, id.Term, id.Index, data
		} else {
			r.nested(e.decode(value, r.start(value)))
		}
	}
}

func (m *Message) mergeSnapshot(r *reader) {
	if m.Snapshot == nil {
		m.Snapshot = new(Snapshot)
	}
	value := r.bytes()
	r.nested(m.Snapshot.merge(value, r.start(value)))
}

func (m *Message) mergeResponse(r *reader, depth int) {
	if depth > maxDepth {
		r.fail(depthError{depth})
		return
	}
	if len(m.Responses) == 0 {
		m.Responses = slices.Grow(m.Responses, r.run())
	}
	value := r.bytes()
	m.Responses = append(m.Responses, Message{})
	r.nested(m.Responses[len(m.Responses)-1].merge(reader{buf: value, base: r.start(value)}, depth))
}
