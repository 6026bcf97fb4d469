package wal

import (
	"bytes"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// logBuilder makes the bytes of segments, frame by frame.
type logBuilder struct {
	segs   []*bytesOf
	sum    uint32
	index  uint64
	flavor raftpb.Flavor
}

// bytesOf is a segment in the making.
type bytesOf struct {
	name   SegmentName
	b      []byte
	frames []int // where they begin
}

var builtMetadata = Metadata{NodeID: 0x8e9e05c52164694d, ClusterID: 0xcdf818194e3a8c32}

func newLogBuilder(f raftpb.Flavor) *logBuilder {
	b := &logBuilder{flavor: f}
	b.cut()
	b.add(KindSnapshot, new(Snapshot).AppendTo(nil, f))
	return b
}

// cut begins a new segment.
func (b *logBuilder) cut() {
	name := SegmentName{Seq: uint64(len(b.segs))}
	if name.Seq > 0 {
		name.Index = b.index + 1
	}
	b.segs = append(b.segs, &bytesOf{name: name})
	b.add(KindCRC, nil)
	b.add(KindMetadata, builtMetadata.AppendTo(nil))
}

func (b *logBuilder) tail() *bytesOf { return b.segs[len(b.segs)-1] }

func (b *logBuilder) add(k Kind, data []byte) {
	b.sum = updateCRC(b.sum, data)
	s := b.tail()
	s.frames = append(s.frames, len(s.b))
	s.b = appendFrame(s.b, k, b.sum, data)
}

func (b *logBuilder) entry(term uint64, data []byte) {
	b.index++
	e := raftpb.Entry{Term: term, Index: b.index, Data: data}
	b.add(KindEntry, e.Marshal(b.flavor))
}

func (b *logBuilder) state(term, commit uint64) {
	s := raftpb.HardState{Term: term, Vote: builtMetadata.NodeID, Commit: commit}
	b.add(KindState, s.Marshal(b.flavor))
}

// files returns the segments as a directory, the last one with zeros at its end.
func (b *logBuilder) files(zeros int) map[string][]byte {
	files := map[string][]byte{}
	for i, s := range b.segs {
		data := slices.Clone(s.b)
		if i == len(b.segs)-1 {
			data = append(data, make([]byte, zeros)...)
		}
		files[s.name.String()] = data
	}
	return files
}

// buildLog returns a log like that of a member in its first minutes: every kind of record, entries
// with and without data, of a few bytes and of more than a sector.
func buildLog(f raftpb.Flavor, segments int) *logBuilder {
	b := newLogBuilder(f)
	for n := range segments {
		if n > 0 {
			b.cut()
			b.state(uint64(n+1), b.index)
		}
		term := uint64(n + 2)
		b.entry(term, nil)
		b.state(term, b.index)
		for i := range 5 {
			b.entry(term, []byte(strings.Repeat("value "+string(rune('a'+i)), 3+30*i)))
			if i%2 == 0 {
				b.state(term, b.index)
			}
		}
		b.add(KindSnapshot, (&Snapshot{
			Index: b.index, Term: term, ConfState: &raftpb.ConfState{Voters: []uint64{1, 2, 3}},
		}).AppendTo(nil, f))
		b.entry(term, []byte("the last one"))
		b.state(term, b.index)
		b.entry(term, []byte("and one more"))
	}
	return b
}

func mapFS(files map[string][]byte) fs.FS {
	m := fstest.MapFS{}
	for name, data := range files {
		m[path.Join("wal", name)] = &fstest.MapFile{Data: data}
	}
	return m
}

// seen is a Record that outlives the next one.
type seen struct {
	Record
	data string
}

// readFiles reads a log from its files, and checks that every byte is accounted for.
func readFiles(tb testing.TB, files map[string][]byte, mode Mode) []seen {
	tb.Helper()
	l, err := Open(mapFS(files), "wal")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	all := collect(tb, l, mode)
	checkTiles(tb, files, all, mode)
	return all
}

func collect(tb testing.TB, l *Log, mode Mode) []seen {
	tb.Helper()
	var all []seen
	for r, err := range l.Records(mode) {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, seen{*r, string(r.Data)})
	}
	return all
}

// checkTiles checks that the records of each segment lie side by side from its beginning to its
// end, or in the last one to where only zeros follow.
func checkTiles(tb testing.TB, files map[string][]byte, all []seen, mode Mode) {
	tb.Helper()
	end := map[string]int64{}
	for _, r := range all {
		if r.Pos.Off != end[r.Pos.Segment] {
			tb.Fatalf("%v: %v record begins there, the one before ends at %d",
				r.Pos, r.Kind, end[r.Pos.Segment])
		}
		if r.Kind == KindDamage {
			checkDamage(tb, &r)
		}
		end[r.Pos.Segment] += r.Len
	}
	if mode == Recover && len(all) > 0 && all[len(all)-1].Kind == KindDamage {
		return
	}
	names := slices.Sorted(maps.Keys(files))
	for i, name := range names {
		rest := files[name][end[name]:]
		if n := indexNonzero(rest); n < len(rest) || i < len(names)-1 && len(rest) > 0 {
			tb.Fatalf("%s: read up to %d, %d bytes remain, %d of them zero", name, end[name], len(rest), n)
		}
	}
}

func checkDamage(tb testing.TB, r *seen) {
	tb.Helper()
	d := r.Damage
	if d.Class == "" || d.Evidence == "" || strings.ContainsAny(d.Evidence, "\n") {
		tb.Errorf("%v: class %q, evidence %q", r.Pos, d.Class, d.Evidence)
	}
	if d.Pos.Segment != r.Pos.Segment || d.Pos.Off < r.Pos.Off || r.Len > 0 && d.Len != r.Len {
		tb.Errorf("record at %v of %d bytes, damage at %v of %d", r.Pos, r.Len, d.Pos, d.Len)
	}
}

// split separates damages from intact records.
func split(all []seen) (damages []*Finding, records []seen) {
	for _, r := range all {
		if r.Kind == KindDamage {
			damages = append(damages, r.Damage)
		} else {
			records = append(records, r)
		}
	}
	return damages, records
}

// memFile is a segment in memory.
type memFile struct{ *bytes.Reader }

func (f memFile) Stat() (fs.FileInfo, error) { return memInfo{f.Reader}, nil }

type memInfo struct{ r *bytes.Reader }

func (i memInfo) Name() string       { return "memory" }
func (i memInfo) Size() int64        { return i.r.Size() }
func (i memInfo) Mode() fs.FileMode  { return 0 }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return false }
func (i memInfo) Sys() any           { return nil }
