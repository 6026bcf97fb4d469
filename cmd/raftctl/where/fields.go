package where

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types/ref"

	"github.com/raftctl/raftctl/wal"
)

// Field is one field of a record's JSON, and a variable of --where of the same name.
type Field struct {
	Name  string
	Kinds []wal.Kind // the kinds of records that have it; nil: all
	Only  Only
	Doc   string
	value value
}

// Only says which records have a field in their JSON. In --where all that are of its kinds have it.
type Only uint8

// The records that have a field.
const (
	Always     Only = iota // all of them
	Physical               // with --physical
	Decoded                // unless --raw shows their data instead
	Who                    // with --who, which --where takes as well
	Unchecked              // those that damage keeps from being checked
	Foreign                // those of another log
	Unreadable             // those whose data is not what their kind says
	Bytes                  // those whose data is not taken apart: unreadable ones, and entries with --raw
	Named                  // if there are several logs
)

// Type names the type that the field has in --where.
func (f *Field) Type() string { return f.value.typ() }

var (
	entries  = []wal.Kind{wal.KindEntry}
	states   = []wal.Kind{wal.KindState}
	snaps    = []wal.Kind{wal.KindSnapshot}
	metadata = []wal.Kind{wal.KindMetadata}
	damages  = []wal.Kind{wal.KindDamage}
)

// fields are all there are, in the order of the JSON; docs/json.md is the contract. What a record
// doesn't have is left out there, and is "", 0, false or an empty map in --where.
var fields = []Field{
	{"kind", nil, Always, `"metadata", "entry", "state", "snapshot", "crc" or "damage"`, word(kindName)},
	{"segment", nil, Always, "file name of the segment", prose(segment)},
	{"offset", nil, Always, "where the record begins in the segment, in bytes", number(offset)},
	{"length", nil, Always, "bytes of the whole record: header, payload and padding", number(length)},
	{"unchecked", nil, Unchecked, "damage took the checksum that the data would be checked against", flag(unchecked)},
	{"foreign", nil, Foreign, "it is intact, but of another log, and counts for nothing", flag(foreign)},
	{"pad", nil, Physical, "bytes of padding at the record's end", number(pad)},
	{"crc", nil, Physical, "checksum stored in the record, 8 hex digits", sum(crc)},
	{"crc_computed", nil, Physical, "checksum computed over the chain up to the record", sum(crcComputed)},
	{"error", nil, Unreadable, "why the record's data is not what its kind says", prose(failure)},
	{"term", []wal.Kind{wal.KindEntry, wal.KindState, wal.KindSnapshot}, Always, "Raft term", number((*Row).Term)},
	{"index", []wal.Kind{wal.KindEntry, wal.KindSnapshot}, Always, "Raft index", number((*Row).Index)},
	{"type", entries, Always, `"normal", "conf_change" or "conf_change_v2"`, word(entryType)},
	{"size", entries, Always, "bytes of the entry's data", number(size)},
	{"live", entries, Physical, "no later record overwrites the entry", truth(live)},
	{"op", entries, Decoded, `what the entry asks for: "put", "txn", "empty", …`, word(op)},
	{"key", entries, Decoded, "the key; in a transaction the first one that an operation in either branch touches", text(key)},
	{"range_end", entries, Decoded, "the end of the range that begins with key, exclusive", text(rangeEnd)},
	{"keys", entries, Decoded, "what it touches: op, key, range_end, branch; in JSON of transactions only", list{keys, isTxn}},
	{"summary", entries, Decoded, "the line that the table shows, without values", line(summary)},
	{"request", entries, Decoded, "the whole request, e.g. request.put.lease; see docs/json.md", object(request)},
	{"who_member", entries, Who, "ID of the member that proposed the entry, in hex", word(whoMember)},
	{"who_name", entries, Who, "its name", prose(whoName)},
	{"who_started", entries, Who, "when its process was started", word(whoStarted)},
	{"vote", states, Always, "member ID that the vote went to, in hex", id(vote)},
	{"commit", states, Always, "highest index known to be committed", number(commit)},
	{"conf_state", snaps, Always, "the membership: voters, learners, … as lists of IDs in hex", object(confState)},
	{"node_id", metadata, Always, "member ID, in hex", id(nodeID)},
	{"cluster_id", metadata, Always, "cluster ID, in hex", id(clusterID)},
	{"class", damages, Always, `what is wrong: "torn_end", "crc_mismatch", …`, word(class)},
	{"damaged", damages, Always, "bytes that are wrong or can't be read", number(damaged)},
	{"index_before", damages, Always, "index of the last entry before the damage", number(indexBefore)},
	{"index_after", damages, Always, "index of the first entry after it", number(indexAfter)},
	{"evidence", damages, Always, "what was found, and what was expected", prose(evidence)},
	{"data_base64", nil, Bytes, "bytes that are not taken apart", base64Text((*Row).RawData)},
	{"path", nil, Named, "the log, where several were asked for", prose(logPath)},
}

// byName finds a field.
var byName = func() map[string]*Field {
	m := make(map[string]*Field, len(fields))
	for i := range fields {
		f := &fields[i]
		m[f.Name] = f
	}
	return m
}()

// Fields returns all fields, in the order of the JSON.
func Fields() []Field { return slices.Clone(fields) }

// of reports whether records like this one can have the field.
func (f *Field) of(r *Row) bool {
	switch {
	case f.Kinds == nil:
		return true
	case r.Bad != nil:
		return false
	}
	return slices.Contains(f.Kinds, r.Rec.Kind)
}

// shown reports whether the JSON of records like this one can have the field.
func (f *Field) shown(r *Row) bool {
	switch f.Only {
	case Physical:
		return r.Physical && f.of(r)
	case Decoded:
		return !r.Raw && f.of(r)
	case Who:
		return r.Who != nil && f.of(r)
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
	return f.of(r)
}

// cel returns the field for --where; ok is false if the record doesn't have it.
func (f *Field) cel(r *Row) (v ref.Val, ok bool) {
	if !f.of(r) {
		return nil, false
	}
	return f.value.cel(r)
}

// Help lists the fields as --help shows them.
func Help() string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "  %-13s %-7s %-22s %s\n", f.Name, f.Type(), f.kinds(), f.Doc)
	}
	return b.String()
}

// kinds names the kinds of records that have the field.
func (f *Field) kinds() string {
	s := "all"
	if f.Kinds != nil {
		names := make([]string, len(f.Kinds))
		for i, k := range f.Kinds {
			names[i] = k.String()
		}
		s = strings.Join(names, ", ")
	}
	switch f.Only {
	case Physical:
		s += " (--physical)"
	case Who:
		s += " (--who)"
	}
	return s
}
