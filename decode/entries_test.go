package decode

import (
	"encoding/binary"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// entriesOf yields the entries in the segments of a data directory, as they lie.
func entriesOf(tb testing.TB, l corpus.Log) iter.Seq[*raftpb.Entry] {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(l.Dir, "member", "wal", "*.wal"))
	if err != nil || len(names) == 0 {
		tb.Fatalf("%s: %d segments, %v", l.Dir, len(names), err)
	}
	return func(yield func(*raftpb.Entry) bool) {
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				tb.Fatal(err)
			}
			if !yieldEntries(tb, b, yield) {
				return
			}
		}
	}
}

func yieldEntries(tb testing.TB, segment []byte, yield func(*raftpb.Entry) bool) bool {
	for len(segment) >= 8 {
		h := binary.LittleEndian.Uint64(segment)
		size, pad := int(h&(1<<56-1)), int(h>>56)&7
		if size == 0 || 8+size+pad > len(segment) {
			return true
		}
		data := entryData(tb, segment[8:8+size])
		segment = segment[8+size+pad:]
		if data == nil {
			continue
		}
		var e raftpb.Entry
		if err := e.UnmarshalAlias(data); err != nil {
			tb.Fatal(err)
		}
		if !yield(&e) {
			return false
		}
	}
	return true
}

// entryData returns what a record of kind entry holds, and nil for other records.
func entryData(tb testing.TB, record []byte) []byte {
	var kind uint64
	var data []byte
	for len(record) > 0 {
		num, typ, n := protowire.ConsumeTag(record)
		if n < 0 {
			tb.Fatal(protowire.ParseError(n))
		}
		record = record[n:]
		if typ == protowire.BytesType {
			data, n = protowire.ConsumeBytes(record)
		} else {
			var v uint64
			if v, n = protowire.ConsumeVarint(record); num == 1 {
				kind = v
			}
		}
		if n < 0 {
			tb.Fatal(protowire.ParseError(n))
		}
		record = record[n:]
	}
	const kindEntry = 2
	if kind != kindEntry {
		return nil
	}
	return data
}

// normal returns an entry with that payload.
func normal(data []byte) *raftpb.Entry { return &raftpb.Entry{Term: 2, Index: 7, Data: data} }

// v2Put returns a v2 request as etcd up to 3.5 writes it, with all its fields.
func v2Put(path, val string) []byte {
	b := []byte{0x08, 0x07}
	for i, s := range []string{"PUT", path, val} {
		b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(2+i), protowire.BytesType), s)
	}
	return append(b, 0x28, 0, 0x32, 0, 0x38, 0, 0x48, 0, 0x50, 0, 0x58, 0, 0x60, 0, 0x68, 0, 0x70, 0,
		0x78, 0, 0x80, 1, 0)
}
