package walcmd

import (
	"context"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// proposers reads a log for the members that may have proposed its entries, with the names that they
// had last. Those that were removed are among them.
func proposers(ctx context.Context, log *wal.Log, view *wal.View) (*decode.Members, error) {
	var (
		members decode.Members
		entry   raftpb.Entry
		request decode.Request
		snap    wal.Snapshot
	)
	for rec, err := range polled(ctx, log.Records(wal.Inspect), nil) {
		if err != nil {
			return nil, err
		}
		switch rec.Kind {
		case wal.KindSnapshot:
			if snap.Unmarshal(rec.Data) == nil {
				_ = members.Restore(snap.Index, snap.ConfState) // verify tells what is wrong with it
			}
		case wal.KindEntry:
			committed := view == nil || rec.ID.Index <= view.State.Commit && view.Live(rec.Pos, rec.ID.Index)
			if committed && entry.UnmarshalAlias(rec.Data) == nil && decode.Payload(&request, &entry) == nil {
				_, _ = members.Apply(rec.ID.Index, &request) // likewise
			}
		}
	}
	return &members, nil
}
