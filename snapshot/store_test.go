package snapshot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v2store"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// realSnap is a .snap file that a real etcd wrote.
type realSnap struct {
	name  string // of the log and of the file
	bytes []byte
	snap  *raftpb.Snapshot
}

// realSnaps returns every .snap file of the corpora.
func realSnaps(tb testing.TB) []realSnap {
	tb.Helper()
	var all []realSnap
	for _, log := range corpus.Logs(tb) {
		dir := filepath.Join(log.Dir, snapDir)
		ids, err := snapshot.List(os.DirFS(dir), ".")
		if err != nil {
			tb.Fatal(err)
		}
		for _, id := range ids {
			b, err := os.ReadFile(filepath.Join(dir, snapshot.FileName(id)))
			if err != nil {
				tb.Fatal(err)
			}
			snap, err := snapshot.Parse(b)
			if err != nil {
				tb.Fatal(err)
			}
			all = append(all, realSnap{log.Name + "/" + snapshot.FileName(id), b, snap})
		}
	}
	if len(all) < 100 {
		tb.Errorf("%d snapshots, want at least 100", len(all))
	}
	return all
}

func parseStore(tb testing.TB, data []byte) *snapshot.Store {
	tb.Helper()
	s, err := snapshot.ParseStore(data)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func readMembers(tb testing.TB, s *snapshot.Store) snapshot.Membership {
	tb.Helper()
	m, err := s.Membership()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// What a real etcd wrote is read to the last byte, and holds the members that Raft knows.
func TestStoreReal(t *testing.T) {
	short := 0
	for _, r := range realSnaps(t) {
		s := parseStore(t, r.snap.Data)
		if string(s.AppendJSON(nil)) != string(r.snap.Data) {
			t.Errorf("%s: not the same when written again", r.name)
		}
		m := readMembers(t, s)
		var voters, learners []uint64
		for _, member := range m.Members {
			if member.ID < 1<<60 {
				short++ // its ID has 15 digits
			}
			if member.Learner {
				learners = append(learners, member.ID)
			} else {
				voters = append(voters, member.ID)
			}
			if len(member.PeerURLs) == 0 || (member.Name == "") != (member.ClientURLs == nil) {
				t.Errorf("%s: %+v", r.name, member)
			}
		}
		c := &r.snap.Metadata.ConfState
		if err := c.Equivalent(&raftpb.ConfState{Voters: voters, Learners: learners}); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		if restored := strings.Contains(r.name, "restored"); (m.Version == "") != restored {
			t.Errorf("%s: version %q", r.name, m.Version)
		}
	}
	if short == 0 {
		t.Error("no member has an ID of 15 digits")
	}
}

// The newest snapshot lists the members that etcdctl did just before the stop.
func TestStoreAgreesWithEtcdctl(t *testing.T) {
	for _, name := range []string{"c35-3m-clean", "c36-3m-clean", "c37-3m-clean"} {
		var golden struct {
			Members []struct {
				ID         uint64
				Name       string
				PeerURLs   []string
				ClientURLs []string
				IsLearner  bool
			}
		}
		if err := json.Unmarshal(corpus.Golden(t, name+".members.json"), &golden); err != nil {
			t.Fatal(err)
		}
		var want []snapshot.Member
		for _, m := range golden.Members {
			want = append(want, snapshot.Member{
				ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, Learner: m.IsLearner,
			})
		}
		slices.SortFunc(want, func(a, b snapshot.Member) int { return strings.Compare(a.Name, b.Name) })
		fsys := os.DirFS(filepath.Join(corpus.Dir(t, name), "m1", snapDir))
		files, err := snapshot.Files(t.Context(), fsys, ".")
		if err != nil {
			t.Fatal(err)
		}
		snap, err := snapshot.Read(fsys, ".", snapshot.Newest(files, nil).ID)
		if err != nil {
			t.Fatal(err)
		}
		m := readMembers(t, parseStore(t, snap.Data))
		slices.SortFunc(m.Members, func(a, b snapshot.Member) int { return strings.Compare(a.Name, b.Name) })
		if diff := cmp.Diff(want, m.Members); diff != "" {
			t.Errorf("%s: members (-etcdctl +ours):\n%s", name, diff)
		}
		if len(m.Removed) != 1 {
			t.Errorf("%s: removed %x, want m5", name, m.Removed)
		}
	}
}

// The keys of v2 clients, as clients name them.
func TestStoreKeysReal(t *testing.T) {
	dir := filepath.Join(corpus.Dir(t, "c34-1n-clean"), snapDir)
	ids, err := snapshot.List(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	snap, err := snapshot.Read(os.DirFS(dir), ".", ids[0])
	if err != nil {
		t.Fatal(err)
	}
	s := parseStore(t, snap.Data)
	ref := v2store.New("/0", "/1")
	if err := ref.Recovery(snap.Data); err != nil {
		t.Fatal(err)
	}
	n := 0
	for k := range s.Keys() {
		e, err := ref.Get("/1"+k.Path, false, false)
		if err != nil {
			t.Errorf("%s: %v", k.Path, err)
			continue
		}
		want := snapshot.Key{Path: strings.TrimPrefix(e.Node.Key, "/1"), Dir: e.Node.Dir,
			Created: e.Node.CreatedIndex, Modified: e.Node.ModifiedIndex}
		if e.Node.Value != nil {
			want.Value = *e.Node.Value
		}
		if e.Node.Expiration != nil {
			want.Expires = *e.Node.Expiration
		}
		if diff := cmp.Diff(want, k); diff != "" {
			t.Errorf("%s (-etcd +ours):\n%s", k.Path, diff)
		}
		n++
	}
	if n < 10 {
		t.Errorf("%d keys, want at least 10", n)
	}
}

// legacy is a store as etcd 2.0 wrote it: nodes with an ACL, no version, users of v2 clients.
const legacy = `{"Root":{"Path":"/","CreatedIndex":0,"ModifiedIndex":0,"ExpireTime":"0001-01-01T00:00:00Z",
"ACL":"","Value":"","Children":{"0":{"Path":"/0","ACL":"","Value":"","Children":{"members":{"Path":"/0/members",
"ACL":"","Value":"","Children":{"a2a822cea30bfca":{"Path":"/0/members/a2a822cea30bfca","CreatedIndex":1,
"ModifiedIndex":1,"ExpireTime":"0001-01-01T00:00:00Z","ACL":"","Value":"","Children":{"raftAttributes":{
"Path":"/0/members/a2a822cea30bfca/raftAttributes","ACL":"","Children":null,
"Value":"{\"peerURLs\":[\"http://localhost:2380\",\"http://localhost:7001\"]}"}}}}},
"removed_members":{"Path":"/0/removed_members","Children":{"b":{"Path":"/0/removed_members/b"}}}}},
"1":{"Path":"/1","Children":{"dir":{"Path":"/1/dir","Children":{},"CreatedIndex":3,"ModifiedIndex":3},
"key":{"Path":"/1/key","CreatedIndex":4,"ModifiedIndex":5,"ExpireTime":"2026-08-09T10:11:12.5Z","ACL":"",
"Value":"\u003cv\u003e","Children":null}}},
"2":{"Path":"/2","Children":{"enabled":{"Path":"/2/enabled","Value":"true"},"roles":{"Path":"/2/roles",
"Children":{"guest":{},"root":{}}},"users":{"Path":"/2/users","Children":{"root":{"Path":"/2/users/root"}}}}}}},
"WatcherHub":{"EventHistory":{"Queue":{"Events":[],"Size":0,"Front":0,"Back":0,"Capacity":1000},"StartIndex":0,
"LastIndex":0,"DupCnt":0}},"CurrentIndex":5,"Stats":{"getsSuccess":0},"CurrentVersion":2}`

func TestStoreLegacy(t *testing.T) {
	s := parseStore(t, []byte(legacy))
	if diff := cmp.Diff(snapshot.Membership{
		Members: []snapshot.Member{{ID: 0xa2a822cea30bfca,
			PeerURLs: []string{"http://localhost:2380", "http://localhost:7001"}}},
		Removed: []uint64{0xb},
	}, readMembers(t, s)); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	expires := time.Date(2026, 8, 9, 10, 11, 12, 500_000_000, time.UTC)
	want := []snapshot.Key{
		{Path: "/dir", Dir: true, Created: 3, Modified: 3},
		{Path: "/key", Value: "<v>", Created: 4, Modified: 5, Expires: expires},
	}
	if diff := cmp.Diff(want, slices.Collect(s.Keys())); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for k := range s.Keys() {
		if k.Dir {
			break // an iterator may be left
		}
	}
	auth, ok := s.Auth()
	wantAuth := snapshot.Auth{Enabled: true, Users: []string{"root"}, Roles: []string{"guest", "root"}}
	if diff := cmp.Diff(wantAuth, auth); !ok || diff != "" {
		t.Errorf("auth %t (-want +got):\n%s", ok, diff)
	}
	if s.CurrentIndex != 5 {
		t.Errorf("current index %d, want 5", s.CurrentIndex)
	}
}

// Releases that write no store leave the data empty.
func TestStoreEmpty(t *testing.T) {
	s := parseStore(t, nil)
	_, auth := s.Auth()
	if m := readMembers(t, s); s.Root != nil || len(m.Members) != 0 || auth || len(s.AppendJSON(nil)) != 0 {
		t.Errorf("%+v with %+v", s, m)
	}
	for k := range s.Keys() {
		t.Errorf("key %+v", k)
	}
}

// A member that etcd could not read is an error, not a member less.
func TestStoreMemberDamaged(t *testing.T) {
	for name, tt := range map[string]struct{ children, want string }{
		"name is no ID":      {`"x1":{"Path":"/0/members/x1"}`, `v2 store: /0/members/x1: name "x1", want a member's ID`},
		"no raft attributes": {`"1":{"Path":"/0/members/1"}`, "v2 store: /0/members/1: raftAttributes: no such key"},
		"unknown key": {`"1":{"Path":"/0/members/1","Children":{"other":{}}}`,
			`v2 store: /0/members/1: unknown key "other"`},
		"bad raft attributes": {`"1":{"Path":"/0/members/1","Children":{"raftAttributes":{"Value":"{"}}}`,
			"v2 store: /0/members/1: raftAttributes: unexpected end of JSON input"},
		"bad attributes": {`"1":{"Path":"/0/members/1","Children":{"raftAttributes":{"Value":"{}"},` +
			`"attributes":{"Value":""}}}`, "v2 store: /0/members/1: attributes: unexpected end of JSON input"},
	} {
		s := parseStore(t, fmt.Appendf(nil, `{"Root":{"Children":{"0":{"Children":{"members":{"Children":{%s}}}}}}}`,
			tt.children))
		if m, err := s.Membership(); err == nil || err.Error() != tt.want || m.Members != nil {
			t.Errorf("%s: %+v, %v, want %s", name, m, err, tt.want)
		}
	}
	s := parseStore(t, []byte(`{"Root":{"Children":{"0":{"Children":{"removed_members":{"Children":{"":{}}}}}}}}`))
	if m, err := s.Membership(); err == nil {
		t.Errorf("a removed member without a name: %+v", m)
	}
}

// Damaged JSON is an error that says where.
func TestStoreDamage(t *testing.T) {
	deep := func(n int) string {
		return strings.Repeat(`{"x":`, n) + "1" + strings.Repeat("}", n)
	}
	for name, tt := range map[string]struct {
		data string
		off  int64
	}{
		"text":                  {"not a store", 0},
		"cut off":               {`{"Root":{"Path":"/"`, 19},
		"something behind":      {`{} {}`, 3},
		"no comma":              {`{"Stats":1 "Root":{}}`, 11},
		"comma at the end":      {`{"Stats":1,}`, 11},
		"no colon":              {`{"Stats" 1}`, 9},
		"no name":               {`{1:1}`, 1},
		"an array":              {`[]`, 0},
		"bad literal":           {`{"Stats":nul}`, 9},
		"bad number":            {`{"Stats":01}`, 9},
		"no value":              {`{"Stats":}`, 9},
		"control in a string":   {"{\"Stats\":\"a\nb\"}", 11},
		"bad escape":            {`{"Stats":"a\x"}`, 12},
		"bad hex escape":        {`{"Stats":"\u00g0"}`, 14},
		"string without end":    {`{"Stats":"abc`, 13},
		"negative index":        {`{"CurrentIndex":-1}`, 16},
		"index beyond 64 bits":  {`{"CurrentIndex":18446744073709551616}`, 16},
		"index with a fraction": {`{"Root":{"CreatedIndex":1.0}}`, 24},
		"index as a string":     {`{"Root":{"ModifiedIndex":"1"}}`, 25},
		"value as a number":     {`{"Root":{"Value":1}}`, 17},
		"time that is none":     {`{"Root":{"ExpireTime":"today"}}`, 22},
		"time as a number":      {`{"Root":{"ExpireTime":1}}`, 22},
		"children as an array":  {`{"Root":{"Children":[]}}`, 20},
		"child null":            {`{"Root":{"Children":{"1":null}}}`, 25},
		"root null":             {`{"Root":null}`, 8},
		"too deep":              {deep(10001), 50000},
	} {
		s, err := snapshot.ParseStore([]byte(tt.data))
		e, ok := errors.AsType[*snapshot.StoreError](err)
		if !ok || s != nil {
			t.Errorf("%s: got %v, %v, want a StoreError", name, s, err)
			continue
		}
		if e.Off != tt.off {
			t.Errorf("%s: %v, want offset %d", name, err, tt.off)
		}
		if refErr := json.Unmarshal([]byte(tt.data), new(refStore)); refErr == nil && !strings.HasSuffix(name, " null") {
			t.Errorf("%s: etcd takes it", name)
		}
	}
	if _, err := snapshot.ParseStore([]byte(deep(10000))); err != nil {
		t.Errorf("as deep as etcd reads: %v", err)
	}
}

// No prefix of a real store passes for one, and none is beyond its end.
func TestStoreEveryPrefix(t *testing.T) {
	snap, err := snapshot.Parse(realFile(t))
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(snap.Data); n++ {
		_, err := snapshot.ParseStore(snap.Data[:n])
		if e, ok := errors.AsType[*snapshot.StoreError](err); !ok || e.Off < 0 || e.Off > int64(n) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
}

// Memory doesn't grow beyond what a real store of that size takes.
func TestStoreOfManyNodes(t *testing.T) {
	for n, want := range map[int]bool{10000: true, 20000: false} {
		children := strings.TrimSuffix(strings.Repeat(`"":{},`, n), ",")
		_, err := snapshot.ParseStore([]byte(`{"Root":{"Children":{` + children + `}}}`))
		if (err == nil) != want {
			t.Errorf("%d nodes: %v", n, err)
		}
	}
}

// refStore and refNode are what etcd decodes a store into, so far as we look at it.
type refStore struct {
	Root           *refNode
	CurrentIndex   uint64
	CurrentVersion int64
}

type refNode struct {
	Path          string
	CreatedIndex  uint64
	ModifiedIndex uint64
	ExpireTime    time.Time
	Value         string
	Children      map[string]*refNode
}

// same compares a node with the reference's.
func (n *refNode) same(got *snapshot.Node) error {
	if n.Path != got.Path || n.Value != got.Value || n.CreatedIndex != got.Created ||
		n.ModifiedIndex != got.Modified || !n.ExpireTime.Equal(got.Expires) ||
		(n.Children != nil) != got.Dir || len(n.Children) != len(got.Children) {
		return fmt.Errorf("node %+v, want %+v", got, n)
	}
	for name, c := range n.Children {
		ours := got.Child(name)
		if ours == nil || ours.Name != name {
			return fmt.Errorf("no node %q in %q", name, n.Path)
		}
		if err := c.same(ours); err != nil {
			return err
		}
	}
	return nil
}

// Whatever the data is, it is read as etcd's decoder does, and what is written of it is read as the
// same again.
func FuzzParseStore(f *testing.F) {
	f.Add([]byte(legacy))
	f.Add([]byte(`{"root":{"children":{"1":{"value":"a"},"0":{},"1":{"Value":"b\ud800\u00e9"}}},"currentINDEX":7}`))
	f.Add([]byte(`{"Root":{"Children":{"a":{}},"Children":{"b":{}}},"Root":{"Path":"/"},"CurrentVersion":-1}`))
	f.Add([]byte(`{"Root":{"Children":null,"ExpireTime":null},"Stats":[1,{"a":[true,false,null,-1.5e+3]}]}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return // no store
		}
		s, err := snapshot.ParseStore(data)
		ref := refStore{Root: &refNode{Path: "/", Children: map[string]*refNode{}}, CurrentVersion: 2}
		refErr := json.Unmarshal(data, &ref)
		if e, ok := errors.AsType[*snapshot.StoreError](err); err != nil && (!ok || e.Off > int64(len(data))) {
			t.Fatalf("%v, want a StoreError within %d bytes", err, len(data))
		}
		if err == nil && refErr != nil || err != nil && refErr == nil && !nullAnywhere(data) {
			t.Fatalf("error %v, etcd's %v", err, refErr)
		}
		if err != nil {
			return
		}
		if err := ref.Root.same(s.Root); err != nil || s.CurrentIndex != ref.CurrentIndex {
			t.Fatalf("index %d, want %d; %v", s.CurrentIndex, ref.CurrentIndex, err)
		}
		again := parseStore(t, s.AppendJSON(nil))
		if err := ref.Root.same(again.Root); err != nil {
			t.Fatalf("written and read: %v", err)
		}
		if string(again.AppendJSON(nil)) != string(s.AppendJSON(nil)) {
			t.Fatal("written twice, and not the same")
		}
	})
}

// nullAnywhere reports whether a null may stand for a node, on which etcd panics later.
func nullAnywhere(data []byte) bool { return strings.Contains(string(data), "null") }
