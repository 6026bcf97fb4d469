package main

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// row is a record as dump shows it: taken apart as far as was asked for. It is used again for every
// record, and aliases the reader's buffer.
type row struct {
	rec  *wal.Record
	bad  error // the record's data is not what its kind says
	live bool  // an entry that no later record overwrites; unknown is true

	entry    raftpb.Entry     // of KindEntry
	state    raftpb.HardState // of KindState
	snapshot wal.Snapshot     // of KindSnapshot
	metadata wal.Metadata     // of KindMetadata

	decoder  decode.Decoder
	payload  decode.Request // of the entry, once decoded
	decoded  bool
	failed   error // the decoder is of no use any more
	style    decode.Style
	physical bool
	raw      bool

	text []byte // holds a summary
	head lineHead
}

// set takes a record apart. The entry's payload is left for later.
func (r *row) set(rec *wal.Record) {
	r.rec, r.bad, r.decoded, r.live = rec, nil, false, true
	switch rec.Kind {
	case wal.KindEntry:
		r.bad = r.entry.UnmarshalAlias(rec.Data)
	case wal.KindState:
		r.bad = r.state.Unmarshal(rec.Data)
	case wal.KindSnapshot:
		r.bad = r.snapshot.Unmarshal(rec.Data)
	case wal.KindMetadata:
		r.bad = r.metadata.Unmarshal(rec.Data)
	}
}

// request returns what the entry asks for. An entry that the decoder can't read says so in its
// summary.
func (r *row) request() *decode.Request {
	if r.decoded {
		return &r.payload
	}
	r.decoded = true
	if err := r.decoder.Decode(&r.payload, &r.entry); err != nil && !isPayloadError(err) {
		r.failed = err
	}
	return &r.payload
}

func isPayloadError(err error) bool {
	var unreadable *decode.PayloadError
	return errors.As(err, &unreadable)
}

// term returns the record's term, and whether it has one.
func (r *row) term() (uint64, bool) {
	switch r.rec.Kind {
	case wal.KindEntry:
		return r.entry.Term, true
	case wal.KindState:
		return r.state.Term, true
	case wal.KindSnapshot:
		return r.snapshot.Term, true
	}
	return 0, false
}

// index returns the record's index, and whether it has one.
func (r *row) index() (uint64, bool) {
	switch r.rec.Kind {
	case wal.KindEntry:
		return r.entry.Index, true
	case wal.KindSnapshot:
		return r.snapshot.Index, true
	}
	return 0, false
}

// where names the record in an error.
func (r *row) where() string {
	if r.rec.Kind == wal.KindEntry {
		return fmt.Sprintf("entry %v at %v", r.entry.ID(), r.rec.Pos)
	}
	return fmt.Sprintf("%v at %v", r.rec.Kind, r.rec.Pos)
}
