package repair

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"path"

	"github.com/raftctl/raftctl/wal"
)

// describeSource notes what the plan was made for.
func (d *draft) describeSource(ctx context.Context) error {
	files, err := filesOf(ctx, d.member.Log)
	if err != nil {
		return err
	}
	d.plan.Source.Files = files
	if a := d.applied(); a.Index > 0 {
		d.plan.Source.Applied = &EntryID{a.Term, a.Index}
	}
	for _, donor := range d.donors {
		files, err := filesOf(ctx, donor.Log)
		if err != nil {
			return err
		}
		d.plan.Source.Donors = append(d.plan.Source.Donors, Source{Path: donor.Name, Files: files})
	}
	return nil
}

// filesOf returns the segments of a log by their contents.
func filesOf(ctx context.Context, log *wal.Log) (list []File, err error) {
	for _, s := range log.Segments() {
		f, err := fileOf(ctx, log.FS(), path.Join(log.Dir(), s.File))
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

func fileOf(ctx context.Context, fsys fs.FS, name string) (File, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	sum := sha256.New()
	n, err := io.Copy(sum, &polled{ctx, f})
	return File{Name: path.Base(name), Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// polled is a reader that ends with its context.
type polled struct {
	ctx context.Context
	r   io.Reader
}

func (p *polled) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}
