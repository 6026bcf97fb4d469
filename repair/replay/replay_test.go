package replay_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/replay"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// history is a random log of requests, and what a client saw after each.
type history struct {
	entries []raftpb.Entry
	seen    []string // by index: revision and keys after the entry
	revs    []int64
}

var rangeOptions = mvcc.RangeOptions{}

const keys = 6

func key(rng *rand.Rand) []byte {
	names := [keys]string{"a", "a/1", "a/2", "b", "a/1x", "c"}
	return []byte(names[rng.IntN(keys)])
}

// request returns a random request. Leases are 1 to 3.
func request(rng *rand.Rand, n int) *pb.InternalRaftRequest {
	put := &pb.PutRequest{Key: key(rng), Value: fmt.Appendf(nil, "v%d", n)}
	del := &pb.DeleteRangeRequest{Key: key(rng)}
	if rng.IntN(3) == 0 {
		del = &pb.DeleteRangeRequest{Key: []byte("a/"), RangeEnd: []byte("a0")}
	}
	lease := int64(1 + rng.IntN(3))
	switch rng.IntN(12) {
	case 0, 1:
		return &pb.InternalRaftRequest{DeleteRange: del}
	case 2, 3:
		return &pb.InternalRaftRequest{Txn: &pb.TxnRequest{
			Compare: []*pb.Compare{{Result: pb.Compare_GREATER, Target: pb.Compare_VERSION, Key: key(rng),
				TargetUnion: &pb.Compare_Version{Version: 1}}},
			Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: del}}},
			Failure: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: put}}},
		}}
	case 4:
		return &pb.InternalRaftRequest{LeaseGrant: &pb.LeaseGrantRequest{ID: lease, TTL: 1000}}
	case 5:
		return &pb.InternalRaftRequest{LeaseRevoke: &pb.LeaseRevokeRequest{ID: lease}}
	case 6:
		put.Lease = lease
	case 7:
		return &pb.InternalRaftRequest{Compaction: &pb.CompactionRequest{Revision: int64(1 + n/3)}}
	case 8:
		return nil // the first entry of a leader
	}
	return &pb.InternalRaftRequest{Put: put}
}

func newHistory(t *testing.T, rng *rand.Rand, n int) *history {
	t.Helper()
	h := &history{seen: make([]string, n+1), revs: make([]int64, n+1)}
	dir := t.TempDir()
	h.seen[0], h.revs[0] = "1:", 1
	for i := 1; i <= n; i++ {
		e := raftpb.Entry{Index: uint64(i), Term: uint64(1 + i/10)}
		if r := request(rng, i); r != nil {
			r.Header = &pb.RequestHeader{ID: uint64(i)}
			var err error
			if e.Data, err = proto.Marshal(r); err != nil {
				t.Fatal(err)
			}
		}
		h.entries = append(h.entries, e)
	}
	s := open(t, dir)
	for i := range h.entries {
		if _, err := s.Apply(h.entries[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		h.revs[i+1] = s.KV().Rev()
		h.seen[i+1] = look(t, s)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return h
}

func open(t *testing.T, dir string) *kv.Store {
	t.Helper()
	s, err := kv.Open(dir, kv.Options{NoSync: true, WaitCompaction: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// look returns what a client sees.
func look(t *testing.T, s *kv.Store) string {
	t.Helper()
	got, err := s.KV().Range(t.Context(), []byte{0}, []byte{}, rangeOptions)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", s.KV().Rev())
	for _, kv := range got.KVs {
		fmt.Fprintf(&b, " %s=%s@%d/%d", kv.Key, kv.Value, kv.ModRevision, kv.Lease)
	}
	for id := range lease.LeaseID(4) {
		if s.Lessor().Lookup(id) != nil {
			fmt.Fprintf(&b, " lease %d", id)
		}
	}
	return b.String()
}

// lookAt returns what a client sees in the database in dir, and the last entry applied.
func lookAt(t *testing.T, dir string) (seen string, index uint64) {
	t.Helper()
	db, err := database.Open(t.Context(), os.DirFS(dir), kv.FileName, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := db.Verify(t.Context(), database.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Severity == "error" {
			t.Errorf("verify: %v", f.String())
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer func() { _ = s.Close() }()
	return look(t, s), s.Applied().Index
}

func (h *history) from(after uint64) iter.Seq2[wal.LiveEntry, error] {
	return func(yield func(wal.LiveEntry, error) bool) {
		for i := range h.entries {
			e := h.entries[i]
			e.Data = append([]byte(nil), e.Data...)
			if e.Index > after && !yield(wal.LiveEntry{Entry: &e}, nil) {
				return
			}
			for j := range e.Data {
				e.Data[j] = 0xee // nothing may be kept of it
			}
		}
	}
}

// run replays a history onto a database that has its first entries.
func (h *history) run(t *testing.T, base int, target string) (string, *replay.Report, error) {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Apply(h.entries[:base]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	goal, err := replay.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	if goal.String() != target {
		t.Errorf("%q is printed as %q", target, goal)
	}
	report, err := replay.Run(t.Context(), replay.Options{Dir: dir, Target: goal, Entries: h.from(uint64(base))})
	return dir, report, err
}

// targets are all targets that a history has, each with the index of the last entry to be applied; -1 if
// it can't be reached.
func (h *history) targets(base int) map[string]int {
	n := len(h.entries)
	want := map[string]int{"end": n, "index=1000": -1, "revision=1000": -1, "term=1000": -1}
	for i := range n {
		index := i + 1
		want[fmt.Sprintf("index=%d", index)] = index
		if index < base {
			want[fmt.Sprintf("index=%d", index)] = -1
		}
	}
	for i := n; i >= 0; i-- { // the first that has a revision stays
		name := fmt.Sprintf("revision=%d", h.revs[i])
		if i >= base {
			want[name] = i
		} else if _, ok := want[name]; !ok {
			want[name] = -1
		}
	}
	for i := range n {
		term := h.entries[i].Term
		name := fmt.Sprintf("term=%d", term)
		want[name] = i + 1
		if base > 0 && term < h.entries[base-1].Term {
			want[name] = -1
		}
	}
	for _, k := range []string{"a", "a/", "b", "zz", "a/1"} {
		want["before-delete="+k] = h.lastDelete(base, k)
	}
	return want
}

// lastDelete returns the index before the last deletion of a key, or of keys that begin with it if it was
// never deleted itself. A key is seen to be deleted by not being there any more.
func (h *history) lastDelete(base int, k string) int {
	for _, exact := range []bool{true, false} {
		for i := len(h.entries); i > base; i-- {
			if gone(h.seen[i-1], h.seen[i], k, exact) {
				return i - 1
			}
		}
	}
	return -1
}

func gone(before, after, k string, exact bool) bool {
	names := func(seen string) map[string]bool {
		set := map[string]bool{}
		for _, field := range strings.Fields(seen) {
			if name, _, ok := strings.Cut(field, "="); ok {
				set[name] = true
			}
		}
		return set
	}
	was, is := names(before), names(after)
	for name := range was {
		if !is[name] && (name == k || !exact && strings.HasPrefix(name, k)) {
			return true
		}
	}
	return false
}

func TestTargetsOfRandomHistories(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		h := newHistory(t, rng, 40)
		base := rng.IntN(25)
		for target, want := range h.targets(base) {
			dir, report, err := h.run(t, base, target)
			if want < 0 {
				if _, ok := errors.AsType[*replay.TargetError](err); !ok {
					t.Errorf("seed %d, base %d, %s: error %v, want a TargetError", seed, base, target, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("seed %d, base %d, %s: %v", seed, base, target, err)
				continue
			}
			seen, index := lookAt(t, dir)
			if index != uint64(want) || report.After.Applied.Index != index || report.After.Revision != h.revs[want] {
				t.Errorf("seed %d, base %d, %s: entry %d, report %+v, want %d at revision %d", seed, base, target, index,
					report.After, want, h.revs[want])
			}
			if diff := cmp.Diff(h.seen[want], seen); diff != "" {
				t.Errorf("seed %d, base %d, %s (-want +got):\n%s", seed, base, target, diff)
			}
		}
	}
}

func TestDeletionsAreListed(t *testing.T) {
	var list []*pb.InternalRaftRequest
	for range 13 {
		list = append(list, put("a/1", "x"), put("a/2", "y"), del("a/1"), del("zz"))
	}
	h := newLog(t, list...)
	_, report, err := h.run(t, 0, "before-delete=a/")
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Deletions) != replay.MaxDeletions || report.Others != 3 {
		t.Fatalf("%d deletions and %d others, want %d and 3", len(report.Deletions), report.Others, replay.MaxDeletions)
	}
	want := replay.Deletion{ID: raftpb.EntryID{Term: 1, Index: 51}, Op: "delete_range", Revision: 40, Keys: 1, Key: []byte("a/1")}
	if diff := cmp.Diff(want, report.Deletions[replay.MaxDeletions-1]); diff != "" {
		t.Errorf("the last (-want +got):\n%s", diff)
	}
}
