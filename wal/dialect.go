package wal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Dialect is what one application's logs hold within the container that all share: how its segments
// are named, which kinds of records there are, and what a segment begins with. [Etcd] is the one
// that everything uses unless told otherwise.
//
// Files, frames, checksums and ends are the container's, and so is a segment's head: a crc record,
// then metadata, the same in every segment. Behind it stands what the dialect carries over from the
// segment before: of each kind that is Carried the last record. Then the log goes on.
type Dialect struct {
	suffix string
	begin  []headRecord // what a new log begins with
	kinds  []kindRow    // in ascending order of kind
	at     [maxKinds]uint8
}

// headRecord is a record behind a segment's crc record and metadata: one that a new log begins with,
// or that is carried over.
type headRecord struct {
	kind Kind
	data []byte
}

// KindOwn is the lowest number of a kind that a dialect may define. Those below are etcd's, so that
// no record of one application can be taken for another's.
const KindOwn Kind = 16

// maxKinds is the number of kinds that the one byte of a record's type can tell apart.
const maxKinds = 1 << 7

// DialectOptions describe a dialect.
type DialectOptions struct {
	Suffix string // of the segments' file names, such as ".rec"; they are named like etcd's otherwise

	// Metadata reports whether data is a metadata record of the application. Nil accepts any.
	Metadata func(data []byte) bool

	Kinds []KindOptions // those of the application
}

// KindOptions describe a kind of records that an application defines. They may stand anywhere behind
// a segment's head.
type KindOptions struct {
	Kind Kind   // KindOwn or above, below 128
	Name string // as the JSON contract spells it

	// Fits reports whether data has the form in which the application writes this kind, and only
	// that. It is what tells a damaged type from another kind: the checksum doesn't cover it.
	Fits func(data []byte) bool

	// Decodes reports whether data is a message of this kind at all, perhaps with fields that are not
	// known yet. Nil: only what fits.
	Decodes func(data []byte) bool

	// Carried says that the last record of this kind is repeated at the head of the next segment, as
	// etcd repeats the hard state: a reader that begins there needs it.
	Carried bool
}

// NewDialect returns a dialect. The error says what is wrong with the description.
func NewDialect(o DialectOptions) (*Dialect, error) {
	if len(o.Suffix) < 2 || o.Suffix[0] != '.' || strings.Contains(o.Suffix[1:], ".") {
		return nil, fmt.Errorf("suffix %q, want a dot and letters", o.Suffix)
	}
	rows := []kindRow{ownMetadata(o.Metadata), crcRow}
	for _, k := range o.Kinds {
		if k.Kind < KindOwn || k.Kind >= maxKinds {
			return nil, fmt.Errorf("kind %d, want %d to %d", k.Kind, KindOwn, maxKinds-1)
		}
		if k.Name == "" || k.Fits == nil {
			return nil, fmt.Errorf("kind %d has no name, or nothing tells what fits", k.Kind)
		}
		rows = append(rows, ownRow(k))
	}
	d := newDialect(o.Suffix, rows)
	if len(d.kinds) != len(rows) {
		return nil, errors.New("two rows are for one kind")
	}
	return d, nil
}

func newDialect(suffix string, rows []kindRow) *Dialect {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b kindRow) int { return int(a.kind) - int(b.kind) })
	rows = slices.CompactFunc(rows, func(a, b kindRow) bool { return a.kind == b.kind })
	d := &Dialect{suffix: suffix, kinds: rows}
	for i := range rows {
		d.at[rows[i].kind] = uint8(i + 1)
	}
	return d
}

// ownMetadata is the row of metadata in a dialect other than etcd's.
func ownMetadata(fits func([]byte) bool) kindRow {
	if fits == nil {
		fits = func(data []byte) bool { return data != nil }
	}
	return kindRow{
		kind: KindMetadata, name: "metadata", fits: fits, decodes: fits,
		stands: func(t *prior, _ []byte) bool { return t.n == metadataPlace },
	}
}

func ownRow(o KindOptions) kindRow {
	row := kindRow{
		kind: o.Kind, name: o.Name, fits: o.Fits, decodes: o.Decodes, carried: o.Carried,
		stands: func(t *prior, _ []byte) bool { return t.n > metadataPlace || t.lost },
	}
	if row.decodes == nil {
		row.decodes = row.fits
	}
	return row
}

// row returns the row of a kind, nil if the dialect has no such kind.
func (d *Dialect) row(k Kind) *kindRow {
	if k >= maxKinds || d.at[k] == 0 {
		return nil
	}
	return &d.kinds[d.at[k]-1]
}

// Suffix returns how the names of the segments end.
func (d *Dialect) Suffix() string { return d.suffix }

// KindName returns the name of a kind as the JSON contract spells it.
func (d *Dialect) KindName(k Kind) string {
	if row := d.row(k); row != nil {
		return row.name
	}
	if k == KindDamage {
		return "damage"
	}
	return "kind " + strconv.Itoa(int(k))
}

// numbers names the kinds by their numbers.
func (d *Dialect) numbers() string {
	first, last := d.kinds[0].kind, d.kinds[len(d.kinds)-1].kind
	if int(last-first) == len(d.kinds)-1 {
		return fmt.Sprintf("%d to %d", first, last)
	}
	var names []string
	for i := range d.kinds {
		names = append(names, strconv.Itoa(int(d.kinds[i].kind)))
	}
	return strings.Join(names, ", ")
}

// orEtcd returns d, or etcd's dialect if it is nil.
func (d *Dialect) orEtcd() *Dialect {
	if d == nil {
		return Etcd
	}
	return d
}

// Kinds returns the kinds of records of the dialect, in ascending order.
func (d *Dialect) Kinds() []Kind {
	kinds := make([]Kind, len(d.kinds))
	for i := range d.kinds {
		kinds[i] = d.kinds[i].kind
	}
	return kinds
}
