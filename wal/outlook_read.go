package wal

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// etcdReader collects entries as etcd's ReadAll does.
type etcdReader struct {
	start raftpb.EntryID
	ents  []span // contiguous, from start.Index+1 on
	state raftpb.HardState
	meta  etcdMeta
}

func (r *etcdReader) step(st *etcdStep) *etcdRefusal {
	switch st.kind {
	case stepMetadata:
		if r.meta.set && r.meta.sum != st.meta.sum {
			return &etcdRefusal{log: logRead, text: errConflict}
		}
		r.meta = st.meta
	case stepUnknown:
		return &etcdRefusal{log: logRead, text: st.text}
	case stepPanic:
		return &etcdRefusal{text: st.text}
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
			return no
		}
	}
	if e.kind == eventSnapshot && e.id.Index == r.start.Index && e.id.Term != r.start.Term {
		return &etcdRefusal{log: logRead, text: errOtherSnap}
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
		return &etcdRefusal{log: logRead, text: fmt.Sprintf("%s, snapshot[Index: %d, Term: %d], "+
			"current entry[Index: %d, Term: %d], len(ents): %d",
			errOutOfRange, r.start.Index, r.start.Term, lo, e.id.Term, n)}
	}
	for k := len(r.ents); k > 0 && r.ents[k-1].last >= lo; k-- {
		if r.ents[k-1].last = lo - 1; r.ents[k-1].last < r.ents[k-1].first {
			r.ents = r.ents[:k-1]
		}
	}
	r.ents = append(r.ents, span{lo, e.last(), e.id.Term})
	return nil
}

// boot checks what raft checks before it runs.
func (r *etcdReader) boot(o *Outlook) *etcdRefusal {
	if r.meta.node == 0 {
		return &etcdRefusal{text: "cannot use none as id"}
	}
	if c := r.state.Commit; !r.state.IsEmpty() && (c < r.start.Index || c > o.Last.Index) {
		return &etcdRefusal{text: fmt.Sprintf("%x state.commit %d is out of range [%d, %d]",
			r.meta.node, c, r.start.Index, o.Last.Index)}
	}
	return nil
}
