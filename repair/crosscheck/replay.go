package crosscheck

import (
	"context"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// pollEvery is how many records are read before asking whether to stop.
const pollEvery = 1024

// Replay returns the membership that a log makes up to an entry, nil if the log doesn't tell all of it.
// The error is that of the context or of reading.
func Replay(ctx context.Context, log *wal.Log, view *wal.View, upTo uint64) (*raftpb.ConfState, error) {
	var (
		members decode.Members
		entry   raftpb.Entry
		request decode.Request
		snap    wal.Snapshot
		n       int
	)
	for rec, err := range log.Records(wal.Inspect) {
		if n++; err == nil && n%pollEvery == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		switch {
		case rec.Kind == wal.KindSnapshot:
			if snap.Unmarshal(rec.Data) == nil && snap.Index <= min(upTo, view.State.Commit) {
				_ = members.Restore(snap.Index, snap.ConfState) // one that is none makes it incomplete
			}
		case rec.Kind == wal.KindEntry && rec.ID.Index <= upTo && view.Live(rec.Pos, rec.ID.Index):
			if entry.UnmarshalAlias(rec.Data) == nil && decode.Payload(&request, &entry) == nil {
				_, _ = members.Apply(entry.Index, &request) // what etcd refuses changes nothing
			}
		}
	}
	cs, ok := members.ConfState()
	if !ok || members.Index() < upTo {
		return nil, ctx.Err()
	}
	return &cs, ctx.Err()
}
