package kv

import (
	"encoding/json"

	"go.etcd.io/etcd/server/v3/etcdserver/cindex"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/raftctl/raftctl/raftpb"
)

// hooks write into every transaction of one database what belongs to its last entry. All fields are
// guarded by the lock of the transaction.
type hooks struct {
	failure   *failure
	index     cindex.ConsistentIndexer
	confState []byte // of a change in the transaction; nil: none
}

// OnPreCommitUnsafe implements backend.Hooks. It is called when a transaction is about to be committed.
func (h *hooks) OnPreCommitUnsafe(tx backend.UnsafeReadWriter) {
	h.failure.refuse()
	h.index.UnsafeSave(tx)
	if h.confState != nil {
		tx.UnsafePut(schema.Meta, schema.MetaConfStateName, h.confState)
		h.confState = nil
	}
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
