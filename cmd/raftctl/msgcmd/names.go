package msgcmd

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// learn takes the names of members from the logs of the data directories.
func (o *sourceOptions) learn(ctx context.Context, a *ui.App) error {
	for _, dir := range o.dataDir {
		if err := learnLog(ctx, a, &o.names, dir); err != nil {
			return fmt.Errorf("--data-dir %s: %w", ui.Quote(dir), err)
		}
	}
	return nil
}

func learnLog(ctx context.Context, a *ui.App, names *stream.Names, dir string) error {
	m, err := datadir.FindPath(dir, datadir.Options{Dir: a.Dir})
	if err != nil {
		return err
	}
	log, err := wal.OpenMember(m)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // opened for reading
	var (
		members decode.Members
		entry   raftpb.Entry
		request decode.Request
	)
	for rec, err := range log.Records(wal.Inspect) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if rec.Kind == wal.KindEntry && entry.UnmarshalAlias(rec.Data) == nil && decode.Payload(&request, &entry) == nil {
			_, _ = members.Apply(entry.Index, &request) // verify tells what is wrong with it
		}
	}
	for _, m := range append(members.All(), members.Removed()...) {
		names.Set(m.ID, m.Name)
	}
	return nil
}
