package crosscheck

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/outlook"
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

// ReplayKept is [Replay] from what was kept of a log when it was examined, without reading it again. ok is
// false where that doesn't tell.
func ReplayKept(r *outlook.Report, upTo uint64) (cs *raftpb.ConfState, ok bool) {
	var members decode.Members
	if r.View == nil || !r.KeptAll || !restoreKept(&members, r, upTo) {
		return nil, false
	}
	if !r.View.Sound && !inRow(r.View, members.Index()+1, upTo) {
		return nil, false
	}
	var entry raftpb.Entry
	var request decode.Request
	for i := range r.Kept {
		k := &r.Kept[i]
		if entry.UnmarshalAlias(k.Data) != nil || entry.Index <= members.Index() || entry.Index > upTo ||
			!r.View.Live(k.Pos, entry.Index) {
			continue
		}
		members.Pass(entry.Index - 1)
		if decode.Payload(&request, &entry) == nil {
			_, _ = members.Apply(entry.Index, &request) // what etcd refuses changes nothing
		}
	}
	members.Pass(upTo)
	conf, ok := members.ConfState()
	return &conf, ok
}

// inRow reports whether the entries from one index to another are all there, and proven.
func inRow(v *wal.View, first, last uint64) bool {
	return slices.ContainsFunc(v.Ranges, func(r wal.IndexRange) bool { return r.First <= first && last <= r.Last })
}

// restoreKept sets the membership to that from which on all changes were kept, and reports whether there
// is one.
func restoreKept(members *decode.Members, r *outlook.Report, upTo uint64) bool {
	if upTo > r.View.LastIndex() || upTo < r.First.Index {
		return false
	}
	var base *raftpb.SnapshotMetadata
	for _, s := range r.View.Snapshots {
		if !s.Valid || s.Index > upTo || s.Index+1 < r.KeptFrom || base != nil && s.Index < base.Index {
			continue
		}
		switch k := r.KeptBase; {
		case s.ConfState != nil:
			base = &raftpb.SnapshotMetadata{ConfState: *s.ConfState, Index: s.Index}
		case k != nil && k.Index == s.Index && k.Term == s.Term:
			base = k
		}
	}
	if base == nil || base.Index == 0 {
		return r.KeptFrom <= 1 && r.First.Index == 1
	}
	return members.Restore(base.Index, &base.ConfState) == nil
}
