package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
)

// The sizes of what the format has, in bytes.
const (
	pageHeaderSize   = 16
	metaSize         = 64 // of a meta page, with its checksum, behind the page's header
	branchElementLen = 16
	leafElementLen   = 16
	bucketHeaderSize = 16

	// MinPageSize and MaxPageSize bound what this package takes for a page size. bbolt uses that of
	// the machine's memory, which no system has outside these bounds.
	MinPageSize = 1 << 9
	MaxPageSize = 1 << 20
)

// The flags of a page.
const (
	flagBranch   uint16 = 0x01
	flagLeaf     uint16 = 0x02
	flagMeta     uint16 = 0x04
	flagFreelist uint16 = 0x10
)

const (
	magic      uint32 = 0xed0cdaed
	version    uint32 = 2
	bucketFlag uint32 = 1 // of a leaf element

	// NoFreelist is the page of the freelist in a meta page that has none: it is made anew when the
	// database is opened for writing.
	NoFreelist uint64 = math.MaxUint64
)

// Meta is what a meta page says.
type Meta struct {
	PageSize  int64  // bytes
	Root      uint64 // page of the root bucket
	Sequence  uint64 // of the root bucket
	Freelist  uint64 // page of the freelist, or NoFreelist
	HighWater uint64 // the first page that was never used
	TxID      uint64 // of the transaction that wrote it
}

// errMagic is returned for bytes that were never a meta page.
var errMagic = errors.New("no meta page")

// parseMeta reads a meta page, which begins at b[0].
func parseMeta(b []byte) (Meta, error) {
	le := binary.LittleEndian
	if len(b) < pageHeaderSize+metaSize {
		return Meta{}, fmt.Errorf("%w: %d bytes, want %d", errMagic, len(b), pageHeaderSize+metaSize)
	}
	m := b[pageHeaderSize : pageHeaderSize+metaSize]
	if got := le.Uint32(m); got != magic {
		if binary.BigEndian.Uint32(m) == magic {
			return Meta{}, errors.New("written on a big-endian machine, which is not supported")
		}
		return Meta{}, fmt.Errorf("%w: magic %08x, want %08x", errMagic, got, magic)
	}
	if got := le.Uint32(m[4:]); got != version {
		return Meta{}, fmt.Errorf("version %d of the format, want %d", got, version)
	}
	sum := fnv.New64a()
	_, _ = sum.Write(m[:56]) // a hash never fails
	if got, want := le.Uint64(m[56:]), sum.Sum64(); got != want {
		return Meta{}, fmt.Errorf("checksum %016x, want %016x", got, want)
	}
	meta := Meta{
		PageSize: int64(le.Uint32(m[8:])), Root: le.Uint64(m[16:]), Sequence: le.Uint64(m[24:]),
		Freelist: le.Uint64(m[32:]), HighWater: le.Uint64(m[40:]), TxID: le.Uint64(m[48:]),
	}
	if s := meta.PageSize; s < MinPageSize || s > MaxPageSize || s&(s-1) != 0 {
		return Meta{}, fmt.Errorf("page size %d, want a power of two from %d to %d",
			s, MinPageSize, MaxPageSize)
	}
	return meta, nil
}

// SavedPages returns both meta pages as bbolt writes them at the start of a copy of a database as it was
// after a transaction: the second says the same as the first, but for the transaction, which is the
// one before.
func (m Meta) SavedPages(txid uint64) []byte {
	le := binary.LittleEndian
	b := make([]byte, 2*m.PageSize)
	for id := range uint64(2) {
		page := b[int64(id)*m.PageSize:]
		le.PutUint64(page, id)
		le.PutUint16(page[8:], flagMeta)
		m.put(page[pageHeaderSize:], txid-id)
	}
	return b
}

// put writes what a meta page says, for a transaction.
func (m Meta) put(b []byte, txid uint64) {
	le := binary.LittleEndian
	le.PutUint32(b, magic)
	le.PutUint32(b[4:], version)
	le.PutUint32(b[8:], uint32(m.PageSize))
	le.PutUint64(b[16:], m.Root)
	le.PutUint64(b[24:], m.Sequence)
	le.PutUint64(b[32:], m.Freelist)
	le.PutUint64(b[40:], m.HighWater)
	le.PutUint64(b[48:], txid)
	sum := fnv.New64a()
	_, _ = sum.Write(b[:56]) // a hash never fails
	le.PutUint64(b[56:], sum.Sum64())
}

// header is that of a page.
type header struct {
	id       uint64
	flags    uint16
	count    uint16
	overflow uint32
}

func parseHeader(b []byte) header {
	le := binary.LittleEndian
	return header{le.Uint64(b), le.Uint16(b[8:]), le.Uint16(b[10:]), le.Uint32(b[12:])}
}

// kind names what a page is by its flags.
func (h header) kind() string {
	switch h.flags {
	case flagBranch:
		return "branch"
	case flagLeaf:
		return "leaf"
	case flagMeta:
		return "meta"
	case flagFreelist:
		return "freelist"
	}
	return fmt.Sprintf("unknown (flags %#x)", h.flags)
}

// branchElement returns what element i of a branch page refers to. The page was validated.
func branchElement(b []byte, i int) (key []byte, child uint64) {
	le := binary.LittleEndian
	off := pageHeaderSize + i*branchElementLen
	e := b[off : off+branchElementLen]
	at := off + int(le.Uint32(e))
	return b[at : at+int(le.Uint32(e[4:]))], le.Uint64(e[8:])
}

// leafElement returns element i of a leaf page. The page was validated.
func leafElement(b []byte, i int) (key, value []byte, isBucket bool) {
	le := binary.LittleEndian
	off := pageHeaderSize + i*leafElementLen
	e := b[off : off+leafElementLen]
	at := off + int(le.Uint32(e[4:]))
	end := at + int(le.Uint32(e[8:]))
	return b[at:end:end], b[end : end+int(le.Uint32(e[12:]))], le.Uint32(e)&bucketFlag != 0
}

// ElementError says which element of a page is wrong.
type ElementError struct {
	Element int
	Off     int64 // of the element, in bytes from the start of the page
	Err     error
}

// Error formats the error as "element 3: key of 4294967295 bytes, 4016 remain".
func (e *ElementError) Error() string { return fmt.Sprintf("element %d: %v", e.Element, e.Err) }

// Unwrap returns Err.
func (e *ElementError) Unwrap() error { return e.Err }
