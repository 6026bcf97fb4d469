package snapshot_test

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v2store"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/snapshot"
)

// newStore builds a store that can be built.
func newStore(tb testing.TB, m snapshot.Membership) *snapshot.Store {
	tb.Helper()
	s, err := snapshot.NewStore(m)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// refMembers reads a store as etcd does.
func refMembers(tb testing.TB, data []byte) snapshot.Membership {
	tb.Helper()
	st := v2store.New("/0", "/1")
	if err := st.Recovery(data); err != nil {
		tb.Fatal(err)
	}
	members, removed := membership.MembersFromStore(zap.NewNop(), st)
	var m snapshot.Membership
	for _, id := range slices.Sorted(maps.Keys(members)) {
		r := members[id]
		m.Members = append(m.Members, snapshot.Member{ID: uint64(id), Name: r.Name,
			PeerURLs: r.PeerURLs, ClientURLs: r.ClientURLs, Learner: r.IsLearner})
	}
	for _, id := range slices.Sorted(maps.Keys(removed)) {
		m.Removed = append(m.Removed, uint64(id))
	}
	if e, err := st.Get("/0/version", false, false); err == nil {
		m.Version = *e.Node.Value
	}
	return m
}

// memberships are those that the cases are made of.
var memberships = map[string]snapshot.Membership{
	"nobody": {},
	"restored": {Members: []snapshot.Member{
		{ID: 0x8e9e05c52164694d, PeerURLs: []string{"http://localhost:2380"}}}},
	"running": {Version: "3.6.0", Members: []snapshot.Member{
		{ID: 0x28382fedfcc28c4, Name: "m1", PeerURLs: []string{"http://a:1", "http://b:1"}, ClientURLs: []string{"http://a:2"}},
		{ID: 0x395f5db207f00ede, Name: `<"m2"> & é`, PeerURLs: []string{"http://c:1"}, ClientURLs: []string{"http://c:2"}},
		{ID: 0xbeed263fa4e2fa20, PeerURLs: []string{"http://d:1"}, Learner: true},
	}, Removed: []uint64{7, 0xa, 1<<64 - 1}},
	"started without client URLs": {Version: "3.5.0", Members: []snapshot.Member{
		{ID: 1, Name: "m1", PeerURLs: []string{"http://a:1"}}}},
}

// What is built is what etcd's own store gives, byte for byte, if the same changes are made to it.
func TestNewStoreAgainstEtcd(t *testing.T) {
	for name, m := range memberships {
		ref := v2store.New("/0", "/1")
		_, _ = ref.Get("/0/members", true, true) // etcd looks whether it is empty; it counts as failed
		forever := v2store.TTLOptionSet{ExpireTime: v2store.Permanent}
		create := func(value string, names ...string) {
			if _, err := ref.Create(path.Join(names...), false, value, false, forever); err != nil {
				t.Fatal(err)
			}
		}
		set := func(value string, names ...string) {
			if _, err := ref.Set(path.Join(names...), false, value, forever); err != nil {
				t.Fatal(err)
			}
		}
		for _, member := range m.Members {
			key := membership.MemberStoreKey(types.ID(member.ID))
			create(refValue(t, membership.RaftAttributes{PeerURLs: member.PeerURLs, IsLearner: member.Learner}),
				key, "raftAttributes")
			if member.Name != "" || member.ClientURLs != nil {
				set(refValue(t, membership.Attributes{Name: member.Name, ClientURLs: member.ClientURLs}),
					key, "attributes")
			}
		}
		for _, id := range m.Removed {
			create("", membership.RemovedMemberStoreKey(types.ID(id)))
		}
		if m.Version != "" {
			set(m.Version, membership.StoreClusterVersionKey())
		}
		want, err := ref.SaveNoCopy()
		if err != nil {
			t.Fatal(err)
		}
		got := newStore(t, m).AppendJSON(nil)
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-etcd +ours):\n%s", name, diff)
		}
		if diff := cmp.Diff(m, refMembers(t, got), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: as etcd reads it (-want +got):\n%s", name, diff)
		}
	}
}

// etcd makes the snapshots of 3.6 and 3.7 so: the same bytes, where no order is left to chance.
func TestNewStoreAgainstCluster(t *testing.T) {
	for name, m := range memberships {
		if len(m.Members) > 1 || name == "started without client URLs" {
			continue // etcd takes members in random order, and leaves a name without client URLs out
		}
		var list []*membership.Member
		for _, member := range m.Members {
			list = append(list, &membership.Member{ID: types.ID(member.ID),
				RaftAttributes: membership.RaftAttributes{PeerURLs: member.PeerURLs, IsLearner: member.Learner},
				Attributes:     membership.Attributes{Name: member.Name, ClientURLs: member.ClientURLs}})
		}
		ref := v2store.New("/0", "/1")
		membership.NewClusterFromMembers(zap.NewNop(), 1, list).Store(ref)
		want, err := ref.SaveNoCopy()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(newStore(t, m).AppendJSON(nil))); diff != "" {
			t.Errorf("%s (-etcd +ours):\n%s", name, diff)
		}
	}
}

// Rebuilt from its members, every real store says the same to etcd; that of a cluster whose members
// etcd happened to take by their IDs is the same to the byte.
func TestRebuildReal(t *testing.T) {
	equal := 0
	for _, r := range realSnaps(t) {
		m := readMembers(t, parseStore(t, r.snap.Data))
		if diff := cmp.Diff(refMembers(t, r.snap.Data), m, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-etcd +ours):\n%s", r.name, diff)
		}
		built := newStore(t, m).AppendJSON(nil)
		if diff := cmp.Diff(m, refMembers(t, built), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: rebuilt (-was +is):\n%s", r.name, diff)
		}
		if string(built) == string(r.snap.Data) {
			equal++
		}
	}
	if equal < 20 {
		t.Errorf("%d stores are equal when rebuilt, want at least 20", equal)
	}
}

// A new membership leaves the keys of v2 clients as they are, and etcd goes on with the store.
func TestSetMembership(t *testing.T) {
	want := memberships["running"]
	for _, r := range realSnaps(t) {
		s := parseStore(t, r.snap.Data)
		keys, was := slices.Collect(s.Keys()), s.CurrentIndex
		if err := s.SetMembership(want); err != nil {
			t.Fatal(err)
		}
		data := s.AppendJSON(nil)
		if diff := cmp.Diff(want, refMembers(t, data)); diff != "" {
			t.Fatalf("%s: members (-want +got):\n%s", r.name, diff)
		}
		if diff := cmp.Diff(keys, slices.Collect(parseStore(t, data).Keys())); diff != "" {
			t.Errorf("%s: keys (-was +is):\n%s", r.name, diff)
		}
		goesOn(t, data, was+9) // 3 members, 2 of them with attributes, 3 removed, the version
	}
	empty := new(snapshot.Store)
	if err := empty.SetMembership(want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(newStore(t, want).AppendJSON(nil)), string(empty.AppendJSON(nil))); diff != "" {
		t.Errorf("of a snapshot without a store (-want +got):\n%s", diff)
	}
}

// goesOn checks that etcd can watch and change a store, whose last index is given.
func goesOn(t *testing.T, data []byte, index uint64) {
	t.Helper()
	ref := v2store.New("/0", "/1")
	if err := ref.Recovery(data); err != nil {
		t.Fatal(err)
	}
	if ref.Index() != index {
		t.Errorf("index %d, want %d", ref.Index(), index)
	}
	for i := range uint64(3) {
		e, err := ref.Set("/1/goes-on", false, strconv.FormatUint(i, 10), v2store.TTLOptionSet{})
		if err != nil || e.Node.ModifiedIndex != index+1+i {
			t.Fatalf("change %d: %+v, %v", i, e, err)
		}
	}
	for since := range index + 5 { // of which those from the last few changes on are remembered
		w, err := ref.Watch("/1/goes-on", false, false, since)
		if err == nil {
			w.Remove()
		}
	}
}

// The same member twice is no membership.
func TestNewStoreRefuses(t *testing.T) {
	twice := snapshot.Membership{Members: []snapshot.Member{{ID: 1}, {ID: 1}}}
	const want = "v2 store: /0/members/1/raftAttributes is there twice"
	if _, err := snapshot.NewStore(twice); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	s := parseStore(t, []byte(legacy))
	before := string(s.AppendJSON(nil))
	if err := s.SetMembership(snapshot.Membership{Removed: []uint64{2, 2}}); err == nil {
		t.Error("removed twice, and no error")
	}
	if string(s.AppendJSON(nil)) != before {
		t.Error("refused, and yet changed")
	}
}

// A history has room for a thousand events.
func TestNewStoreOfMany(t *testing.T) {
	for _, n := range []int{999, 1000, 1001} {
		m := snapshot.Membership{Members: []snapshot.Member{{ID: 1}}}
		for id := range n - 1 {
			m.Removed = append(m.Removed, uint64(id+1))
		}
		data := newStore(t, m).AppendJSON(nil)
		if got := refMembers(t, data); len(got.Removed) != n-1 {
			t.Errorf("%d removed, want %d", len(got.Removed), n-1)
		}
		if events := strings.Count(string(data), `"action":`); (events == n) != (n <= 1000) {
			t.Errorf("%d events of %d", events, n)
		}
		goesOn(t, data, uint64(n))
	}
}

// refValue returns the value of a member's key.
func refValue(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
