package logrow

import (
	"os"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/wal"
)

// BenchmarkAppendJSON takes apart and writes the records of a real log, without reading it.
func BenchmarkAppendJSON(b *testing.B) {
	log, err := wal.Open(os.DirFS(corpus.Dir(b, "c36-3m-kill9")), "m1")
	if err != nil {
		b.Fatal(err)
	}
	var recs []wal.Record
	for rec, err := range log.Records(wal.Inspect) {
		if err != nil {
			b.Fatal(err)
		}
		kept := *rec
		kept.Data = append([]byte(nil), rec.Data...)
		recs = append(recs, kept)
	}
	for name, o := range map[string]Options{"logical": forms(b)[0], "physical": forms(b)[2]} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := NewRow(o)
			var line []byte
			for b.Loop() {
				for i := range recs {
					r.Set(&recs[i])
					line = r.AppendJSON(line[:0])
				}
			}
		})
	}
}
