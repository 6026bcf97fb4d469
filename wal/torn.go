package wal

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/raftctl/raftctl/internal/vfs"
)

// maxTorn is the size in bytes of the largest write that is taken for one that was not finished.
// What lies further behind a damaged place was synced after it, so that the place must have been
// intact once.
const maxTorn = 16 << 20

// TornEnd tells what was cut off when the log was opened: where, and how many bytes up to the last
// one that was not zero. The length is 0 if the log ended well.
func (w *Writer) TornEnd() (at Position, size int64) { return w.torn.at, w.torn.size }

type tornEnd struct {
	at   Position
	size int64
}

// cutTorn removes everything after the last record, if that is an unfinished write. It must not
// come back after a crash: new records would then end in front of old bytes.
//
// The sectors of a write reach the disk in any order, so that intact records may follow the first
// missing sector. They go too: what was synced later would mean that nothing is missing.
func (w *Writer) cutTorn(r *replay, size int64) error {
	t := &w.tail
	last, err := lastByte(t.file, t.off, size)
	if err != nil {
		return err
	}
	torn := r.damage.Class == ClassTorn
	if !torn {
		torn, err = missesSector(t.file, t.off, size)
	}
	if err != nil {
		return err
	}
	if !torn || last-t.off > maxTorn {
		return r.damage.Err()
	}
	w.torn = tornEnd{at: r.end, size: last - t.off}
	if err := t.file.Truncate(t.off); err != nil {
		return err
	}
	return t.file.Sync()
}

// missesSector reports whether the frame at off lacks a sector: one that holds zeros where the
// frame should be. A header of 0 is such a place itself.
func missesSector(f vfs.File, off, size int64) (bool, error) {
	var header [frameHeaderSize]byte
	if _, err := f.ReadAt(header[:], off); err != nil {
		return errors.Is(err, io.EOF), ignoringEOF(err)
	}
	n, pad := parseFrameHeader(binary.LittleEndian.Uint64(header[:]))
	end := off + frameHeaderSize + n + int64(pad)
	if n > size-off-frameHeaderSize-int64(pad) {
		return false, nil
	}
	if n == 0 {
		end = nextSector(off)
	}
	var sector [sectorSize]byte
	for lo := off; lo < end; {
		hi := min(nextSector(lo), end)
		if _, err := f.ReadAt(sector[:hi-lo], lo); err != nil {
			return false, ignoringEOF(err)
		}
		if allZero(sector[:hi-lo]) {
			return true, nil
		}
		lo = hi
	}
	return false, nil
}

// nextSector returns the offset at which the sector with the byte at off ends.
func nextSector(off int64) int64 { return off - off%sectorSize + sectorSize }

// lastByte returns the offset after the last byte that is not zero, or off if there is none after
// it.
func lastByte(f vfs.File, off, size int64) (int64, error) {
	last := off
	buf := make([]byte, 1<<16)
	for lo := off; lo < size; lo += int64(len(buf)) {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), size-lo)], lo)
		if ignoringEOF(err) != nil {
			return 0, err
		}
		for i, b := range slices.Backward(buf[:n]) {
			if b != 0 {
				last = lo + int64(i) + 1
				break
			}
		}
	}
	return last, nil
}

// ignoringEOF is for reads that may go beyond the end of the file.
func ignoringEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
