package edit

import "github.com/raftctl/raftctl/wal"

// Range is entries by their indexes, both included.
type Range struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Len returns how many entries there are.
func (r Range) Len() uint64 { return r.Last + 1 - r.First }

// String names the range as "entry 7" or "entries 7..9".
func (r Range) String() string { return wal.IndexRange(r).String() }

// Changes are what a plan does to the files, in the form in which it is executed.
type Changes struct {
	// Patches are bytes of segments that are corrected.
	Patches []Patch `json:"patches,omitempty"`
	// Drop are segments that are left out, Rename such as get the name that their place and contents
	// demand.
	Drop   []string `json:"drop,omitempty"`
	Rename []Rename `json:"rename,omitempty"`
	// Rewrite says from where on records are written anew; nil if all segments are copied as they are.
	Rewrite *Rewrite `json:"rewrite,omitempty"`
	// Quarantine are .snap files that are put aside under the name that etcd gives to damaged ones.
	Quarantine []string `json:"quarantine,omitempty"`
	// Snapshots are .snap files that are added.
	Snapshots []SnapFile `json:"snapshots,omitempty"`
}

// Patch is bytes of a segment that are corrected in their place.
type Patch struct {
	Segment string `json:"segment"`
	Off     int64  `json:"offset"`
	Old     Hex    `json:"old"`
	New     Hex    `json:"new"`
}

// Rename gives a segment another name.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// SnapFile is a .snap file that is made.
type SnapFile struct {
	Name string `json:"name"`
	Data []byte `json:"data_base64"`
}

// Rewrite is how a log is written anew from a place on.
type Rewrite struct {
	// From is where the part ends that is copied as it is. It is zero where nothing is.
	From Place `json:"from"`
	// Begin, if not nil, is the snapshot that the new log begins with, in place of all entries up to it.
	Begin *Begin `json:"begin,omitempty"`
	// Skip are bytes that are left out. Damage that lies outside of them is not expected.
	Skip []Span `json:"skip,omitempty"`
	// Insert are records that come in, each before the record at its place.
	Insert []Insert `json:"insert,omitempty"`
	// End is where the log ends; zero for where it ends by itself.
	End Place `json:"end"`
	// Commit bounds what hard states commit; 0 for no bound.
	Commit uint64 `json:"commit,omitempty"`
	// Ordered lets the log hold the entries that count, each once and in the order of their indexes, and nothing else
	// but snapshot records: where what was overwritten lies between what is missing.
	Ordered bool `json:"ordered,omitempty"`
	// Metadata, if not empty, is that of every segment.
	Metadata Hex `json:"metadata,omitempty"`
}

// Place is a byte offset within a segment of the source.
type Place struct {
	Segment string `json:"segment,omitempty"`
	Off     int64  `json:"offset,omitempty"`
}

// PlaceOf returns a position as a place.
func PlaceOf(p wal.Position) Place { return Place{p.Segment, p.Off} }

// Position returns the place as a position.
func (p Place) Position() wal.Position { return wal.Position{Segment: p.Segment, Off: p.Off} }

// Span is a stretch of bytes within a segment of the source.
type Span struct {
	Place
	Len int64 `json:"length"`
}

// Begin is what a log begins with that is begun anew.
type Begin struct {
	Index    uint64 `json:"index"`
	Term     uint64 `json:"term"`
	Snapshot Hex    `json:"snapshot"` // the data of the snapshot record
	State    Hex    `json:"state"`    // the data of the hard state behind it
}

// Insert is records that come in before the record at a place. It is entries of a donor, or one record.
type Insert struct {
	At Place `json:"at"`

	Donor int    `json:"donor,omitempty"` // from 1 on: which of Source.Donors; 0 for a record
	First uint64 `json:"first,omitempty"` // entries of the donor
	Last  uint64 `json:"last,omitempty"`
	Kind  uint8  `json:"kind,omitempty"` // of the record
	Data  Hex    `json:"data,omitempty"`
}
