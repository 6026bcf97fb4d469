package msgcmd

import (
	"encoding/hex"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// appendEvent says what an event is about.
func (x *tableRenderer) appendEvent(b []byte, r *msgrow.Row) []byte {
	switch r.Event.Kind {
	case stream.KindMessage:
		return x.appendMessage(b, &r.Message)
	case stream.KindExchange:
		return appendExchange(b, &r.Exchange)
	case stream.KindGap:
		return append(append(b, "gap: "...), r.Gap.Reason...)
	}
	return append(b, "link heartbeat"...)
}

// appendID appends TERM/INDEX.
func appendID(b []byte, id raftpb.EntryID) []byte {
	b = append(strconv.AppendUint(b, id.Term, 10), '/')
	return strconv.AppendUint(b, id.Index, 10)
}

func appendNumber(b []byte, name string, n uint64) []byte {
	return strconv.AppendUint(append(append(append(b, ' '), name...), ' '), n, 10)
}

// appendMessage appends the type, the term, and what a message of that type is about.
func (x *tableRenderer) appendMessage(b []byte, m *raftpb.Message) []byte {
	b = append(b, shortType(m.Type)...)
	switch m.Type {
	case raftpb.MsgApp:
		b = appendPrevious(b, m)
	case raftpb.MsgVote, raftpb.MsgPreVote:
		b = appendNumber(b, "term", m.Term)
		b = appendID(append(b, " last "...), raftpb.EntryID{Term: m.LogTerm, Index: m.Index})
	case raftpb.MsgSnap:
		b = appendSnapshot(appendNumber(b, "term", m.Term), m.Snapshot)
	default:
		if m.Term != 0 {
			b = appendNumber(b, "term", m.Term)
		}
		if m.Index != 0 {
			b = appendNumber(b, "index", m.Index)
		}
	}
	if m.Reject {
		b = append(b, " rejected"...)
		if m.Type == raftpb.MsgAppResp {
			b = appendNumber(append(b, ','), "hint", m.RejectHint)
		}
		if m.LogTerm != 0 {
			b = appendNumber(b, "of term", m.LogTerm)
		}
	}
	if isRead(m) {
		return appendRead(b, m)
	}
	b = x.appendEntriesOf(b, m)
	if m.Commit != 0 {
		b = appendNumber(b, "commit", m.Commit)
	}
	return x.appendFirst(b, m)
}

// isRead reports whether a message asks for an index to read at, or is part of the answer.
func isRead(m *raftpb.Message) bool {
	switch m.Type {
	case raftpb.MsgReadIndex, raftpb.MsgReadIndexResp:
		return true
	case raftpb.MsgHeartbeat, raftpb.MsgHeartbeatResp:
		return len(m.Context) > 0
	}
	return false
}

// appendRead appends which read a message is about: the bytes by which whoever asks knows it again, as hex.
func appendRead(b []byte, m *raftpb.Message) []byte {
	if m.Commit != 0 {
		b = appendNumber(b, "commit", m.Commit)
	}
	about := m.Context
	if len(m.Entries) > 0 {
		about = m.Entries[0].Data
	}
	const most = 32
	return hex.AppendEncode(append(b, " read "...), about[:min(len(about), most)])
}

// appendPrevious appends the entry that those of a MsgApp follow.
func appendPrevious(b []byte, m *raftpb.Message) []byte {
	if m.LogTerm != m.Term {
		b = appendNumber(b, "term", m.Term)
	}
	return appendID(append(b, ' '), raftpb.EntryID{Term: m.LogTerm, Index: m.Index})
}

func appendSnapshot(b []byte, s *raftpb.Snapshot) []byte {
	if s == nil {
		return b
	}
	b = appendID(append(b, " snapshot "...), raftpb.EntryID{Term: s.Metadata.Term, Index: s.Metadata.Index})
	return b
}

// appendEntriesOf appends which entries a message brings.
func (x *tableRenderer) appendEntriesOf(b []byte, m *raftpb.Message) []byte {
	n := len(m.Entries)
	switch {
	case n == 0:
		return b
	case m.Type == raftpb.MsgProp: // they have no index yet
		if n == 1 {
			return append(b, " 1 entry"...)
		}
		return append(strconv.AppendInt(append(b, ' '), int64(n), 10), " entries"...)
	case n == 1:
		return appendID(append(b, " entry "...), m.Entries[0].ID())
	}
	b = appendID(append(b, " entries "...), m.Entries[0].ID())
	return appendID(append(b, ".."...), m.Entries[n-1].ID())
}

// appendFirst appends what the first entry asks for, and how many others there are.
func (x *tableRenderer) appendFirst(b []byte, m *raftpb.Message) []byte {
	if len(m.Entries) == 0 || x.entries != decode.ValuesShort {
		return b
	}
	b = x.appendRequest(append(b, ' ', ' '), &m.Entries[0])
	if n := len(m.Entries) - 1; n > 0 {
		b = append(strconv.AppendInt(append(b, " (and "...), int64(n), 10), " more)"...)
	}
	return b
}

// appendExchange appends a request, or the response to one.
func appendExchange(b []byte, e *stream.Exchange) []byte {
	b = append(b, ui.Printable(e.Method)...)
	if e.Path != "" {
		b = append(append(b, ' '), ui.Printable(e.Path)...)
	}
	if e.Status != 0 {
		b = strconv.AppendInt(append(b, ": "...), int64(e.Status), 10)
	}
	if e.Server != "" {
		b = append(append(b, " by "...), ui.Printable(e.Server)...)
	}
	if e.Note != "" {
		b = append(append(b, ", "...), ui.Printable(e.Note)...)
	}
	return b
}
