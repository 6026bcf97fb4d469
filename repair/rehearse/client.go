package rehearse

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/raftpb"
)

// page is how many keys are read at once.
const page = 1000

// readKeys reads every key, and takes the hash.
func (m *member) readKeys(ctx context.Context) error {
	store := m.store.KV()
	m.report.Revision, m.report.Compacted = store.Rev(), max(0, store.FirstRev())
	m.report.Leases = len(m.store.Lessor().Leases())
	read := store.Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
	defer read.End()
	for from := []byte{0}; from != nil; {
		got, err := read.Range(ctx, from, []byte{}, mvcc.RangeOptions{Limit: page})
		if err != nil {
			return err
		}
		from = nil
		for _, kv := range got.KVs {
			m.report.Keys++
			m.report.KeyBytes += int64(len(kv.Key) + len(kv.Value))
			from = append(append(from[:0], kv.Key...), 0)
		}
		if m.Progress != nil {
			size, _ := m.store.Size()
			m.Progress(StageRead, m.report.KeyBytes, size)
		}
		if len(got.KVs) < page {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	hash, _, err := m.store.HashKV(0)
	m.report.Hash = hash.Hash
	return err
}

// probe is a key that no client has: etcd takes none that is longer than a request may be, and users
// don't begin theirs with a zero byte.
const probe = "\x00raftctl rehearsal"

// writeOne does what a member does that was just elected, and then a write and a deletion.
func (m *member) writeOne(ctx context.Context) error {
	term := m.found.State.Term + 1
	put, err := m.request(1, &etcdserverpb.InternalRaftRequest{
		Put: &etcdserverpb.PutRequest{Key: []byte(probe), Value: []byte("x")}})
	if err != nil {
		return err
	}
	del, err := m.request(2, &etcdserverpb.InternalRaftRequest{
		DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte(probe)}})
	if err != nil {
		return err
	}
	first := m.log.Last() + 1
	entries := []raftpb.Entry{{Term: term, Index: first}, {Term: term, Index: first + 1, Data: put},
		{Term: term, Index: first + 2, Data: del}}
	state := raftpb.HardState{Term: term, Vote: m.report.Member, Commit: first + 2}
	if err := m.log.Append(state, entries); err != nil {
		return err
	}
	if uncommitted := first - 1 - m.report.Last.Index; uncommitted > 0 {
		rest := m.found.Entries[uint64(len(m.found.Entries))-uncommitted:]
		entries = append(append([]raftpb.Entry(nil), rest...), entries...)
	}
	before := m.store.KV().Rev()
	if _, err := m.store.Apply(entries); err != nil {
		return err
	}
	if got := m.store.KV().Rev(); got < before+2 {
		return m.refused(fmt.Errorf("revision %d after two writes, want more than %d", got, before+1))
	}
	return ctx.Err()
}

// request encodes a request by a user who may do all.
func (m *member) request(id uint64, r *etcdserverpb.InternalRaftRequest) ([]byte, error) {
	r.Header = &etcdserverpb.RequestHeader{ID: id}
	if auth := m.store.Auth(); auth.IsAuthEnabled() {
		r.Header.Username, r.Header.AuthRevision = "root", auth.Revision()
	}
	return proto.Marshal(r)
}

// refused notes why writes are refused, if that is by an alarm, which starts don't suffer from.
func (m *member) refused(err error) error {
	for _, a := range m.store.Alarms() {
		m.report.Refused = fmt.Sprintf("alarm %s of member %x", a.Alarm, a.MemberID)
	}
	if m.report.Refused == "" {
		return errors.Join(errors.New("writes are refused"), err)
	}
	return nil
}
