package wal

import "encoding/binary"

// Frame tells what a frame says of itself, and where its parts lie. Whether its data is intact is
// another question.
type Frame struct {
	Off     int64 // where the header begins
	Size    int64 // of the record
	Pad     int   // bytes of padding
	Kind    Kind
	CRC     uint32 // as stored
	DataOff int64  // where the data begins
	DataLen int64
	HasData bool
}

// HeadSize is how much of a frame precedes its data at most.
const HeadSize = frameHeaderSize + maxPrefixSize

// ParseFrame parses the frame at off from b, which holds its first HeadSize bytes or all that remain.
// ok is false unless header and record have the form that writers give them and the frame ends before
// limit. Unpadded says that a frame without padding counts too.
func ParseFrame(b []byte, off, limit int64, unpadded bool) (f Frame, ok bool) {
	p, ok := parseFrame(b, off, limit, unpadded)
	return p.export(), ok && p.size <= maxRecordSize
}

// ParseUnframed is ParseFrame from the fields of the record alone, whatever the header says.
func ParseUnframed(b []byte, off, limit int64, unpadded bool) (f Frame, ok bool) {
	if len(b) < frameHeaderSize+minRecordSize {
		return Frame{}, false
	}
	p, ok := parseUnframed(b[frameHeaderSize:], off, limit, unpadded)
	return p.export(), ok && p.size <= maxRecordSize
}

// Place sets where the data lies, given Off, Size, Kind, CRC and HasData. ok is false if no record has
// this size.
func (f *Frame) Place() (ok bool) {
	p := f.plain()
	if !f.HasData {
		ok = p.place(uvarintSize(uint64(f.CRC)), 0)
		*f = p.export()
		return ok
	}
	for lenSize := 1; lenSize <= maxLenSize; lenSize++ {
		if p.place(uvarintSize(uint64(f.CRC)), lenSize) {
			*f = p.export()
			return true
		}
	}
	return false
}

// End returns the offset behind the frame.
func (f *Frame) End() int64 { p := f.plain(); return p.end() }

// AppendHead appends what precedes the data: the header, and the fields of the record before it.
func (f *Frame) AppendHead(dst []byte) []byte {
	h := uint64(f.Size)
	if f.Pad != 0 {
		h |= uint64(padFlag|f.Pad) << padShift
	}
	p := f.plain()
	return append(binary.LittleEndian.AppendUint64(dst, h), p.prefix(f.CRC)...)
}

// Padding returns the padding that a record of size bytes needs.
func Padding(size int64) int { return padding(size) }

func (f *frame) export() Frame {
	return Frame{f.off, f.size, f.pad, f.kind, f.crc, f.dataOff, f.dataLen, f.hasData}
}

func (f *Frame) plain() frame {
	return frame{f.Off, f.Size, f.Pad, f.Kind, f.CRC, f.DataOff, f.DataLen, f.HasData}
}

// Fit sets the size of the frame, and where its data lies, for data of n bytes.
func (f *Frame) Fit(n int64, unpadded bool) {
	f.Pad = 0
	f.Size = int64(recordSize(f.Kind, f.CRC, nil))
	if f.HasData {
		f.Size += 1 + int64(uvarintSize(uint64(n))) + n
	}
	if !unpadded {
		f.Pad = padding(f.Size)
	}
	f.Place()
}

// ParseHeader parses the header that b begins with. ok is false if no writer writes it.
func ParseHeader(b []byte, unpadded bool) (size int64, pad int, ok bool) {
	if len(b) < frameHeaderSize {
		return 0, 0, false
	}
	size, pad, ok = parseHeader(binary.LittleEndian.Uint64(b), unpadded)
	return size, pad, ok && size <= maxRecordSize
}

// ParseCRC returns the checksum that is stored in the record of the frame that b begins with. ok is
// false if its first fields don't have the form that writers give them.
func ParseCRC(b []byte) (crc uint32, ok bool) {
	if len(b) < frameHeaderSize {
		return 0, false
	}
	_, crc, n := parsePrefix(b[frameHeaderSize:])
	return crc, n > 0
}
