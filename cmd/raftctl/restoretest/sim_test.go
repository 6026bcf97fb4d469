package restoretest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot/database"
)

// Restores of simulated clusters, from random bases, logs and to random targets: the result is what a model
// has at that entry, or is refused, and never for an entry that is there and known to be committed.
func TestSimulatedClusters(t *testing.T) {
	for _, seed := range seeds(t) {
		for i := range uint64(4) {
			t.Run(fmt.Sprintf("seed %d.%d", seed, i), func(t *testing.T) {
				t.Parallel()
				c := newSimCluster(t, rand.New(rand.NewPCG(seed, i)))
				c.live(20 + c.rng.IntN(300))
				c.finish()
				s := &simRun{simCluster: c, states: simStates(c.truth), dbs: map[uint64]simDB{}}
				for _, m := range c.members {
					s.settle(m)
				}
				for range 8 {
					s.restore()
				}
			})
		}
	}
}

// simRun restores from what a cluster left.
type simRun struct {
	*simCluster
	states []simState // of the committed entries
	dbs    map[uint64]simDB
	n      int // restores
}

// simDB is a database as of an entry.
type simDB struct {
	path    string
	applied uint64 // as it says: entries without an effect may be behind that
}

// database makes the database as of an entry.
func (s *simRun) database(index uint64) simDB {
	if db, ok := s.dbs[index]; ok {
		return db
	}
	dir := filepath.Join(s.dir, fmt.Sprint("db", index))
	s.must(os.Mkdir(dir, 0o777))
	store, err := kv.Open(dir, kv.Options{Member: simMemberID, Cluster: s.id, NoSync: true, WaitCompaction: true})
	s.must(err)
	for _, e := range s.truth[:index] {
		_, err := store.Apply([]raftpb.Entry{{Term: e.Term, Index: e.Index, Type: e.Type, Data: []byte(e.Data)}})
		s.must(err)
	}
	s.must(store.Close())
	db, err := database.Open(s.t.Context(), os.DirFS(dir), kv.FileName, database.Options{})
	s.must(err)
	meta, err := db.Meta()
	s.must(err)
	s.must(db.Close())
	s.dbs[index] = simDB{filepath.Join(dir, kv.FileName), meta.ConsistentIndex}
	return s.dbs[index]
}

// restore does one restore.
func (s *simRun) restore() {
	s.n++
	dir := filepath.Join(s.dir, fmt.Sprint("restore", s.n))
	s.must(os.Mkdir(dir, 0o777))
	g := s.give(dir)
	g.until, g.uncommitted = s.target(), s.rng.IntN(5) == 0
	g.args = append(g.args, "--until", g.until, "--data-dir", filepath.Join(dir, "new"), "-o", "json")
	if g.uncommitted {
		g.args = append(g.args, "--include-uncommitted")
	}
	if s.rng.IntN(6) == 0 {
		g.args = append(g.args, "--rehearse")
	}
	if s.rng.IntN(4) == 0 {
		g.args = append(g.args, "--bump-revision", "auto", "--mark-compacted")
	}
	status, out, errs := run(s.t, g.args...)
	if status == ui.StatusOK {
		r := new(restored)
		s.must(json.Unmarshal([]byte(out), r))
		s.check(g, r)
		return
	}
	mayFail := !s.hasTo(g) || strings.Contains(errs, "has no metadata") || g.uncommitted && g.hasDamage()
	if !mayFail || status == ui.StatusError || out != "" {
		s.t.Errorf("restore %q: exit status %d: %s\nentries %d..%d are there, of %d", g.args, status, errs,
			g.base.applied+1, g.reach, len(s.truth))
	}
}

// check compares what a restore says and has made with the model.
func (s *simRun) check(g *simGiven, r *restored) {
	last, commit := r.Replay.Last, r.Replay.Commit.Index
	if commit > g.known && r.Replay.Commit.By != "majority" || commit > uint64(len(s.truth)) {
		s.t.Fatalf("restore %q: entry %d is committed, of %d", g.args, commit, len(s.truth))
	}
	if g.uncommitted && g.hasDamage() {
		return // which log is the most advanced isn't known
	}
	history, limit := s.truth, max(commit, last)
	if g.uncommitted {
		if list := s.tail(g, commit); uint64(len(list)) >= g.base.applied {
			history, limit = list, uint64(len(list))
		}
	} else if last > commit && last > g.base.applied {
		s.t.Errorf("restore %q: up to %d, and %d is known to be committed", g.args, last, commit)
	}
	states := simStates(history)
	if int(last) >= len(states) {
		s.t.Fatalf("restore %q: up to %d, of %d", g.args, last, len(states)-1)
	}
	if want, ok := s.want(states, g, limit); ok && want != last {
		s.t.Errorf("restore %q: up to %d, want %d", g.args, last, want)
	}
	s.checkTime(g, history, last, limit)
	want := states[last]
	if seen := states[limit].rev; r.BumpedBy > 0 {
		want.rev += r.BumpedBy
		want.compacted = want.rev
	} else if slices.Contains(g.args, "auto") && seen > want.rev {
		s.t.Errorf("restore %q: revision %d, and %d was seen", g.args, want.rev, seen)
	}
	s.compare(g, r.Members[0].DataDir, &want)
}

// checkTime asks whether a moment has come to the right entry, within the slack that is usual.
func (s *simRun) checkTime(g *simGiven, history []simEntry, last, limit uint64) {
	text, ok := strings.CutPrefix(g.until, "time=")
	if !ok {
		return
	}
	const slack = time.Minute
	at, err := time.Parse(time.RFC3339Nano, text)
	s.must(err)
	if e := history[last-1]; last > g.base.applied && e.at.After(at.Add(slack)) {
		s.t.Errorf("restore %q: with entry %d, of %v", g.args, last, e.at)
	}
	if last < limit && history[last].at.Before(at.Add(-slack)) {
		s.t.Errorf("restore %q: without entry %d, of %v", g.args, last+1, history[last].at)
	}
}

// tail are the committed entries up to commit, and those that the most advanced log goes on with.
func (s *simRun) tail(g *simGiven, commit uint64) []simEntry {
	best := slices.MaxFunc(g.logs, func(a, b *simMember) int {
		return cmp.Or(cmp.Compare(a.last().Term, b.last().Term), cmp.Compare(a.last().Index, b.last().Index))
	})
	list := slices.Clone(s.truth[:commit])
	for i := commit + 1; i <= best.last().Index; i++ {
		list = append(list, best.held[i])
	}
	return list
}

func (s *simRun) target() string {
	n := uint64(len(s.truth))
	switch s.rng.IntN(9) {
	case 5, 6:
		at := s.truth[s.rng.IntN(len(s.truth))].at.Add(time.Duration(s.rng.IntN(10000)-5000) * time.Millisecond)
		return "time=" + at.Format(time.RFC3339Nano)
	case 0:
		return fmt.Sprint("index=", 1+s.rng.Uint64N(n+3))
	case 1:
		return fmt.Sprint("revision=", 1+s.rng.Int64N(s.states[n].rev+2))
	case 2:
		return fmt.Sprint("term=", 1+s.rng.Uint64N(s.truth[n-1].Term+1))
	case 3, 4:
		return "before-delete=" + []string{"p", "p/1", "p/", "d", "d/", "d/1", "\xff", "d/\xc3", "d/1\x1b"}[s.rng.IntN(9)]
	}
	return "end"
}

// hasTo reports whether a target has to be reached.
func (s *simRun) hasTo(g *simGiven) bool {
	if g.known > g.reach && !strings.HasPrefix(g.until, "index=") {
		return false
	}
	limit := max(g.reach, g.base.applied)
	want, ok := s.want(s.states, g, limit)
	return ok && want <= limit
}

// want is the entry that a target means, where entries up to limit may be taken; ok is false if it can't be
// reached, or if the model doesn't say.
func (s *simRun) want(states []simState, g *simGiven, limit uint64) (last uint64, ok bool) {
	name, value, _ := strings.Cut(g.until, "=")
	var n uint64
	_, _ = fmt.Sscan(value, &n)
	base := g.base.applied
	limit = min(limit, uint64(len(states)-1))
	switch name {
	case "end":
		return limit, limit >= base
	case "index":
		return n, n >= base && n <= limit
	case "revision":
		for i := base; i <= limit; i++ {
			if states[i].rev >= int64(n) {
				return i, states[i].rev == int64(n)
			}
		}
	case "term":
		for i := limit; i >= base && i > 0; i-- {
			if states[i].term <= n {
				return i, states[i].term == n
			}
		}
	case "before-delete":
		for _, exact := range []bool{true, false} {
			for i := limit; i > base; i-- {
				if slices.ContainsFunc(states[i].gone, func(k string) bool {
					return k == value || !exact && strings.HasPrefix(k, value)
				}) {
					return i - 1, true
				}
			}
		}
	}
	return 0, false
}

// compare compares a result with the model.
func (s *simRun) compare(g *simGiven, dir string, want *simState) {
	s.t.Helper()
	store, err := kv.Open(filepath.Join(dir, "member", "snap"), kv.Options{NoSync: true, WaitCompaction: true})
	s.must(err)
	defer func() { s.must(store.Close()) }()
	got := newSimState()
	got.term = want.term // the new cluster's own is 1
	got.rev, got.compacted = store.KV().Rev(), store.KV().FirstRev()
	r, err := store.KV().Range(s.t.Context(), []byte{0}, []byte{}, mvcc.RangeOptions{})
	s.must(err)
	for _, k := range r.KVs {
		got.keys[string(k.Key)] = key{string(k.Value), k.CreateRevision, k.ModRevision, k.Version, k.Lease}
	}
	for id := int64(1); id < 8; id++ {
		if l := store.Lessor().Lookup(lease.LeaseID(id)); l != nil {
			got.leases[id] = l.TTL()
		}
	}
	users, err := store.Auth().UserList(&pb.AuthUserListRequest{})
	s.must(err)
	for _, name := range users.Users {
		got.users[name] = true
	}
	got.full = len(store.Alarms()) > 0
	expect := *want
	expect.gone, expect.changed = nil, false
	if diff := gocmp.Diff(expect, got, gocmp.AllowUnexported(simState{})); diff != "" {
		s.t.Errorf("restore %q (-want +got):\n%s", g.args, diff)
	}
}
