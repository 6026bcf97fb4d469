package correct_test

import (
	"bytes"
	"hash/crc32"
	"io/fs"
	"maps"
	"path"
	"slices"
	"testing/fstest"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// files are the segments of a log, by name.
type files map[string][]byte

func (f files) fs() fs.FS {
	m := fstest.MapFS{}
	for name, b := range f {
		m[path.Join("wal", name)] = &fstest.MapFile{Data: b}
	}
	return m
}

func (f files) clone() files {
	c := maps.Clone(f)
	for name, b := range c {
		c[name] = slices.Clone(b)
	}
	return c
}

func (f files) equal(g files) bool { return maps.EqualFunc(f, g, bytes.Equal) }

func (f files) names() []string { return slices.Sorted(maps.Keys(f)) }

// builder makes the bytes of a log, frame by frame.
type builder struct {
	flavor   raftpb.Flavor
	unpadded bool
	names    []string
	segs     [][]byte
	sum      uint32
	index    uint64
	last     raftpb.HardState
}

var metadata = wal.Metadata{NodeID: 0x8e9e05c52164694d, ClusterID: 0xcdf818194e3a8c32}

func (b *builder) add(k wal.Kind, data []byte) {
	b.sum = crc32.Update(b.sum, crc32.MakeTable(crc32.Castagnoli), data)
	r := wal.Record{Kind: k, CRC: b.sum, Data: data}
	frame := r.AppendFrame(nil)
	if pad := frame[7] & 7; b.unpadded && pad > 0 {
		frame[7] = 0
		frame = frame[:len(frame)-int(pad)]
	}
	s := &b.segs[len(b.segs)-1]
	*s = append(*s, frame...)
}

func (b *builder) cut() {
	name := wal.SegmentName{Seq: uint64(len(b.segs))}
	if name.Seq > 0 {
		name.Index = b.index + 1
	}
	b.names = append(b.names, name.String())
	b.segs = append(b.segs, nil)
	b.add(wal.KindCRC, nil)
	b.add(wal.KindMetadata, metadata.AppendTo(nil))
}

func (b *builder) entry(t raftpb.EntryType, term uint64, data []byte) {
	b.index++
	e := raftpb.Entry{Type: t, Term: term, Index: b.index, Data: data}
	b.add(wal.KindEntry, e.Marshal(b.flavor))
}

func (b *builder) state(term uint64) {
	b.last = raftpb.HardState{Term: term, Vote: metadata.NodeID, Commit: b.index}
	b.add(wal.KindState, b.last.Marshal(b.flavor))
}

// build returns a log like that of a member in its first minutes.
func build(f raftpb.Flavor, unpadded bool, segments int) *builder {
	b := &builder{flavor: f, unpadded: unpadded}
	b.cut()
	b.add(wal.KindSnapshot, new(wal.Snapshot).AppendTo(nil, f))
	for n := range segments {
		if n > 0 {
			b.cut()
			b.add(wal.KindState, b.last.Marshal(f))
		}
		term := uint64(n + 2)
		if n == 0 {
			cc := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: metadata.NodeID, Context: []byte("m1")}
			b.entry(raftpb.EntryConfChange, term, cc.Marshal(f))
		}
		b.entry(raftpb.EntryNormal, term, nil)
		b.state(term)
		b.entry(raftpb.EntryNormal, term, []byte("first"))
		b.state(term)
		b.entry(raftpb.EntryNormal, term, bytes.Repeat([]byte{'a', byte('b' + n)}, 100))
		b.add(wal.KindSnapshot, (&wal.Snapshot{
			Index: b.index, Term: term, ConfState: &raftpb.ConfState{Voters: []uint64{metadata.NodeID, 2, 3}},
		}).AppendTo(nil, f))
		b.entry(raftpb.EntryNormal, term, []byte("the last one"))
		b.state(term)
		b.entry(raftpb.EntryNormal, term, []byte("and one more"))
	}
	return b
}

// goOn appends to the log as a later etcd does, which pads its frames.
func (b *builder) goOn() *builder {
	b.unpadded = false
	b.entry(raftpb.EntryNormal, b.last.Term, []byte("of a later etcd"))
	b.state(b.last.Term)
	b.entry(raftpb.EntryNormal, b.last.Term, []byte("and the last one"))
	return b
}

// files returns the segments from the first on, the last one with zeros at its end.
func (b *builder) files(first, zeros int) files {
	f := files{}
	for i, s := range b.segs[first:] {
		s = slices.Clone(s)
		if first+i == len(b.segs)-1 {
			s = append(s, make([]byte, zeros)...)
		}
		f[b.names[first+i]] = s
	}
	return f
}
