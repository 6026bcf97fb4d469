package repair

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/repair/restore"
	"github.com/raftctl/raftctl/wal"
)

// identities returns whose log it may be, where its own metadata is lost: one of the members that the database and
// the snapshots name, but for the donors; of the donors' cluster, or of the one that the members began. Proven is
// the one that the checksum behind the metadata fits.
func (d *draft) identities() (list []wal.Metadata, proven *wal.Metadata) {
	known := d.clusters()
	nodes := d.memberIDs()
	for _, node := range nodes {
		for _, cluster := range known {
			list = append(list, wal.Metadata{NodeID: node, ClusterID: cluster})
		}
	}
	for _, node := range nodes {
		for _, cluster := range append(known, d.firstClusters()...) {
			if m := (wal.Metadata{NodeID: node, ClusterID: cluster}); d.fitsMetadata(&m) {
				return list, &m
			}
		}
	}
	return list, nil
}

// fitsMetadata reports whether the first record that is left behind the metadata of a whole log continues its
// checksum.
func (d *draft) fitsMetadata(m *wal.Metadata) bool {
	if d.log.Segments()[0].Name.Seq != 0 {
		return false
	}
	begin := wal.Snapshot{}
	first := crc32.Checksum(m.AppendTo(nil), castagnoli)
	second := crc32.Update(first, castagnoli, begin.AppendTo(nil, raftpb.FlavorGogo))
	for rec, err := range d.log.SegmentRecords(0) {
		if err != nil {
			return false
		}
		if rec.Kind != wal.KindDamage && rec.Kind != wal.KindCRC && rec.Kind != wal.KindMetadata {
			return crc32.Update(first, castagnoli, rec.Data) == rec.CRC || crc32.Update(second, castagnoli, rec.Data) == rec.CRC
		}
	}
	return false
}

// clusters returns the IDs of the donors' clusters.
func (d *draft) clusters() (list []uint64) {
	for _, donor := range d.donors {
		if id := donor.Cluster(); id != 0 && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// firstClusters returns the IDs that the cluster has if it began with the members that are known.
func (d *draft) firstClusters() (list []uint64) {
	var ids []uint64
	if db := d.member.Database; db != nil {
		for _, m := range db.Members.Members {
			ids = append(ids, m.ID)
		}
		list = append(list, restore.ClusterID(slices.Sorted(slices.Values(ids))))
		ids = append(ids, db.Members.Removed...)
	}
	return append(list, restore.ClusterID(slices.Sorted(slices.Values(ids))))
}

// memberIDs returns the IDs of the members that the log may be of.
func (d *draft) memberIDs() (list []uint64) {
	add := func(ids ...uint64) {
		for _, id := range ids {
			isDonor := func(m uint64) bool { return m == id }
			if id != 0 && !slices.Contains(list, id) && !slices.ContainsFunc(d.donorIDs(), isDonor) {
				list = append(list, id)
			}
		}
	}
	if db := d.member.Database; db != nil {
		for _, m := range db.Members.Members {
			add(m.ID)
		}
	}
	if len(list) > 0 {
		return list
	}
	for i := range d.view().Snapshots {
		if conf := d.view().Snapshots[i].ConfState; conf != nil {
			add(conf.Voters...)
			add(conf.Learners...)
		}
	}
	return list
}

func (d *draft) donorIDs() (list []uint64) {
	for _, donor := range d.donors {
		list = append(list, donor.View.Metadata.NodeID)
	}
	return list
}

// writeMetadata lets a log be written anew with the metadata that is known from elsewhere, because no segment has it
// intact.
type writeMetadata struct{}

func (writeMetadata) Name() string { return "metadata" }
func (writeMetadata) Doc() string {
	return "write the metadata anew, where no segment has it intact and the database and other members tell whose log it is"
}

// nameOwner sees to it that what is written anew has metadata. ok is false if nothing tells it.
func (d *draft) nameOwner(s *solution) (ok bool) {
	if s.rewrite == nil || d.view().MetadataPos != (wal.Position{}) && d.view().MetadataErr == nil {
		return true
	}
	list, m := d.identities()
	why := "the checksum of the record behind it fits no other"
	if m == nil && len(list) == 1 {
		m, why = &list[0], "all other members of the database are among the logs that were given, and these are of one cluster"
	}
	if m == nil {
		text := fmt.Sprintf("it may be that of %d members", len(list))
		if len(list) == 0 {
			text = "nothing tells whose log it is: --from PATH of other members would, with the database"
		}
		d.refuse(writeMetadata{}.Name(), "no segment has intact metadata, and %s", text)
		return false
	}
	s.rewrite.Metadata = m.AppendTo(nil)
	s.rewrite.From = edit.Place{}
	does := fmt.Sprintf("write the metadata anew: member %x of cluster %x", m.NodeID, m.ClusterID)
	s.steps = append([]Step{{Remedy: writeMetadata{}.Name(), Does: does, Why: why}}, s.steps...)
	return true
}

// keepHead moves the place where a log is written anew from the head of a segment to its beginning: a head is
// written as a whole.
func (d *draft) keepHead(ctx context.Context, r *edit.Rewrite) error {
	if r == nil || r.Begin != nil || r.From == (edit.Place{}) {
		return nil
	}
	k, n := d.order(r.From.Segment), 0
	want := 2 // crc and metadata
	if d.log.Segments()[k].Name.Seq == 0 {
		want++ // and the snapshot at index 0
	}
	for rec, err := range d.log.SegmentRecords(k) {
		if err != nil {
			return err
		}
		if rec.Kind == wal.KindDamage || rec.Pos.Off >= r.From.Off {
			break
		}
		if n++; n == want {
			return ctx.Err()
		}
	}
	if r.From.Off = 0; k == 0 {
		r.From = edit.Place{}
	}
	return ctx.Err()
}

// copyWhole moves the place where a log is written anew to the beginning of the first segment in which something is
// wrong, such as its name or its head: what is copied as it is stays wrong. So does a name that no etcd writes, behind
// which no writer goes on.
func (d *draft) copyWhole(r *edit.Rewrite, problems []*Finding) {
	if r == nil || r.Begin != nil {
		return
	}
	var wrong []edit.Place
	for _, f := range problems {
		wrong = append(wrong, edit.Place{Segment: f.File, Off: f.Off})
	}
	for _, s := range d.log.Segments() {
		if s.File != s.Name.String() {
			wrong = append(wrong, edit.Place{Segment: s.File})
		}
	}
	for _, at := range wrong {
		k := d.order(at.Segment)
		if r.From == (edit.Place{}) || k < 0 || !d.before(at, r.From) {
			continue
		}
		if r.From = (edit.Place{Segment: at.Segment}); k == 0 {
			r.From = edit.Place{}
		}
	}
}
