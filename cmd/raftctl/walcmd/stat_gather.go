package walcmd

import (
	"context"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

// gatherer hands what a log holds to those that count it, in bounded memory.
type gatherer struct {
	row      *logrow.Row
	members  decode.Members
	tally    decode.Tally
	clock    decode.Clock
	segments map[string]*segmentStat
	damage   int
}

func newGatherer(decoder decode.Decoder, o *statOptions) *gatherer {
	return &gatherer{
		row:      logrow.NewRow(logrow.Options{Decoder: decoder, Style: o.decode.style}),
		tally:    decode.Tally{Top: o.top, Style: o.decode.style},
		segments: map[string]*segmentStat{},
	}
}

func (g *gatherer) gather(ctx context.Context, log *wal.Log, view *wal.View, p *ui.Progress) error {
	valid := validSnapshots(view)
	for rec, err := range polled(ctx, log.Records(wal.Inspect), p) {
		if err != nil {
			return err
		}
		g.segment(rec)
		if rec.Kind == wal.KindDamage {
			g.damage++
			continue
		}
		g.row.Set(rec)
		switch {
		case g.row.Bad != nil:
		case rec.Kind == wal.KindSnapshot && valid[rec.Pos]:
			// One that is none is left out: Members knows that it is incomplete then.
			_ = g.members.Restore(g.row.Snapshot.Index, g.row.Snapshot.ConfState)
		case rec.Kind == wal.KindEntry && view.Live(rec.Pos, rec.ID.Index):
			if err := g.entry(rec.ID.Index <= view.State.Commit); err != nil {
				return err
			}
		}
	}
	return nil
}

// validSnapshots returns where the snapshots lie that the last hard state commits.
func validSnapshots(view *wal.View) map[wal.Position]bool {
	valid := map[wal.Position]bool{}
	for _, s := range view.Snapshots {
		if s.Valid {
			valid[s.Pos] = true
		}
	}
	return valid
}

func (g *gatherer) segment(rec *wal.Record) {
	s := g.segments[rec.Pos.Segment]
	if s == nil {
		s = &segmentStat{}
		g.segments[rec.Pos.Segment] = s
	}
	if s.Used = rec.Pos.Off + rec.Len; rec.Kind != wal.KindDamage {
		s.Records++
	}
	if rec.Kind != wal.KindEntry || rec.ID.Index == 0 {
		return
	}
	s.Entries++
	if s.First == 0 || rec.ID.Index < s.First {
		s.First = rec.ID.Index
	}
	s.Last = max(s.Last, rec.ID.Index)
}

func (g *gatherer) entry(committed bool) error {
	p := g.row.Request()
	if g.row.Failed != nil {
		return g.row.Failed
	}
	g.tally.Add(g.row.Entry.ID(), p)
	g.clock.Add(g.row.Entry.Index, p)
	if committed {
		// What etcd refuses, or ends on, is followed as far as it is: not a matter of a summary.
		_, _ = g.members.Apply(g.row.Entry.Index, p)
	}
	return nil
}

// result puts together what was counted.
func (g *gatherer) result(path string, log *wal.Log, view *wal.View) *stat {
	s := &stat{
		Path: path, NodeID: hexID(view.Metadata.NodeID), ClusterID: hexID(view.Metadata.ClusterID),
		FirstIndex: view.First.Index, LastIndex: view.Last.Index, LastTerm: view.Last.Term,
		Term: view.State.Term, Vote: hexID(view.State.Vote), Commit: view.State.Commit,
		Members: []memberStat{}, MembersComplete: g.members.Complete(),
		Segments: []*segmentStat{}, Terms: []termStat{}, Snapshots: []snapshotStat{},
		Damage: g.damage,
	}
	if view.MetadataErr != nil {
		s.MetadataErr, s.NodeID, s.ClusterID = view.MetadataErr.Error(), "", ""
	}
	for _, m := range g.members.All() {
		s.Members = append(s.Members, memberStat{
			ID: hexID(m.ID), Role: m.Role.String(), Name: m.Name,
			PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs,
		})
	}
	for _, seg := range log.Segments() {
		st := g.segments[seg.File]
		if st == nil {
			st = &segmentStat{}
		}
		st.Segment, st.Size = seg.File, seg.Size
		s.Segments = append(s.Segments, st)
	}
	s.addHistory(view)
	s.addTally(&g.tally)
	s.addTimes(g.clock.Times())
	return s
}

// addHistory adds the terms and the snapshots.
func (s *stat) addHistory(view *wal.View) {
	for _, t := range view.Terms {
		s.Terms = append(s.Terms, termStat{
			Term: t.Term, First: t.Index, Entries: t.N, Segment: t.Pos.Segment, Offset: t.Pos.Off,
		})
	}
	for _, sn := range view.Snapshots {
		s.Snapshots = append(s.Snapshots, snapshotStat{
			Index: sn.Index, Term: sn.Term, Valid: sn.Valid, Segment: sn.Pos.Segment, Offset: sn.Pos.Off,
		})
	}
}

// addTally adds what the entries ask for. No list is nil: JSON has them all.
func (s *stat) addTally(t *decode.Tally) {
	s.Operations, s.Sizes = []opStat{}, []sizeClass{}
	s.Largest, s.Prefixes = []largeEntry{}, []prefixStat{}
	for _, c := range t.Ops() {
		s.Operations = append(s.Operations, opStat{string(c.Op), c.Entries, c.Bytes})
	}
	for _, c := range t.Sizes() {
		s.Sizes = append(s.Sizes, sizeClass{c.From, c.Below, c.Entries})
	}
	for _, e := range t.Largest() {
		s.Largest = append(s.Largest, largeEntry{e.ID.Index, e.ID.Term, e.Size, string(e.Op), e.Summary})
	}
	prefixes, estimated := t.Prefixes()
	s.Estimated = estimated
	for _, p := range prefixes {
		s.Prefixes = append(s.Prefixes, prefixStat{p.Prefix, p.Writes, p.Bytes})
	}
}

func hexID(id uint64) string { return strconv.FormatUint(id, 16) }
