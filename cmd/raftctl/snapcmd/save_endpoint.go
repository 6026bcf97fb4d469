package snapcmd

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/endpoint"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// endpointSource is a live etcd.
type endpointSource struct {
	a *ui.App
	o *endpoint.Options
}

// fetch implements source.
func (e endpointSource) fetch(ctx context.Context, to partFile, s *saved) (err error) {
	c, err := e.o.Dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing was written to it
	ctx, cancel := e.o.Bound(ctx)
	defer cancel()
	status, err := c.Status(ctx)
	if err != nil {
		return endpoint.Advise(err)
	}
	s.ServerVersion = status.Version
	s.ClusterID, s.MemberID = fmt.Sprintf("%x", status.ClusterID), fmt.Sprintf("%x", status.MemberID)
	var p *ui.Progress
	snap, err := c.Snapshot(ctx, to, func(done, total int64) {
		if p == nil {
			p = ui.NewProgress(e.a, "save "+s.Source, total)
		}
		p.Set(done)
	})
	p.Done()
	if err != nil {
		return endpoint.Advise(err)
	}
	s.Size, s.SHA256, s.StorageVersion = snap.Size, hex.EncodeToString(snap.SHA256[:]), snap.StorageVersion
	return nil
}
