package wal

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// maxLookBack is how many bytes before a record are searched for the one before it, which holds the
// checksum that the record's data continues. Larger records are rare, and a search backwards takes
// a moment for every megabyte.
const maxLookBack = 4 << 20

// ReadAt returns the record that begins at a position. It reads no more than the record and what
// proves it: the one before it holds the checksum that its data continues. Where that can't be found,
// as behind damage, the record is Unchecked if the one behind it proves that it was written there.
// Its data is the caller's.
//
// The error is ErrNoRecord if nothing at the position proves to be a record, or that of a read.
func (l *Log) ReadAt(at Position) (*Record, error) {
	i := slices.IndexFunc(l.segments, func(s Segment) bool { return s.File == at.Segment })
	if i < 0 {
		return nil, noRecord(at, "the log has no such segment")
	}
	s, release, err := l.scan(i, 0, false)
	if err != nil {
		return nil, err
	}
	defer release()
	s.off = at.Off
	rec, why := s.recordAt()
	if s.probe.err != nil {
		return nil, s.fail(s.probe.err)
	}
	if rec == nil {
		return nil, noRecord(at, why)
	}
	return rec, nil
}

func noRecord(at Position, why string) error { return fmt.Errorf("%v: %w: %s", at, ErrNoRecord, why) }

// recordAt returns the record at off, or why there is none.
func (s *scanner) recordAt() (rec *Record, why string) {
	p := &s.probe
	f, ok := p.frame(s.off)
	if !ok || f.size > maxRecordSize {
		return nil, fmt.Sprintf("the bytes there, %x, begin no frame",
			p.read(s.off, frameHeaderSize+minRecordSize))
	}
	checked := s.checkedBy(&f)
	if !checked && !s.proven(f.crc, f.end()) {
		return nil, fmt.Sprintf("neither the record before nor the one behind proves crc %08x", f.crc)
	}
	b := make([]byte, f.len())
	if n, err := s.file.ReadAt(b, f.off); n < len(b) {
		p.err = err
		return nil, ""
	}
	rec = &Record{
		Kind: f.kind, Pos: Position{s.name, f.off}, Len: f.len(), Pad: f.pad,
		CRC: f.crc, Sum: f.crc, Unchecked: !checked,
	}
	if f.hasData {
		lo := f.dataOff - f.off
		rec.Data = b[lo : lo+f.dataLen : lo+f.dataLen]
	}
	before := prior{n: s.placeOf(f.off), lost: f.off > 0}
	rec.Kind, _ = s.kinds.kindOf(&before, f.kind, rec.Data)
	rec.ID = before.add(rec.Kind, rec.Data)
	return rec, ""
}

// placeOf returns how many records of the segment lie before off, or some number above metadataPlace.
func (s *scanner) placeOf(off int64) int {
	if off == 0 {
		return 0
	}
	if head, ok := s.probe.frame(0); ok && head.end() == off {
		return metadataPlace
	}
	return metadataPlace + 1
}

// checkedBy reports whether the data of f continues the checksum of the record before it. A crc
// record without one has no data to check.
func (s *scanner) checkedBy(f *frame) bool {
	if f.off == 0 {
		return f.kind == KindCRC && !f.hasData
	}
	// Frames are aligned, but those of etcd 2.x, which wrote no padding.
	for _, step := range []int64{frameAlign, 1} {
		for off := range s.framesEndingAt(f.off, step) {
			before, ok := s.probe.frame(off)
			if ok && s.probe.chains(before.crc, f) {
				return true
			}
		}
	}
	return false
}

// framesEndingAt yields the offsets, nearest first, at which a frame may begin that ends at end.
func (s *scanner) framesEndingAt(end, step int64) func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		buf := make([]byte, min(windowSize, end)+frameHeaderSize)
		floor := max(0, end-maxLookBack)
		for hi := end; hi > floor; {
			lo := max(floor, hi-int64(len(buf))+frameHeaderSize)
			n, _ := s.file.ReadAt(buf[:min(int64(len(buf)), end-lo)], lo)
			for off := hi - step; off >= lo; off -= step {
				if off-lo+frameHeaderSize > int64(n) {
					continue
				}
				size, pad := parseFrameHeader(binary.LittleEndian.Uint64(buf[off-lo:]))
				if off+frameHeaderSize+size+int64(pad) == end && !yield(off) {
					return
				}
			}
			hi = lo
		}
	}
}
