package wal

import (
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

const (
	probeChunk = 256 << 10

	// Searching behind damage means computing checksums that may prove nothing. A file that was
	// made to look like frames everywhere could make that take quadratic time, so that all such
	// checksums of a segment may cover budgetFactor times its size and no more.
	budgetFactor = 8
	minBudget    = 16 << 20
	minCharge    = sectorSize // what a candidate costs, however short its data is
)

// probe reads ahead in a segment, to prove or refute what a frame may be. After an error it finds
// nothing more; its users look at err when they are done.
type probe struct {
	src       io.ReaderAt
	size      int64
	kinds     *Dialect
	buf       []byte
	unpadded  bool  // the segment holds frames without padding: see unpaddedFrame
	budget    int64 // bytes that may still be summed up
	exhausted bool  // the budget was not enough
	err       error
}

func newProbe(src io.ReaderAt, size int64, kinds *Dialect) probe {
	return probe{src: src, size: size, kinds: kinds, budget: max(minBudget, budgetFactor*size)}
}

// read returns up to n bytes at off, at most probeChunk, fewer where the file ends.
func (p *probe) read(off, n int64) []byte {
	if p.err != nil || off < 0 || off >= p.size {
		return nil
	}
	n = min(n, probeChunk, p.size-off)
	if n > int64(len(p.buf)) {
		p.buf = make([]byte, min(probeChunk, p.size))
	}
	b := p.buf[:n]
	m, err := p.src.ReadAt(b, off)
	if err != nil && err != io.EOF { // EOF: the file has become shorter
		p.err = err
		return nil
	}
	return b[:m]
}

// header is parseHeader for the frames of this segment.
func (p *probe) header(h uint64) (size int64, pad int, ok bool) { return parseHeader(h, p.unpadded) }

// frame returns the frame at off, if header, record and padding have the form that writers give
// them.
func (p *probe) frame(off int64) (frame, bool) {
	f, ok := parseFrame(p.read(off, frameHeaderSize+maxPrefixSize), off, p.size, p.unpadded)
	if !ok || p.kinds.row(f.kind) == nil || f.hasData == (f.kind == KindCRC) {
		return frame{}, false
	}
	return f, p.firstNonzero(f.end()-int64(f.pad), f.end()) == f.end()
}

// sum returns the checksum of a chain with n bytes at off appended to it. ok is false if that would
// cost more than is left of the budget.
func (p *probe) sum(crc uint32, off, n int64) (sum uint32, ok bool) {
	if p.budget -= max(n, minCharge); p.budget < 0 {
		p.exhausted = true
		return 0, false
	}
	for hi := off + n; off < hi; {
		b := p.read(off, hi-off)
		if len(b) == 0 {
			return 0, false
		}
		crc = updateCRC(crc, b)
		off += int64(len(b))
	}
	return crc, true
}

// chains reports whether f continues a chain with checksum crc. A crc record does when it says the
// same checksum.
func (p *probe) chains(crc uint32, f *frame) bool {
	sum, ok := p.sum(crc, f.dataOff, f.dataLen)
	return ok && sum == f.crc
}

// proves is chains for a frame that is expected to: it costs nothing if it does.
func (p *probe) proves(crc uint32, f *frame) bool {
	before := p.budget
	if !p.chains(crc, f) {
		return false
	}
	p.budget = before
	return true
}

// follows reports whether the frame at off continues a chain with checksum crc.
func (p *probe) follows(crc uint32, off int64) bool {
	f, ok := p.frame(off)
	return ok && p.chains(crc, &f)
}

// firstNonzero returns the offset of the first byte in [lo, hi) that is not zero, or hi.
func (p *probe) firstNonzero(lo, hi int64) int64 {
	for lo < hi {
		b := p.read(lo, hi-lo)
		if len(b) == 0 {
			return hi
		}
		if i := indexNonzero(b); i < len(b) {
			return lo + int64(i)
		}
		lo += int64(len(b))
	}
	return hi
}

// lastNonzero returns the offset after the last byte in [lo, hi) that is not zero, or lo.
func (p *probe) lastNonzero(lo, hi int64) int64 {
	for hi > lo {
		from := max(lo, hi-probeChunk)
		b := p.read(from, hi-from)
		for i := len(b); i > 0; i-- {
			if b[i-1] != 0 {
				return from + int64(i)
			}
		}
		hi = from
	}
	return lo
}

// zeroSectors returns the offset of the first sector that begins in [lo, hi) and is all zero, and
// how many there are. A sector counts only if the file holds all of it.
func (p *probe) zeroSectors(lo, hi int64) (first int64, n int) {
	lo, hi = alignUp(lo, sectorSize), min(alignUp(hi, sectorSize), p.size)
	for lo+sectorSize <= hi {
		b := p.read(lo, hi-lo)
		if len(b) < sectorSize {
			break
		}
		for ; len(b) >= sectorSize; b, lo = b[sectorSize:], lo+sectorSize {
			if [sectorSize]byte(b) != zeroChunk {
				continue
			}
			if n == 0 {
				first = lo
			}
			n++
		}
	}
	return first, n
}

// entryAfter returns the first entry from off on in a chain with checksum crc, zero if there is
// none nearby.
func (p *probe) entryAfter(crc uint32, off int64) raftpb.EntryID {
	const nearby = 64 // records; between entries there are few others
	for range nearby {
		f, ok := p.frame(off)
		if !ok || !p.proves(crc, &f) {
			break
		}
		if f.kind == KindEntry {
			return p.entryID(&f)
		}
		crc, off = f.crc, f.end()
	}
	return raftpb.EntryID{}
}

// entryID returns the position of the entry in f.
func (p *probe) entryID(f *frame) raftpb.EntryID {
	if f.dataLen > probeChunk {
		// The data proper makes no difference: only what precedes it is looked at.
		_, id, _ := raftpb.ReadEntryHeader(p.read(f.dataOff, probeChunk))
		return id
	}
	return entryID(p.read(f.dataOff, f.dataLen))
}

func alignUp(off, unit int64) int64 { return (off + unit - 1) / unit * unit }

// indexNonzero returns the index of the first byte of b that is not zero, or len(b).
func indexNonzero(b []byte) int {
	i := 0
	for i+len(zeroChunk) <= len(b) && [len(zeroChunk)]byte(b[i:]) == zeroChunk {
		i += len(zeroChunk)
	}
	for i < len(b) && b[i] == 0 {
		i++
	}
	return i
}

var zeroChunk [sectorSize]byte
