package logrow

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Row is a record as commands show it: taken apart as far as is asked for. It is used again for every
// record, and aliases the reader's buffer.
type Row struct {
	Rec     *wal.Record
	Bad     error // the record's data is not what its kind says
	Live    bool  // an entry that no later record overwrites; unknown is true
	Foreign bool  // of another log: it counts for nothing

	Entry    raftpb.Entry     // of KindEntry
	State    raftpb.HardState // of KindState
	Snapshot wal.Snapshot     // of KindSnapshot
	Metadata wal.Metadata     // of KindMetadata

	Failed error // the decoder is of no use any more

	Options
	payload decode.Request // of the entry, once decoded
	decoded bool
	text    []byte // holds a summary
	shapes  where.Shapes[*Row, shape]
}

// Options says how records are shown: all those of a Row alike.
type Options struct {
	Decoder  decode.Decoder
	Style    decode.Style
	Path     string          // of the log, where there are several
	Physical bool            // with all that is known of the record itself
	Raw      bool            // the data of entries is shown as it is
	Who      *decode.Members // those that may have proposed entries; nil: it isn't shown
	Times    *decode.Times   // when entries were written; nil: it isn't shown
}

// NewRow returns a Row for records that are shown in one way.
func NewRow(o Options) *Row { return &Row{Options: o} }

// Place returns the offset that the record is told with. Damage lies where verify finds it, which may
// be within the record that it is about.
func (r *Row) Place() int64 {
	if r.Rec.Kind == wal.KindDamage {
		return r.Rec.Damage.Pos.Off
	}
	return r.Rec.Pos.Off
}

// Set takes a record apart. The entry's payload is left for later.
func (r *Row) Set(rec *wal.Record) {
	r.Rec, r.Bad, r.decoded, r.Live, r.Foreign = rec, nil, false, true, false
	switch rec.Kind {
	case wal.KindEntry:
		r.Bad = r.Entry.UnmarshalAlias(rec.Data)
	case wal.KindState:
		r.Bad = r.State.Unmarshal(rec.Data)
	case wal.KindSnapshot:
		r.Bad = r.Snapshot.Unmarshal(rec.Data)
	case wal.KindMetadata:
		r.Bad = r.Metadata.Unmarshal(rec.Data)
	}
}

// Request returns what the entry asks for. An entry that the decoder can't read says so in its
// summary.
func (r *Row) Request() *decode.Request {
	if r.decoded {
		return &r.payload
	}
	r.decoded = true
	if err := r.Decoder.Decode(&r.payload, &r.Entry); err != nil && !isPayloadError(err) {
		r.Failed = err
	}
	return &r.payload
}

func isPayloadError(err error) bool {
	var unreadable *decode.PayloadError
	return errors.As(err, &unreadable)
}

// Term returns the record's term, and whether it has one.
func (r *Row) Term() (uint64, bool) {
	if r.Bad != nil {
		return 0, false
	}
	switch r.Rec.Kind {
	case wal.KindEntry:
		return r.Entry.Term, true
	case wal.KindState:
		return r.State.Term, true
	case wal.KindSnapshot:
		return r.Snapshot.Term, true
	}
	return 0, false
}

// Index returns the record's index, and whether it has one.
func (r *Row) Index() (uint64, bool) {
	if r.Bad != nil {
		return 0, false
	}
	switch r.Rec.Kind {
	case wal.KindEntry:
		return r.Entry.Index, true
	case wal.KindSnapshot:
		return r.Snapshot.Index, true
	}
	return 0, false
}

// Where names the record in an error.
func (r *Row) Where() string {
	if r.Rec.Kind == wal.KindEntry {
		return fmt.Sprintf("entry %v at %v", r.Entry.ID(), r.Rec.Pos)
	}
	return fmt.Sprintf("%v at %v", r.Rec.Kind, r.Rec.Pos)
}

// RawData returns the bytes to show as they are: an entry's data, or all of a record that can't be
// taken apart. Secrets are masked unless they are asked for; where nothing tells where they would
// be, there are no bytes to show.
func (r *Row) RawData() (data []byte, ok bool) {
	isEntry := r.Rec.Kind == wal.KindEntry
	switch {
	case r.Bad != nil:
		return r.Rec.Data, !isEntry || r.Style.ShowSecrets
	case !isEntry || !r.Raw:
		return nil, false
	case r.Style.ShowSecrets || r.Entry.Type != raftpb.EntryNormal:
		return r.Entry.Data, true
	}
	return decode.Masked(r.text, r.Entry.Data), true
}
