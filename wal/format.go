package wal

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// SegmentSize is the size in bytes at which etcd begins a new segment, and to which it allocates
// the last one ahead of time. A finished segment is a little larger: it holds the records of the
// batch that reached this size, and then ends.
const SegmentSize = 64_000_000

const (
	frameHeaderSize = 8
	frameAlign      = 8

	// sectorSize is the unit that a disk writes as a whole or not at all: the old bytes, in a new
	// segment zeros, tell which part of a torn write is missing.
	sectorSize = 512

	// minRecordSize is the size of the smallest record: 08 04 10 00, a crc record with checksum 0.
	minRecordSize = 4

	// maxPrefixSize is the largest size of what precedes the data in a record as etcd writes it:
	// type, crc of up to 5 bytes, length of up to 10 bytes, and their tags.
	maxPrefixSize = 2 + 1 + 5 + 1 + 10

	// maxLenSize is the largest size of the data's length in a record of at most maxRecordSize.
	maxLenSize = 5
)

const (
	sizeMask = 1<<56 - 1 // the bits of a frame header that hold the record's size
	padShift = 56
	padFlag  = 0x80 // set in the top byte when there is padding
	padMask  = 0x07
)

// The header of a frame, a little-endian uint64:
//
//	 63 62    59 58  56 55                            0
//	+--+--------+------+-------------------------------+
//	|P |   0    | pad  | size of the record in bytes   |
//	+--+--------+------+-------------------------------+
//
// P is set when pad is not 0. The record follows, then pad zero bytes, so that the next frame
// begins at a multiple of 8.

// parseFrameHeader returns what a frame header says: the size of the record and the number of bytes
// of padding after it. Size is below 1<<56 and pad below 8, whatever h is.
func parseFrameHeader(h uint64) (size int64, pad int) {
	if h>>63 != 0 {
		pad = int(h>>padShift) & padMask
	}
	return int64(h & sizeMask), pad
}

// isUnpaddedHeader reports whether h is the header of a frame without padding, which etcd 2.x wrote
// whatever the size of the record: the next frame begins where the record ends.
func isUnpaddedHeader(h uint64) bool { return h>>padShift == 0 && h >= minRecordSize }

// parseHeader is parseFrameHeader for a header that a writer could have written, which ok reports.
// Unpadded says that frames without padding count too.
func parseHeader(h uint64, unpadded bool) (size int64, pad int, ok bool) {
	size, pad = parseFrameHeader(h)
	return size, pad, isCanonicalHeader(h) || unpadded && isUnpaddedHeader(h)
}

// frameHeader returns the header of a frame for a record of size bytes, and its padding.
func frameHeader(size int) (h uint64, pad int) {
	h, pad = uint64(size), padding(int64(size))
	if pad != 0 {
		h |= uint64(padFlag|pad) << padShift
	}
	return h, pad
}

// padding returns how many bytes are missing from size to a multiple of 8.
func padding(size int64) int { return int(-size & (frameAlign - 1)) }

// isCanonicalHeader reports whether a writer could have written h: a header with the padding that
// its size needs, and no other bit set.
func isCanonicalHeader(h uint64) bool {
	size := h & sizeMask
	pad := -size & (frameAlign - 1)
	top := pad
	if pad != 0 {
		top |= padFlag
	}
	return h>>padShift == top && size >= minRecordSize
}

// The tags of a record's fields.
const (
	tagRecordType = 0x08
	tagRecordCRC  = 0x10
	tagRecordData = 0x1a
)

// appendFrame appends a frame: header, record and padding, as etcd writes them. The checksum must
// include data already. Nil data leaves its field out; empty data does not.
//
//	+----+------+----+-----+----+-----+------+
//	| 08 | kind | 10 | crc | 1a | len | data |
//	+----+------+----+-----+----+-----+------+
func appendFrame(dst []byte, k Kind, crc uint32, data []byte) []byte {
	h, pad := frameHeader(recordSize(k, crc, data))
	dst = binary.LittleEndian.AppendUint64(dst, h)
	dst = appendPrefix(dst, k, crc, data)
	dst = append(dst, data...)
	return append(dst, make([]byte, pad)...)
}

// appendPrefix appends what precedes the data in a record.
func appendPrefix(dst []byte, k Kind, crc uint32, data []byte) []byte {
	dst = append(dst, tagRecordType)
	dst = binary.AppendUvarint(dst, uint64(k))
	dst = append(dst, tagRecordCRC)
	dst = binary.AppendUvarint(dst, uint64(crc))
	if data == nil {
		return dst
	}
	dst = append(dst, tagRecordData)
	return binary.AppendUvarint(dst, uint64(len(data)))
}

// recordSize returns the size of the record that appendFrame appends, without header and padding.
func recordSize(k Kind, crc uint32, data []byte) int {
	size := 1 + uvarintSize(uint64(k)) + 1 + uvarintSize(uint64(crc))
	if data == nil {
		return size
	}
	return size + 1 + uvarintSize(uint64(len(data))) + len(data)
}

// uvarintSize returns the number of bytes of v as a varint.
func uvarintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// updateCRC returns the checksum of a chain with data appended to it: CRC-32C, beginning at 0.
func updateCRC(crc uint32, data []byte) uint32 { return crc32.Update(crc, castagnoli, data) }
