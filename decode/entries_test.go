package decode

import (
	"iter"
	"os"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// entriesOf yields the entries of a data directory, as they lie in its log. Each is valid until the
// next one.
func entriesOf(tb testing.TB, l corpus.Log) iter.Seq[*raftpb.Entry] {
	tb.Helper()
	return func(yield func(*raftpb.Entry) bool) {
		log, err := wal.Open(os.DirFS(l.Dir), ".")
		if err != nil {
			tb.Fatal(err)
		}
		defer func() { _ = log.Close() }() // it was only read
		for rec, err := range log.Records(wal.Inspect) {
			if err != nil {
				tb.Fatalf("%s: %v", l.Name, err)
			}
			if rec.Kind != wal.KindEntry {
				continue
			}
			var e raftpb.Entry
			if err := e.UnmarshalAlias(rec.Data); err != nil {
				tb.Fatalf("%s: %v: %v", l.Name, rec.Pos, err)
			}
			if !yield(&e) {
				return
			}
		}
	}
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
