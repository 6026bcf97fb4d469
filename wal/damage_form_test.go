package wal

import (
	"encoding/binary"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// unpad rewrites a segment as etcd 2.x wrote it: frames without padding, whatever their size.
func unpad(b []byte) (out []byte, offs []int) {
	for _, off := range frameOffsets(b) {
		if off == len(b) {
			break
		}
		size, _ := parseFrameHeader(binary.LittleEndian.Uint64(b[off:]))
		offs = append(offs, len(out))
		out = binary.LittleEndian.AppendUint64(out, uint64(size))
		out = append(out, b[off+frameHeaderSize:][:size]...)
	}
	return out, offs
}

// TestUnpadded reads logs as etcd 2.x wrote them, and such that a later etcd went on with.
func TestUnpadded(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 1)
	name := b.tail().name.String()
	want := readFiles(t, b.files(0), Inspect)
	legacy, _ := unpad(b.tail().b)
	begun := len(b.tail().b)
	for range 4 {
		b.entry(2, []byte("of a later etcd"))
		b.state(2, b.index)
	}
	mixed := append(slices.Clone(legacy), b.tail().b[begun:]...)
	for title, file := range map[string][]byte{
		"2.x": legacy, "2.x, then 3.4": mixed, "with space behind": append(slices.Clone(mixed), make([]byte, 4096)...),
	} {
		t.Run(title, func(t *testing.T) {
			damages, records := split(readFiles(t, map[string][]byte{name: file}, Inspect))
			if len(damages) > 0 {
				t.Errorf("damage: %v", damages)
			}
			for i, r := range want {
				if i >= len(records) || records[i].data != r.data || records[i].Kind != r.Kind {
					t.Fatalf("record %d differs, of %d", i, len(records))
				}
			}
			r := verifyMap(t, map[string][]byte{name: file}, VerifyOptions{})
			if r.Verdict != VerdictOK || !slices.Contains(r.classes(SeverityInfo), ClassUnpadded) {
				t.Errorf("verdict %s\n%s", r.Verdict, findingLines(r))
			}
			for _, o := range r.Outlooks {
				if len(o.Ghosts) > 0 {
					t.Errorf("ghosts: %v", &o)
				}
			}
		})
	}
}

// TestUnpaddedDamaged flips a bit of every byte of a log of etcd 2.x. All other records are still there.
func TestUnpaddedDamaged(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 1)
	name := b.tail().name.String()
	legacy, offs := unpad(b.tail().b)
	for off := range legacy {
		file := slices.Clone(legacy)
		file[off] ^= 0x10
		damages, records := split(readFiles(t, map[string][]byte{name: file}, Inspect))
		if len(records) < len(offs)-1 || len(damages) != 1 {
			t.Errorf("offset %d: %d records of %d, damages %v", off, len(records), len(offs), damages)
		}
		for _, r := range records {
			if _, found := slices.BinarySearch(offs, int(r.Pos.Off)); !found {
				t.Fatalf("offset %d: a %v record at %d, where none was written", off, r.Kind, r.Pos.Off)
			}
		}
	}
}

// A header whose upper byte was lost is damage in a log with padding, and no frame of etcd 2.x.
func TestPaddingBitsLost(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 2)
	for _, s := range b.segs {
		for _, off := range s.frames {
			if s.b[off+7] == 0 {
				continue
			}
			files := b.files(512)
			files[s.name.String()][off+7] = 0
			damages, records := split(readFiles(t, maps.Clone(files), Inspect))
			if len(damages) != 1 || damages[0].Class != ClassLengthField || len(records) != frames(b) {
				t.Errorf("%v: offset %d: %d records, damages %v", s.name, off, len(records), damages)
			}
		}
	}
}

func frames(b *logBuilder) (n int) {
	for _, s := range b.segs {
		n += len(s.frames)
	}
	return n
}

// TestOtherForm writes a record's fields in another order. Every reader takes the record for what it
// says; it is neither damage nor a ghost.
func TestOtherForm(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 1)
	s := b.tail()
	off, next := s.frames[frameEntry3], s.frames[frameEntry3+1]
	size, _ := parseFrameHeader(binary.LittleEndian.Uint64(s.b[off:]))
	record := s.b[off+frameHeaderSize:][:size]
	_, _, data, _ := parseRecord(record)
	prefix := len(record) - len(data)
	_, lenSize := parseDataField(record[prefix-3:])
	if lenSize != 3 {
		_, lenSize = parseDataField(record[prefix-2:])
	}
	other := slices.Concat(record[2:prefix-lenSize], record[prefix-lenSize:], record[:2])
	copy(s.b[off+frameHeaderSize:next], other)
	files := b.files(512)
	damages, records := split(readFiles(t, maps.Clone(files), Inspect))
	if len(damages) != 0 || len(records) != frames(b) {
		t.Fatalf("%d records, damages %v", len(records), damages)
	}
	r := verifyMap(t, files, VerifyOptions{})
	if r.Verdict != VerdictOK || !slices.Equal(r.classes(SeverityWarning), []Class{ClassRecordForm}) {
		t.Errorf("verdict %s\n%s", r.Verdict, findingLines(r))
	}
	for _, o := range r.Outlooks {
		if o.Action != ActionBoots || len(o.Ghosts) > 0 {
			t.Errorf("%v", &o)
		}
	}
}

// TestEntryType writes an entry of a type that raft doesn't have.
func TestEntryType(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 1)
	b.index++
	e := raftpb.Entry{Type: 3, Term: 2, Index: b.index, Data: []byte("x")}
	b.add(KindEntry, e.Marshal(raftpb.FlavorGogo))
	r := verifyMap(t, b.files(512), VerifyOptions{})
	if !slices.Equal(r.classes(SeverityError), []Class{ClassEntryType}) {
		t.Errorf("want %s alone:\n%s", ClassEntryType, findingLines(r))
	}
}

// TestMetadataAtOddPlaces leaves out the record before metadata, and repeats metadata further on.
func TestMetadataAtOddPlaces(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 1)
	s := b.tail()
	files := map[string][]byte{s.name.String(): slices.Clone(s.b[s.frames[1]:])}
	r := verifyMap(t, files, VerifyOptions{})
	if r.View.Metadata != builtMetadata || len(r.View.Snapshots) != 2 {
		t.Errorf("metadata %v, snapshots %v", r.View.Metadata, r.View.Snapshots)
	}
	b.add(KindMetadata, builtMetadata.AppendTo(nil))
	r = verifyMap(t, b.files(512), VerifyOptions{})
	if !slices.Equal(r.classes(SeverityError), []Class{ClassRecordOrder}) || len(r.View.Snapshots) != 2 {
		t.Errorf("snapshots %v\n%s", r.View.Snapshots, findingLines(r))
	}
}

// TestPutInItsPlace reads segments that something else was put in the place of: it is named.
func TestPutInItsPlace(t *testing.T) {
	name := SegmentName{}.String()
	for want, file := range map[string]string{
		"the file is a Git LFS pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 64000000\n",
		"the file is a web page":        "<!DOCTYPE html><html><title>404 Not Found</title></html>",
	} {
		damages, _ := split(readFiles(t, map[string][]byte{name: []byte(file)}, Inspect))
		if len(damages) == 0 || !strings.HasPrefix(damages[0].Evidence, want) {
			t.Errorf("%v, want %q", damages, want)
		}
	}
}

// A segment given alone doesn't lack those before it.
func TestSegmentAlone(t *testing.T) {
	files := buildLog(raftpb.FlavorGogo, 3).files(512)
	l, err := Open(mapFS(files), path.Join("wal", segmentOf(files, 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != VerdictOK || slices.Contains(r.classes(SeverityInfo), ClassPurged) {
		t.Errorf("verdict %s\n%s", r.Verdict, findingLines(r))
	}
}
