package kv

import (
	"encoding/json"
	"fmt"
	"sync/atomic"

	"go.etcd.io/etcd/server/v3/etcdserver/cindex"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/raftctl/raftctl/raftpb"
)

// hooks write into every transaction of the database what belongs to its last entry.
type hooks struct {
	index     cindex.ConsistentIndexer
	confState atomic.Pointer[[]byte] // the next transaction takes it
}

// OnPreCommitUnsafe implements backend.Hooks.
func (h *hooks) OnPreCommitUnsafe(tx backend.UnsafeReadWriter) {
	h.index.UnsafeSave(tx)
	if cs := h.confState.Swap(nil); cs != nil {
		tx.UnsafePut(schema.Meta, schema.MetaConfStateName, *cs)
	}
}

func (h *hooks) setConfState(cs *raftpb.ConfState) error {
	b, err := appendConfState(cs)
	if err != nil {
		return fmt.Errorf("ConfState: %w", err)
	}
	h.confState.Store(&b)
	return nil
}

// confStateJSON is the ConfState as etcd 3.5 to 3.7 keep it in bucket meta.
type confStateJSON struct {
	Voters         []uint64 `json:"voters,omitempty"`
	Learners       []uint64 `json:"learners,omitempty"`
	VotersOutgoing []uint64 `json:"voters_outgoing,omitempty"`
	LearnersNext   []uint64 `json:"learners_next,omitempty"`
	AutoLeave      bool     `json:"auto_leave"`
}

func appendConfState(cs *raftpb.ConfState) ([]byte, error) {
	return json.Marshal(confStateJSON{cs.Voters, cs.Learners, cs.VotersOutgoing, cs.LearnersNext, cs.AutoLeave})
}
