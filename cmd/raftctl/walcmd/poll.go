package walcmd

import (
	"context"
	"iter"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/wal"
)

// pollEvery is how many records are read before asking whether to stop.
const pollEvery = 1024

// polled yields the records of a log until ctx is done, with whose error it then ends, and tells how
// far it has come. A nil progress is told nothing.
func polled(
	ctx context.Context, records iter.Seq2[*wal.Record, error], p *ui.Progress,
) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		n, done := 0, int64(0)
		for rec, err := range records {
			if err != nil {
				yield(nil, err)
				return
			}
			done += rec.Len
			if n++; n%pollEvery == 0 {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				p.Set(done)
			}
			if !yield(rec, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}
