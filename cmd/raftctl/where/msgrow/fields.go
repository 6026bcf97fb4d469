package msgrow

import (
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// Which events have fields that others of their kind lack.
const (
	Shown   where.Only = iota + 1 // all, unless --entries none is given
	Snapped                       // messages with a snapshot
)

const always = where.Always

// The kinds of values.
type (
	number = where.Number[*Row]
	id     = where.ID[*Row]
	word   = where.Word[*Row]
	line   = where.Line[*Row]
	prose  = where.Prose[*Row]
	base64 = where.Base64Text[*Row]
	flag   = where.Flag[*Row]
	object = where.Object[*Row]
	list   = where.List[*Row]
)

var (
	messages  = []string{KindName(stream.KindMessage)}
	exchanges = []string{KindName(stream.KindExchange)}
	gaps      = []string{KindName(stream.KindGap)}
)

// field is a row of the table.
type field where.Field[*Row]

// Table has all fields there are, in the order of the JSON; docs/json.md is the contract.
var Table = where.NewTable[*Row](where.TableOptions{
	Head:    1,
	Example: `type == "MsgApp"`,
}, []field{
	{"kind", nil, always, `"message", "exchange", "link_heartbeat" or "gap"`, word(kindName)},
	{"time", nil, always, "when the last byte of it was seen, as RFC 3339 has it, in UTC", line(timeOf)},
	{"from", nil, always, "ID of the member that sends, in hex", id(from)},
	{"from_name", nil, always, "its name, where that is known", prose(fromName)},
	{"to", nil, always, "ID of the member that receives, in hex", id(to)},
	{"to_name", nil, always, "its name, where that is known", prose(toName)},
	{"channel", nil, always, `the way it went: "message", "msgapp", "pipeline", "snapshot", "classic", "peer", "client"`, word(channel)},
	{"connection", nil, always, "number of the connection", number(connection)},
	{"size", nil, always, "bytes that it took on the channel", number(size)},
	{"source", nil, always, "the capture or recording", prose(source)},
	{"packet", nil, always, "number of the packet that completed it, from 1 on", number(packet)},
	{"offset", nil, always, "where that packet, or the record of a recording, begins, in bytes", number(offset)},
	{"type", messages, always, `Raft's name for the type: "MsgApp", "MsgVote", …`, word(msgType)},
	{"term", messages, always, "term of the sender", number(term)},
	{"log_term", messages, always, "term of the entry at index", number(logTerm)},
	{"index", messages, always, "a log index; which one depends on the type", number(index)},
	{"commit", messages, always, "commit index of the sender", number(commit)},
	{"vote", messages, always, "vote to store, in hex", id(vote)},
	{"reject", messages, always, "the receiver refuses what it was asked for", flag(reject)},
	{"reject_hint", messages, always, "where its log may still match", number(rejectHint)},
	{"context", messages, always, "what the answer has to bring back, as base64", base64(context)},
	{"entry_count", messages, always, "how many entries it has", number(entryCount)},
	{"first_index", messages, always, "index of the first of them", number(firstIndex)},
	{"last_index", messages, always, "index of the last of them", number(lastIndex)},
	{"entries", messages, Shown, "the entries: term, index, type, size, op, key, summary, request", list{Append: entries, Tells: hasEntries}},
	{"snapshot", messages, Snapped, "the snapshot: index, term, conf_state, data_size", object(snapshot)},
	{"method", exchanges, always, "method of the request", prose(method)},
	{"path", exchanges, always, "what was asked for", prose(path)},
	{"status", exchanges, always, "status of the response; a request has none", number(status)},
	{"server_version", exchanges, always, "version that the sender tells", prose(serverVersion)},
	{"cluster_id", exchanges, always, "ID of the cluster that it tells, in hex", id(clusterID)},
	{"note", exchanges, always, "what came with it, in a few words", prose(note)},
	{"missing", gaps, always, "bytes that are missing or can't be read, where that is known", number(missing)},
	{"reason", gaps, always, "why", prose(reason)},
})

// Shows reports whether the JSON of events like this one can have the fields that only some have.
func (r *Row) Shows(o where.Only) bool {
	switch o {
	case Shown:
		return r.Entries != decode.ValuesNone
	case Snapped:
		return r.Message.Type == raftpb.MsgSnap
	}
	return true
}
