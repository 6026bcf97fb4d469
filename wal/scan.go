package wal

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// maxUnproven is the largest frame that is read into memory before its checksum was found good. It
// bounds what a damaged length can make the reader allocate.
const maxUnproven = 1 << 20

// maxRecordSize is the largest record that is taken for one: peers of a cluster accept no larger
// message from each other, so that no larger entry can reach a log.
const maxRecordSize = 512 << 20

// segmentFile is an open segment.
type segmentFile interface {
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

// scanOptions says what is known about a segment before it is read.
type scanOptions struct {
	name  string   // file name without directory
	kinds *Dialect // what its records can be; nil for etcd's
	size  int64    // bytes of the file
	tail  bool     // nothing follows: zeros may end the segment, and so may a torn write
	still bool     // nobody writes: whoever reads holds the lock
	wait  bool     // the end may not be the end yet: next returns nil there and can be called again

	// seed is the checksum of the chain before the segment, if seeded.
	seed   uint32
	seeded bool

	// nextSeed returns the checksum that the next segment begins with. It is called only when it is
	// needed to tell what is damaged, and may be nil.
	nextSeed func() (crc uint32, ok bool)
}

// scanner reads the records of one segment in the order of their bytes: for whoever reads a log,
// verifies or follows it. Two others walk over frames: etcdScanner, which repeats what etcd does, and
// candidates, which looks for frames behind damage. What a writer wrote takes a short path (quick)
// that allocates nothing; anything else is judged at leisure.
type scanner struct {
	scanOptions
	file  segmentFile
	win   window
	probe probe  // reads ahead, to prove or refute
	off   int64  // of the next frame
	sum   uint32 // checksum of the chain up to off, if seeded
	prior prior
	rec   Record

	isEtcd bool // the log holds entries and hard states

	stray   bool           // nothing proves that the records read last are the log's
	before  raftpb.EntryID // the last entry before those
	trusted int64          // a frame at this offset is proven by others; -1 for none
	found   ruling         // what is yet to be told before reading on
	telling bool
	done    bool
}

func newScanner(f segmentFile, o scanOptions) *scanner {
	s := &scanner{scanOptions: o, file: f, sum: o.seed, trusted: -1}
	s.kinds = o.kinds.orEtcd()
	s.isEtcd = s.kinds == Etcd
	s.win.src, s.win.size = f, o.size
	s.probe = newProbe(f, o.size, s.kinds)
	s.rec.Pos.Segment = o.name
	return s
}

// next returns the next record, or nil at the end. It is valid until the next call. An error is one
// of reading the file.
func (s *scanner) next() (*Record, error) {
	if s.quick() {
		return &s.rec, nil
	}
	return s.slow()
}

// quick reads the next record if its frame is in memory and flawless. Otherwise it changes nothing.
func (s *scanner) quick() bool {
	b := s.win.peek(s.off)
	if len(b) < frameHeaderSize+minRecordSize || !s.seeded || s.telling || s.done {
		return false
	}
	h := binary.LittleEndian.Uint64(b)
	size, pad := h&sizeMask, -h&(frameAlign-1)
	if !isCanonicalHeader(h) {
		if !s.probe.unpadded || !isUnpaddedHeader(h) {
			return false
		}
		pad = 0
	}
	if size+pad > uint64(len(b)-frameHeaderSize) {
		return false
	}
	n := frameHeaderSize + size + pad
	k, crc, data, ok := parseRecord(b[frameHeaderSize : frameHeaderSize+size])
	if !ok || pad != 0 && binary.LittleEndian.Uint64(b[n-frameAlign:])>>(8*(frameAlign-pad)) != 0 {
		return false
	}
	sum := updateCRC(s.sum, data)
	if sum != crc || !s.recognise(k, data) {
		return false
	}
	s.rec.Kind, s.rec.Pos.Off, s.rec.Len, s.rec.Pad = k, s.off, int64(n), int(pad)
	s.rec.CRC, s.rec.Sum, s.rec.Data = crc, sum, data
	s.rec.Unchecked, s.rec.otherForm = false, false
	s.sum = crc // equal to sum, but known sooner: the next checksum need not wait for this one
	s.off += int64(n)
	return true
}

// recognise reports whether data is what a record of kind k can hold at this place. If so, it
// remembers the record and sets its ID.
func (s *scanner) recognise(k Kind, data []byte) bool {
	switch {
	case !s.isEtcd:
	case k == KindEntry:
		if t, id, payload, form := raftpb.ReadEntry(data); form == raftpb.EntryFull {
			s.rec.payload, s.rec.normal = payload, t == raftpb.EntryNormal
			s.prior.n++
			s.prior.last, s.rec.ID = id, id
			return true
		}
	case k == KindState:
		if st, ok := raftpb.ReadHardState(data); ok && likelyState(st.Term) {
			s.prior.n++
			s.rec.ID, s.rec.state = raftpb.EntryID{}, st
			return true
		}
	}
	if kind, known := s.kinds.kindOf(&s.prior, k, data); kind != k || !known {
		return false
	}
	s.rec.ID, s.rec.state, s.rec.normal = s.prior.add(k, data), raftpb.HardState{}, false
	return true
}

// slow reads the next record where quick couldn't.
func (s *scanner) slow() (*Record, error) {
	if s.telling {
		return s.tell()
	}
	for range maxLooks {
		if s.done {
			return nil, nil
		}
		v, quick, err := s.look()
		if err != nil {
			return nil, s.fail(err)
		}
		if quick {
			return &s.rec, nil
		}
		steady, err := s.steady(&v)
		if err != nil {
			return nil, s.fail(err)
		}
		if !steady {
			time.Sleep(lookPause)
			continue
		}
		if s.wait && s.early(&v) {
			return nil, nil
		}
		s.found, s.telling = v, true
		return s.tell()
	}
	return nil, s.fail(fmt.Errorf("offset %d: changed during each of %d looks", s.off, maxLooks))
}

// look reads the frame at off: quickly if it is flawless, else by judging what is there.
func (s *scanner) look() (v ruling, quick bool, err error) {
	if err := s.load(); err != nil {
		return v, false, err
	}
	if s.quick() {
		return v, true, nil
	}
	v = s.judge()
	return v, false, s.probe.err
}

func (s *scanner) fail(err error) error { return fmt.Errorf("%s: %w", s.name, err) }

// load brings the frame at off into memory, if there can be one, or else what precedes its data.
func (s *scanner) load() error {
	b, err := s.win.load(s.off, int(min(max(s.size-s.off, 0), frameHeaderSize+maxPrefixSize)))
	if err != nil {
		return err
	}
	f, ok := parseFrame(b, s.off, s.size, s.probe.unpadded)
	if !ok {
		return nil
	}
	s.seedFrom(&f)
	if f.size > maxRecordSize || f.len() > maxUnproven && !s.probe.proves(s.sum, &f) {
		return nil
	}
	_, err = s.win.load(s.off, int(f.len()))
	return err
}

// seedFrom begins the chain with the record that a segment begins with.
func (s *scanner) seedFrom(f *frame) {
	if !s.seeded && f.off == 0 && f.kind == KindCRC && !f.hasData {
		s.sum, s.seeded = f.crc, true
	}
}

// resize takes in how large the file is by now.
func (s *scanner) resize() (grown bool, err error) {
	info, err := s.file.Stat()
	if err != nil {
		return false, err
	}
	grown = info.Size() > s.size
	s.size = max(s.size, info.Size())
	s.probe.size, s.win.size = s.size, s.size
	return grown, nil
}

// finish ends the wait for more: the segment is finished, so that whatever is wrong with it stays.
func (s *scanner) finish() error {
	s.wait, s.tail = false, false
	info, err := s.file.Stat()
	if err != nil {
		return s.fail(err)
	}
	s.size = info.Size()
	s.probe.size, s.win.size = s.size, s.size
	s.win.forget()
	return nil
}

// early reports whether a ruling is too early for a reader that waits for more, because a running
// process may be about to write what is missing.
func (s *scanner) early(v *ruling) bool {
	return v.stop || v.hasRecord && !s.proven(v.sum, v.frame.end())
}

// tell returns the next part of what was found: first the damages, then the record that they are
// about, if there is one.
func (s *scanner) tell() (*Record, error) {
	v := &s.found
	if len(v.damages) > 0 {
		d := v.damages[0]
		v.damages = v.damages[1:]
		s.rec = Record{
			Kind: KindDamage, Pos: Position{s.name, s.off}, Damage: &d, unlinked: v.unlinked,
		}
		if len(v.damages) == 0 && !v.hasRecord {
			s.rec.Len = v.skip
			s.pass(v)
		}
		return &s.rec, nil
	}
	if !v.hasRecord {
		s.pass(v)
		return s.next()
	}
	return s.tellRecord(v)
}

// leave notes where the log was left for records that nothing proves to be its own.
func (s *scanner) leave(v *ruling) {
	if v.unlinked {
		s.stray, s.before = true, s.prior.last
	}
}

// pass goes on after a gap.
func (s *scanner) pass(v *ruling) {
	s.telling = false
	s.off += v.skip
	s.done = v.stop
	s.sum, s.seeded = v.sum, v.seeded
	s.leave(v)
	if v.trusted {
		s.trusted = s.off
	}
	if v.skip > 0 && !v.oneFrame {
		s.prior.lost = true
	}
	if v.oneFrame {
		s.prior.n++
	}
}

// tellRecord returns the record that the damages told before are about.
func (s *scanner) tellRecord(v *ruling) (*Record, error) {
	f := &v.frame
	b, err := s.win.load(f.off, int(f.len()))
	if err != nil {
		return nil, s.fail(err)
	}
	s.rec = Record{
		Kind: v.kind,
		Pos:  Position{s.name, f.off},
		Len:  f.len(),
		Pad:  f.pad,
		CRC:  f.crc,
		Sum:  v.sum,

		Unchecked: v.unchecked,
		otherForm: v.otherForm,
	}
	if f.hasData {
		lo := f.dataOff - f.off
		s.rec.Data = b[lo : lo+f.dataLen : lo+f.dataLen]
	}
	s.leave(v)
	s.rec.ID = s.prior.add(v.kind, s.rec.Data)
	s.telling = false
	s.off = f.end()
	s.sum, s.seeded = v.sum, true
	return &s.rec, nil
}
