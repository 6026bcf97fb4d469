package main

import (
	"fmt"
	"strings"
)

// recordField is one field of a record's JSON, which is also a variable of --where.
type recordField struct {
	name  string
	typ   string // string, int, or map
	kinds string // the kinds of records that have it
	doc   string
}

// recordFields is the contract of docs/json.md. What a record doesn't have is "", 0 or an empty map
// in --where, and is left out of the JSON.
var recordFields = []recordField{
	{"kind", "string", "all", `"metadata", "entry", "state", "snapshot", "crc" or "damage"`},
	{"segment", "string", "all", "file name of the segment"},
	{"offset", "int", "all", "where the record begins in the segment, in bytes"},
	{"length", "int", "all", "bytes of the whole record: header, payload and padding"},
	{"term", "int", "entry, state, snapshot", "Raft term"},
	{"index", "int", "entry, snapshot", "Raft index"},
	{"type", "string", "entry", `"normal", "conf_change" or "conf_change_v2"`},
	{"size", "int", "entry", "bytes of the entry's data"},
	{"op", "string", "entry", `what the entry asks for: "put", "txn", "empty", …`},
	{"key", "string", "entry", "the key; the first one where the request names several"},
	{"range_end", "string", "entry", "the end of the range, exclusive"},
	{"summary", "string", "entry", "the line that the table shows, without values"},
	{"request", "map", "entry", "the whole request, e.g. request.put.lease; see docs/json.md"},
	{"vote", "string", "state", "member ID that the vote went to, in hex"},
	{"commit", "int", "state", "highest index known to be committed"},
	{"conf_state", "map", "snapshot", "the membership: voters, learners, … as lists of IDs in hex"},
	{"node_id", "string", "metadata", "member ID, in hex"},
	{"cluster_id", "string", "metadata", "cluster ID, in hex"},
	{"class", "string", "damage", `what is wrong: "torn_end", "crc_mismatch", …`},
	{"damaged", "int", "damage", "bytes that are wrong or can't be read"},
	{"index_before", "int", "damage", "index of the last entry before the damage"},
	{"index_after", "int", "damage", "index of the first entry after it"},
	{"evidence", "string", "damage", "what was found, and what was expected"},
	{"pad", "int", "all (--physical)", "bytes of padding at the record's end"},
	{"crc", "string", "all (--physical)", "checksum stored in the record, 8 hex digits"},
	{"crc_computed", "string", "all (--physical)", "checksum computed over the chain up to the record"},
	{"live", "bool", "entry (--physical)", "no later record overwrites the entry"},
}

// fieldsHelp lists the fields as --help shows them.
func fieldsHelp() string {
	var b strings.Builder
	for _, f := range recordFields {
		fmt.Fprintf(&b, "  %-13s %-7s %-22s %s\n", f.name, f.typ, f.kinds, f.doc)
	}
	return b.String()
}
