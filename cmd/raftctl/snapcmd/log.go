package snapcmd

import (
	"context"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// examineLog reads the log of a member that was found at a path.
func examineLog(ctx context.Context, a *ui.App, m *datadir.Member, name string) (*outlook.Report, error) {
	log, err := wal.OpenMember(m)
	if err != nil {
		return nil, err
	}
	size := int64(0)
	for _, s := range log.Segments() {
		size += s.Size
	}
	p := ui.NewProgress(a, "read the log of "+name, size)
	defer p.Done()
	return outlook.Examine(ctx, log, outlook.Options{Member: m, Verify: wal.VerifyOptions{Progress: p.Set}})
}
