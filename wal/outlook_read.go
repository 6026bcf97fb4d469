package wal

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// etcdReader collects entries as etcd's ReadAll does.
type etcdReader struct {
	rel   *etcdRelease
	start raftpb.EntryID
	ents  []span // contiguous, from start.Index+1 on
	most  uint64 // the largest number of entries so far
	state raftpb.HardState
	meta  etcdMeta
}

func (r *etcdReader) step(st *etcdStep) *etcdRefusal {
	switch st.kind {
	case stepMetadata:
		if r.meta.set && r.meta.sum != st.meta.sum {
			return &etcdRefusal{cause: causeMetadata, log: r.rel.lines.read, text: errConflict}
		}
		r.meta = st.meta
	case stepUnknown:
		return &etcdRefusal{cause: causeKind, log: r.rel.lines.read, text: st.text}
	case stepPanic:
		return &etcdRefusal{cause: causePayload, text: st.text}
	}
	for i := range st.events {
		if no := r.event(&st.events[i]); no != nil {
			return no
		}
	}
	return nil
}

func (r *etcdReader) event(e *event) *etcdRefusal {
	if e.kind == eventRun {
		if no := r.entries(e); no != nil {
			no.at = &place{off: e.at.off}
			return no
		}
	}
	if e.kind == eventSnapshot && e.id.Index == r.start.Index && e.id.Term != r.start.Term {
		return &etcdRefusal{cause: causeSnapshot, log: r.rel.lines.read, text: errOtherSnap, at: &place{off: e.at.off}}
	}
	if e.states.n > 0 {
		r.state = e.states.last
	}
	return nil
}

// entries takes in a run. Entries up to the start are skipped, and therefore don't drop what they
// overwrite: etcd's defect that brings entries back from the dead.
func (r *etcdReader) entries(e *event) *etcdRefusal {
	if e.last() <= r.start.Index {
		return nil
	}
	lo := max(e.id.Index, r.start.Index+1)
	n := uint64(0)
	if k := len(r.ents); k > 0 {
		n = r.ents[k-1].last - r.start.Index
	}
	if lo-r.start.Index-1 > n {
		return r.gap(raftpb.EntryID{Term: e.id.Term, Index: lo}, n)
	}
	for k := len(r.ents); k > 0 && r.ents[k-1].last >= lo; k-- {
		if r.ents[k-1].last = lo - 1; r.ents[k-1].last < r.ents[k-1].first {
			r.ents = r.ents[:k-1]
		}
	}
	r.ents = append(r.ents, span{lo, e.last(), e.id.Term})
	r.most = max(r.most, e.last()-r.start.Index)
	return nil
}

// gap is what etcd does about an entry behind n others that isn't the next.
func (r *etcdReader) gap(id raftpb.EntryID, n uint64) *etcdRefusal {
	no := &etcdRefusal{cause: causeGap, log: r.rel.lines.read, text: errOutOfRange}
	switch {
	case r.rel.gapPanics:
		no.log, no.text = "", "runtime error: slice bounds out of range"
		// Up to the capacity that the entries have got in growing, Go lets it pass.
		no.unknown = id.Index-r.start.Index-1 <= 4*r.most+16
	case r.rel.detailed:
		no.text = fmt.Sprintf("%s, snapshot[Index: %d, Term: %d], "+
			"current entry[Index: %d, Term: %d], len(ents): %d",
			errOutOfRange, r.start.Index, r.start.Term, id.Index, id.Term, n)
	}
	return no
}

// boot checks what raft checks before it runs.
func (r *etcdReader) boot(o *Outlook) *etcdRefusal {
	if r.meta.fault != "" {
		return &etcdRefusal{cause: causeIdentity, text: r.meta.fault}
	}
	if r.meta.node == 0 {
		return &etcdRefusal{cause: causeIdentity, text: "cannot use none as id"}
	}
	if c := r.state.Commit; !r.state.IsEmpty() && (c < r.start.Index || c > o.Last.Index) {
		return &etcdRefusal{cause: causeCommit, text: fmt.Sprintf(
			"%x state.commit %d is out of range [%d, %d]",
			r.meta.node, c, r.start.Index, o.Last.Index)}
	}
	return nil
}
