package repair

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"path"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// restoreBytes puts damaged records back as they were, with the entries that other members have: their length and
// their checksum prove that not a byte is another one. So nothing behind them has to be written anew.
type restoreBytes struct{}

func (restoreBytes) Name() string { return "restore_bytes" }
func (restoreBytes) Doc() string {
	return "put damaged records back as they were, with entries of other members, where length and checksums prove every byte"
}
func (restoreBytes) Applies(f *Finding) bool { return f.Log != nil && f.Len > 0 }

func (r restoreBytes) do(ctx context.Context, d *draft, f *Finding) (bool, error) {
	if len(d.donors) == 0 {
		return false, nil
	}
	site, err := d.log.Site(ctx, f.Log)
	if err != nil || site == nil || !site.Before.Seeded || !site.More || site.Record != nil {
		return false, err
	}
	for _, donor := range d.donors {
		if donor.Cluster() != d.view().Metadata.ClusterID {
			continue
		}
		frames := framesOf(donor.View, donor.Log, f.Log.Before.Index+1, site)
		if frames == nil {
			continue
		}
		p, err := d.patchFrom(f.File, site.Before.Off, frames)
		if err != nil || p == nil {
			return false, err
		}
		ok, err := d.attempt(ctx, func(c *edit.Changes) { c.Patches = append(c.Patches, *p) }, nil)
		if err != nil {
			return false, err
		}
		if ok {
			d.plan.Changes.Patches = d.plan.Changes.Patches[:len(d.plan.Changes.Patches)-1]
			d.patch(r.Name(), f, p, fmt.Sprintf("with %s from %s: the records have the same length, and what follows continues their checksum",
				framesText(f, frames), donor.Name))
			return true, nil
		}
	}
	return false, nil
}

// maxRestored bounds the bytes that are put back at one place.
const maxRestored = 4 << 20

// castagnoli is the polynomial of the log's checksums.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frameSet is records that fill a stretch.
type frameSet struct {
	bytes []byte
	n     uint64
}

// framesOf returns the frames of a donor's entries from an index on that fill a damaged stretch exactly; nil if they
// don't.
func framesOf(view *wal.View, log *wal.Log, index uint64, site *wal.Site) *frameSet {
	size := site.End - site.Before.Off
	if size > maxRestored {
		return nil
	}
	set, sum := &frameSet{}, site.Before.Sum
	for int64(len(set.bytes)) < size {
		at, err := view.Locate(index + set.n)
		if err != nil {
			return nil
		}
		rec, err := log.ReadAt(at)
		if err != nil || rec.Unchecked || int64(len(rec.Data)) > size {
			return nil
		}
		sum = crc32.Update(sum, castagnoli, rec.Data)
		put := wal.Record{Kind: wal.KindEntry, CRC: sum, Data: rec.Data}
		set.bytes = put.AppendFrame(set.bytes)
		set.n++
	}
	if int64(len(set.bytes)) != size {
		return nil
	}
	return set
}

func framesText(f *Finding, s *frameSet) string {
	first := f.Log.Before.Index + 1
	return Range{First: first, Last: first + s.n - 1}.String()
}

// patchFrom returns the patch that puts frames at a place; nil if they are there already.
func (d *draft) patchFrom(file string, off int64, s *frameSet) (*edit.Patch, error) {
	f, _, err := vfs.OpenRegular(d.log.FS(), path.Join(d.log.Dir(), file))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	r, ok := f.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("%s: can't be read at an offset", file)
	}
	old := make([]byte, len(s.bytes))
	if _, err := r.ReadAt(old, off); err != nil {
		return nil, err
	}
	lo, hi := 0, len(old)
	for lo < hi && old[lo] == s.bytes[lo] {
		lo++
	}
	for hi > lo && old[hi-1] == s.bytes[hi-1] {
		hi--
	}
	if lo == hi {
		return nil, nil
	}
	return &edit.Patch{Segment: d.original(file), Off: off + int64(lo), Old: old[lo:hi], New: s.bytes[lo:hi]}, nil
}
