package replay

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// ForeignError says that a log is not that of the cluster which a database comes from, or that nothing
// shows that it is.
type ForeignError struct{ Why string }

// Error returns why.
func (e *ForeignError) Error() string { return e.Why }

// Log is what logs say of the cluster that they come from.
type Log struct {
	Members []uint64                                  // that they name
	Term    func(index uint64) (term uint64, ok bool) // of a committed entry
}

// addSource adds the members that a log names outside of its entries.
func (l *Log) addSource(v *wal.View) {
	l.Members = append(l.Members, v.Metadata.NodeID)
	if v.State.Vote != 0 {
		l.Members = append(l.Members, v.State.Vote)
	}
	for _, s := range v.Snapshots {
		if s.ConfState != nil {
			l.Members = slices.Concat(l.Members, s.ConfState.Voters, s.ConfState.Learners)
		}
	}
}

// addChange adds the members that a change of the membership names.
func (l *Log) addChange(cc raftpb.ConfChangeI) {
	for _, c := range cc.AsV2().Changes {
		l.Members = append(l.Members, c.NodeID)
	}
}

// Check asks whether a database and logs come from one cluster, as far as that is told without the keys. A
// database doesn't have the ID of its cluster, but it has the members, and the term of the last entry that
// was applied.
func Check(meta *database.Meta, members *database.Members, log Log) error {
	term, known := log.Term(meta.ConsistentIndex)
	if known && meta.Term != 0 && meta.Term != term {
		return &ForeignError{fmt.Sprintf("entry %d, the last that the database has applied, is of term %d there, and "+
			"of term %d in the log", meta.ConsistentIndex, meta.Term, term)}
	}
	if slices.ContainsFunc(log.Members, members.Knows) {
		return nil
	}
	slices.Sort(log.Members)
	return &ForeignError{fmt.Sprintf("the log names the members %x, none of which the database has",
		slices.Compact(log.Members))}
}

// earlierKeys bounds how many keys are compared.
const earlierKeys = 256

// CheckKeys compares the last keys that entries put which the database has applied with those in it. That
// finds the log of another cluster whose members have the same IDs, as those of a cluster have that was
// restored. Puts that may have been refused don't count, and clusters may have some values in common, so that
// most keys have to be as the log says. Changes are those in the database since the first of the entries at
// least.
func CheckKeys(
	refused Refusals, earlier iter.Seq2[wal.LiveEntry, error], changes iter.Seq2[*database.Change, error],
) error {
	if refused.Full {
		return nil
	}
	want, err := lastPuts(refused.Users, earlier)
	if err != nil || len(want) == 0 {
		return err
	}
	same := map[string]bool{}
	for c, err := range changes {
		if err != nil {
			return nil // what is damaged is told elsewhere, and nothing is proven by it
		}
		value, ok := want[string(c.Key)]
		same[string(c.Key)] = ok && !c.Tombstone && bytes.Equal(c.Value, value)
	}
	n := 0
	for key := range want {
		if same[key] {
			n++
		}
	}
	if 2*n >= len(want) {
		return nil
	}
	return &ForeignError{fmt.Sprintf("of the last %d keys that the log puts, in entries that the database has "+
		"applied, %d have that value in it", len(want), n)}
}

// lastPuts returns the values of keys that entries put, of which it is sure that they were not refused, and
// that no later one may have changed otherwise.
func lastPuts(users *database.Auth, entries iter.Seq2[wal.LiveEntry, error]) (map[string][]byte, error) {
	puts := map[string][]byte{}
	var r decode.Request
	for e, err := range entries {
		if _, missing := errors.AsType[*wal.ReplayError](err); missing {
			clear(puts)
			break
		}
		if err != nil {
			return nil, err
		}
		if decode.Payload(&r, e.Entry) != nil || clouds(&r) {
			clear(puts)
			continue
		}
		for a := range r.Accesses() {
			notePut(puts, &r, a)
		}
		if r.Op == decode.OpPut && !isTaken(users, e.Data) {
			for a := range r.Accesses() {
				delete(puts, string(a.Key))
			}
		}
	}
	return puts, nil
}

// clouds reports whether after a request it isn't known what became of the puts before it: they may have
// been refused, for want of room or of permission, or have gone with a lease.
func clouds(r *decode.Request) bool {
	return r.Op == decode.OpLeaseRevoke || r.Op == decode.OpAlarm ||
		strings.HasPrefix(string(r.Op), "auth_")
}

func notePut(puts map[string][]byte, r *decode.Request, a decode.Access) {
	switch {
	case a.Op == decode.OpPut && r.Op == decode.OpPut && len(puts) < earlierKeys && a.Lease == 0:
		puts[string(a.Key)] = bytes.Clone(a.Value)
	case a.Op == decode.OpPut:
		delete(puts, string(a.Key))
	case a.Op == decode.OpDeleteRange:
		clear(puts)
	}
}
