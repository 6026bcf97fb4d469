package wal

import (
	"encoding/binary"
	"math"

	"github.com/raftctl/raftctl/internal/wirefield"
)

// frame is a frame whose header and record have the form that a writer gives them. Whether its data
// is intact is another question.
type frame struct {
	off     int64 // where the header begins
	size    int64 // of the record
	pad     int
	kind    Kind
	crc     uint32 // as stored
	dataOff int64  // where the data begins
	dataLen int64
	hasData bool
}

// end returns the offset after the frame.
func (f *frame) end() int64 { return f.off + frameHeaderSize + f.size + int64(f.pad) }

// len returns the size of the frame: header, record and padding.
func (f *frame) len() int64 { return f.end() - f.off }

// parsePrefix parses the beginning of a record up to and including its checksum, in the one form
// that writers give it. n is the number of bytes, 0 if b has another form.
func parsePrefix(b []byte) (k Kind, crc uint32, n int) {
	if len(b) < minRecordSize || b[0] != tagRecordType || b[1] >= 0x80 || b[2] != tagRecordCRC {
		return 0, 0, 0
	}
	if len(b) >= 11 {
		// Nearly all checksums have five bytes. The fifth holds the upper four bits, not all zero.
		v := binary.LittleEndian.Uint64(b[3:])
		if v&0xf0_80808080 == 0x80808080 && v>>32&0xff != 0 {
			crc = uint32(v&0x7f | v>>1&0x3f80 | v>>2&0x1fc000 | v>>3&0xfe00000 | v>>4&0xf0000000)
			return Kind(b[1]), crc, 8
		}
	}
	v, m := wirefield.MinimalUvarint(b[3:])
	if m == 0 || v > math.MaxUint32 {
		return 0, 0, 0
	}
	return Kind(b[1]), uint32(v), 3 + m
}

// parseDataField parses the tag and the length that precede the data in a record. n is their number
// of bytes, 0 if b doesn't begin with them.
func parseDataField(b []byte) (size uint64, n int) {
	if len(b) < 2 || b[0] != tagRecordData {
		return 0, 0
	}
	if b[1] < 0x80 {
		return uint64(b[1]), 2
	}
	if len(b) > 2 && b[2] < 0x80 && b[2] != 0 {
		return uint64(b[2])<<7 | uint64(b[1]&0x7f), 3
	}
	size, m := wirefield.MinimalUvarint(b[1:])
	if m == 0 {
		return 0, 0
	}
	return size, 1 + m
}

// parseRecord parses a whole record. ok is false if it has another form than writers give it. Data
// is nil if its field is absent, and aliases rec.
func parseRecord(rec []byte) (k Kind, crc uint32, data []byte, ok bool) {
	k, crc, n := parsePrefix(rec)
	if n == 0 {
		return 0, 0, nil, false
	}
	if n == len(rec) {
		return k, crc, nil, true
	}
	size, m := parseDataField(rec[n:])
	n += m
	if m == 0 || size != uint64(len(rec)-n) {
		return 0, 0, nil, false
	}
	return k, crc, rec[n:len(rec):len(rec)], true
}

// parseFrame parses the beginning of a frame at off from b, which holds its first
// frameHeaderSize+maxPrefixSize bytes or all bytes that remain. ok is false unless header and
// record have the form that writers give them and lie before limit. Unpadded says that frames
// without padding count too.
func parseFrame(b []byte, off, limit int64, unpadded bool) (f frame, ok bool) {
	if len(b) < frameHeaderSize+minRecordSize {
		return frame{}, false
	}
	f.off = off
	f.size, f.pad, ok = parseHeader(binary.LittleEndian.Uint64(b), unpadded)
	if !ok || f.len() > limit-off {
		return frame{}, false
	}
	b = b[frameHeaderSize:]
	b = b[:min(int64(len(b)), f.size)]
	return f, f.parse(b)
}

// parse fills in what the record says of itself. b is the record, or its beginning.
func (f *frame) parse(b []byte) bool {
	k, crc, n := parsePrefix(b)
	if n == 0 {
		return false
	}
	f.kind, f.crc = k, crc
	f.dataOff = f.off + frameHeaderSize + int64(n)
	if int64(n) == f.size {
		return true
	}
	size, m := parseDataField(b[n:])
	if m == 0 || size != uint64(f.size-int64(n+m)) {
		return false
	}
	f.dataOff += int64(m)
	f.dataLen, f.hasData = int64(size), true
	return true
}

// parseUnframed parses a record from its own fields alone, as if its header were unknown. ok is
// false unless it has the form that writers give it and lies before limit.
func parseUnframed(b []byte, off, limit int64, unpadded bool) (f frame, ok bool) {
	k, crc, n := parsePrefix(b)
	if n == 0 {
		return frame{}, false
	}
	f = frame{off: off, kind: k, crc: crc, size: int64(n)}
	if k != KindCRC {
		size, m := parseDataField(b[n:])
		if m == 0 || size > uint64(limit) {
			return frame{}, false
		}
		f.size += int64(m) + int64(size)
		f.dataLen, f.hasData = int64(size), true
		n += m
	}
	f.dataOff = off + frameHeaderSize + int64(n)
	if !unpadded {
		f.pad = padding(f.size)
	}
	return f, f.len() <= limit-off
}
