package logrow

import (
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/wal"
)

// Which records have a field in their JSON: all of them, or
const (
	Physical   where.Only = iota + 1 // with --physical
	Decoded                          // unless --raw shows their data instead
	Who                              // with --who, which --where takes as well
	Time                             // with --time, likewise
	Unchecked                        // those that damage keeps from being checked
	Foreign                          // those of another log
	Unreadable                       // those whose data is not what their kind says
	Bytes                            // those whose data is not taken apart: unreadable ones, and entries with --raw
	Named                            // if there are several logs
)

const always = where.Always

// The kinds of values.
type (
	number     = where.Number[*Row]
	id         = where.ID[*Row]
	sum        = where.Sum[*Row]
	word       = where.Word[*Row]
	prose      = where.Prose[*Row]
	line       = where.Line[*Row]
	text       = where.Text[*Row]
	base64Text = where.Base64Text[*Row]
	truth      = where.Truth[*Row]
	flag       = where.Flag[*Row]
	object     = where.Object[*Row]
	list       = where.List[*Row]
)

var (
	entries  = kinds(wal.KindEntry)
	states   = kinds(wal.KindState)
	snaps    = kinds(wal.KindSnapshot)
	metadata = kinds(wal.KindMetadata)
	damages  = kinds(wal.KindDamage)
)

// field is a row of the table.
type field where.Field[*Row]

// headFields is how many fields are the same for the records of a segment that are of one kind.
const headFields = 2

// Table has all fields there are, in the order of the JSON; docs/json.md is the contract. What a record
// doesn't have is left out there, and is "", 0, false or an empty map in --where.
var Table = where.NewTable[*Row](where.TableOptions{
	Head:    headFields,
	Flags:   map[where.Only]string{Physical: "physical", Who: "who", Time: "time"},
	Example: `op == "put"`,
}, []field{
	{"kind", nil, always, `"metadata", "entry", "state", "snapshot", "crc" or "damage"`, word(kindName)},
	{"segment", nil, always, "file name of the segment", prose(segment)},
	{"offset", nil, always, "where the record begins in the segment, in bytes", number(offset)},
	{"length", nil, always, "bytes of the whole record: header, payload and padding", number(length)},
	{"unchecked", nil, Unchecked, "damage took the checksum that the data would be checked against", flag(unchecked)},
	{"foreign", nil, Foreign, "it is intact, but of another log, and counts for nothing", flag(foreign)},
	{"pad", nil, Physical, "bytes of padding at the record's end", number(pad)},
	{"crc", nil, Physical, "checksum stored in the record, 8 hex digits", sum(crc)},
	{"crc_computed", nil, Physical, "checksum computed over the chain up to the record", sum(crcComputed)},
	{"error", nil, Unreadable, "why the record's data is not what its kind says", prose(failure)},
	{"term", kinds(wal.KindEntry, wal.KindState, wal.KindSnapshot), always, "Raft term", number((*Row).Term)},
	{"index", kinds(wal.KindEntry, wal.KindSnapshot), always, "Raft index", number((*Row).Index)},
	{"type", entries, always, `"normal", "conf_change" or "conf_change_v2"`, word(entryType)},
	{"size", entries, always, "bytes of the entry's data", number(size)},
	{"live", entries, Physical, "no later record overwrites the entry", truth(live)},
	{"op", entries, Decoded, `what the entry asks for: "put", "txn", "empty", …`, word(op)},
	{"key", entries, Decoded, "the key; in a transaction the first one that an operation in either branch touches", text(key)},
	{"range_end", entries, Decoded, "the end of the range that begins with key, exclusive", text(rangeEnd)},
	{"keys", entries, Decoded, "what it touches: op, key, range_end, branch; in JSON of transactions only", list{Append: keys, Tells: isTxn}},
	{"summary", entries, Decoded, "the line that the table shows, without values", line(summary)},
	{"request", entries, Decoded, "the whole request, e.g. request.put.lease; see docs/json.md", object(request)},
	{"who_member", entries, Who, "ID of the member that proposed the entry, in hex", word(whoMember)},
	{"who_name", entries, Who, "its name", prose(whoName)},
	{"who_started", entries, Who, "when its process was started", word(whoStarted)},
	{"time_not_before", entries, Time, "the earliest time at which the entry may have been written, as RFC 3339 has it", word(notBefore)},
	{"time_not_after", entries, Time, "the latest such time", word(notAfter)},
	{"vote", states, always, "member ID that the vote went to, in hex", id(vote)},
	{"commit", states, always, "highest index known to be committed", number(commit)},
	{"conf_state", snaps, always, "the membership: voters, learners, … as lists of IDs in hex", object(confState)},
	{"node_id", metadata, always, "member ID, in hex", id(nodeID)},
	{"cluster_id", metadata, always, "cluster ID, in hex", id(clusterID)},
	{"class", damages, always, `what is wrong: "torn_end", "crc_mismatch", …`, word(class)},
	{"damaged", damages, always, "bytes that are wrong or can't be read", number(damaged)},
	{"index_before", damages, always, "index of the last entry before the damage", number(indexBefore)},
	{"index_after", damages, always, "index of the first entry after it", number(indexAfter)},
	{"evidence", damages, always, "what was found, and what was expected", prose(evidence)},
	{"data_base64", nil, Bytes, "bytes that are not taken apart", base64Text((*Row).RawData)},
	{"path", nil, Named, "the log, where several were asked for", prose(logPath)},
})

func kinds(list ...wal.Kind) []string {
	names := make([]string, len(list))
	for i, k := range list {
		names[i] = k.String()
	}
	return names
}

// Kind names the record's kind.
func (r *Row) Kind() string { return r.Rec.Kind.String() }

// Readable reports whether the record's data is what its kind says.
func (r *Row) Readable() bool { return r.Bad == nil }

// Shows reports whether the JSON of records like this one can have the fields that only some have.
func (r *Row) Shows(o where.Only) bool {
	switch o {
	case Physical:
		return r.Physical
	case Decoded:
		return !r.Raw
	case Who:
		return r.Who != nil
	case Time:
		return r.Times != nil
	case Unchecked:
		return r.Rec.Unchecked
	case Foreign:
		return r.Foreign
	case Unreadable:
		return r.Bad != nil
	case Bytes:
		return r.Bad != nil || r.Raw
	case Named:
		return r.Path != ""
	}
	return true
}

// shape is what tells apart records whose JSON has other fields, or begins in another way. Path,
// Physical and Raw are the same for all records of a Row.
type shape struct {
	kind                         wal.Kind
	segment                      string
	readable, unchecked, foreign bool
}

// AppendJSON appends the record as one JSON object, without a line break.
func (r *Row) AppendJSON(b []byte) []byte {
	rec := r.Rec
	return r.shapes.Append(b, Table, r, int(rec.Kind), shape{rec.Kind, rec.Pos.Segment, r.Bad == nil, rec.Unchecked, r.Foreign})
}
