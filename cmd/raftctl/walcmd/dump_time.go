package walcmd

import (
	"context"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// entryTimes reads a log for when its live entries were written.
func entryTimes(ctx context.Context, log *wal.Log, view *wal.View, p *ui.Progress) (*decode.Times, error) {
	var (
		clock   decode.Clock
		entry   raftpb.Entry
		request decode.Request
	)
	for rec, err := range polled(ctx, log.Records(wal.Inspect), p) {
		if err != nil {
			return nil, err
		}
		if rec.Kind != wal.KindEntry || view != nil && !view.Live(rec.Pos, rec.ID.Index) {
			continue
		}
		if entry.UnmarshalAlias(rec.Data) == nil && decode.Payload(&request, &entry) == nil {
			clock.Add(entry.Index, &request)
		}
	}
	return clock.Times(), nil
}
