package decode

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/membershippb"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// replay applies the committed entries of a log and the snapshots that it was sent, and calls visit
// behind each entry. It returns false if the
// log doesn't begin at index 1.
func replay(t *testing.T, l corpus.Log, visit func(m *Members, r *Request, err error)) bool {
	t.Helper()
	log, err := wal.Open(os.DirFS(l.Dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // it was only read
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if view.First.Index != 1 {
		return false
	}
	var m Members
	var r Request
	var e raftpb.Entry
	for rec, err := range log.Records(wal.Inspect) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == wal.KindSnapshot {
			restore(t, &m, rec.Data, view.State.Commit)
		}
		if rec.Kind != wal.KindEntry || rec.ID.Index > view.State.Commit || !view.Live(rec.Pos, rec.ID.Index) {
			continue
		}
		if err := e.UnmarshalAlias(rec.Data); err != nil {
			t.Fatal(err)
		}
		if err := Payload(&r, &e); err != nil {
			t.Fatal(err)
		}
		_, err := m.Apply(e.Index, &r)
		visit(&m, &r, err)
	}
	return true
}

// restore takes in a snapshot record that is committed.
func restore(t *testing.T, m *Members, data []byte, commit uint64) {
	t.Helper()
	var s wal.Snapshot
	if err := s.Unmarshal(data); err != nil {
		t.Fatal(err)
	}
	if s.Index == 0 || s.Index > commit {
		return
	}
	if err := m.Restore(s.Index, s.ConfState); err != nil {
		t.Fatal(err)
	}
}

// What etcd wrote into its snapshot files is the membership that the entries up to there make.
func TestMembersAgreeWithSnapshotFiles(t *testing.T) {
	logs, files := 0, 0
	for _, l := range corpus.Logs(t) {
		snaps := snapshotFiles(t, l)
		if replay(t, l, func(m *Members, _ *Request, err error) {
			if err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("%s: index %d: %v", l.Name, m.Index(), err)
			}
			snap := snaps[m.Index()]
			if snap == nil {
				return
			}
			files++
			cs, ok := m.ConfState()
			if diff := cs.Equivalent(&snap.Metadata.ConfState); !ok || diff != nil {
				t.Errorf("%s: index %d: complete: %t, %v", l.Name, m.Index(), ok, diff)
			}
			want := storeOf(t, snap.Data)
			if diff := gocmp.Diff(want, published(want, storeText(m))); diff != "" {
				t.Errorf("%s: index %d (-file +replayed)\n%s", l.Name, m.Index(), diff)
			}
		}) {
			logs++
		}
	}
	if logs < 20 || files < 40 {
		t.Errorf("%d logs from index 1 and %d snapshot files, want 20 and 40 at least", logs, files)
	}
}

// snapshotFiles returns the snapshot files of a data directory by index.
func snapshotFiles(t *testing.T, l corpus.Log) map[uint64]*raftpb.Snapshot {
	t.Helper()
	fsys := os.DirFS(l.Dir)
	names, err := fs.Glob(fsys, "member/snap/*.snap")
	if err != nil {
		t.Fatal(err)
	}
	snaps := map[uint64]*raftpb.Snapshot{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := snapshot.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		snaps[snap.Metadata.Index] = snap
	}
	return snaps
}

// published drops the attributes that the file doesn't have: what etcdutl restores, and etcd 3.7, puts
// none there for a member that has not published its own.
func published(file, replayed []string) []string {
	return slices.DeleteFunc(replayed, func(line string) bool {
		key, _, _ := strings.Cut(line, " ")
		return path.Base(key) == "attributes" && !slices.ContainsFunc(file, func(line string) bool {
			return strings.HasPrefix(line, key+" ")
		})
	})
}

// node is a node of the v2 store as a snapshot file holds it.
type node struct {
	Path, Value string
	Children    map[string]*node
}

// storeOf returns what the v2 store says about members, one line each, sorted.
func storeOf(t *testing.T, data []byte) []string {
	t.Helper()
	var store struct{ Root *node }
	if err := json.Unmarshal(data, &store); err != nil {
		t.Fatal(err)
	}
	var lines []string
	var walk func(n *node)
	walk = func(n *node) {
		switch {
		case path.Dir(n.Path) == "/0/removed_members" || n.Path == "/0/version":
			lines = append(lines, n.Path+" "+n.Value)
		case path.Base(n.Path) == "attributes" || path.Base(n.Path) == "raftAttributes":
			lines = append(lines, n.Path+" "+withoutEmpty(t, n.Value))
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(store.Root)
	slices.Sort(lines)
	return lines
}

// withoutEmpty normalises JSON: etcd's versions differ in what they leave out.
func withoutEmpty(t *testing.T, object string) string {
	t.Helper()
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(object), &fields); err != nil {
		t.Fatal(err)
	}
	for name, v := range fields {
		if v == nil || v == "" || v == false {
			delete(fields, name)
		}
	}
	out, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// storeText returns a membership in the form of storeOf.
func storeText(m *Members) []string {
	var lines []string
	object := func(path string, fields map[string]any) {
		out, _ := json.Marshal(fields) // of strings
		lines = append(lines, path+" "+string(out))
	}
	for _, e := range m.All() {
		dir := "/0/members/" + strconv.FormatUint(e.ID, 16)
		raft, attrs := map[string]any{"peerURLs": e.PeerURLs}, map[string]any{}
		if e.Role == RoleLearner {
			raft["isLearner"] = true
		}
		object(dir+"/raftAttributes", raft)
		if e.Name != "" {
			attrs["name"], attrs["clientURLs"] = e.Name, e.ClientURLs
		}
		if len(e.ClientURLs) == 0 {
			delete(attrs, "clientURLs")
		}
		object(dir+"/attributes", attrs)
	}
	for _, e := range m.Removed() {
		lines = append(lines, "/0/removed_members/"+strconv.FormatUint(e.ID, 16)+" ")
	}
	if m.Version() != "" {
		lines = append(lines, "/0/version "+m.Version())
	}
	slices.Sort(lines)
	return lines
}

// What a client was told before the stop is the membership at the end of every member's log.
func TestMembersAgreeWithClients(t *testing.T) {
	compared := 0
	for _, l := range corpus.Logs(t) {
		archive := strings.TrimRight(l.Name, "12345")
		golden, ok := corpus.LookupGolden(t, strings.TrimSuffix(archive, "-m")+".members.json")
		if !ok || strings.HasSuffix(l.Name, "-m5") { // m5 was removed, and its log ends there
			continue
		}
		var want struct {
			Members []struct {
				ID                   uint64
				Name                 string
				PeerURLs, ClientURLs []string
				IsLearner            bool
			}
		}
		if err := json.Unmarshal(golden, &want); err != nil {
			t.Fatal(err)
		}
		var wanted []Member
		for _, e := range want.Members {
			role := RoleVoter
			if e.IsLearner {
				role = RoleLearner
			}
			wanted = append(wanted, Member{e.ID, role, e.Name, e.PeerURLs, e.ClientURLs})
		}
		var got []Member
		if !replay(t, l, func(m *Members, _ *Request, _ error) { got = m.All() }) {
			continue
		}
		compared++
		if diff := gocmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s (-client +log)\n%s", l.Name, diff)
		}
	}
	if compared < 9 {
		t.Errorf("%d logs compared, want 9", compared)
	}
}

// The cluster's version and downgrade at the end of each log.
func TestMembersVersion(t *testing.T) {
	want := map[string]string{"c34": "3.4.0", "c35": "3.5.0", "c36": "3.6.0", "c37": "3.7.0",
		"chain-1n-after34": "3.4.0", "chain-1n-after35": "3.5.0", "chain-1n-after36": "3.6.0",
		"chain-1n-after37": "3.7.0"}
	for _, l := range corpus.Logs(t) {
		var last string
		downgrades := 0
		if !replay(t, l, func(m *Members, _ *Request, _ error) {
			last = m.Version()
			if target, ok := m.Downgrade(); ok {
				downgrades++
				if target == "" {
					t.Errorf("%s: a downgrade to nothing", l.Name)
				}
			}
		}) {
			continue
		}
		for prefix, version := range want {
			if last != "" && strings.HasPrefix(l.Name, prefix) && last != version {
				t.Errorf("%s: version %q, want %s", l.Name, last, version)
			}
		}
		if strings.HasPrefix(l.Name, "c37-3m-clean-m1") && downgrades == 0 {
			t.Errorf("%s: no downgrade, but one was begun and cancelled", l.Name)
		}
	}
}

// changeEntry returns the request of a membership change, as etcd writes it.
func changeRequest(t *testing.T, typ raftpb.ConfChangeType, id uint64, context string) *Request {
	t.Helper()
	c := raftpb.ConfChange{Type: typ, NodeID: id, Context: []byte(context)}
	r := new(Request)
	if err := Payload(r, &raftpb.Entry{Type: raftpb.EntryConfChange, Term: 2, Index: 7,
		Data: c.Marshal(raftpb.FlavorGogo)}); err != nil {
		t.Fatal(err)
	}
	return r
}

func v2Change(t *testing.T, c raftpb.ConfChangeV2) *Request {
	t.Helper()
	r := new(Request)
	if err := Payload(r, &raftpb.Entry{Type: raftpb.EntryConfChangeV2, Term: 2, Index: 7,
		Data: c.Marshal(raftpb.FlavorGogo)}); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConfChangeOfRequest(t *testing.T) {
	r := changeRequest(t, raftpb.ConfChangeUpdateNode, 4, context(4, ""))
	if c, ok := r.ConfChange().AsV1(); !ok || c.Type != raftpb.ConfChangeUpdateNode || c.NodeID != 4 {
		t.Errorf("change %+v, %t", c, ok)
	}
	r = v2Change(t, raftpb.ConfChangeV2{Changes: []raftpb.ConfChangeSingle{{NodeID: 4}, {NodeID: 5}}})
	if c := r.ConfChange().AsV2(); len(c.Changes) != 2 {
		t.Errorf("change %+v", c)
	}
	put := &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("a")}}
	if c := decoded(t, put).ConfChange(); c != nil {
		t.Errorf("a put is the change %v", c)
	}
}

func context(id uint64, more string) string {
	return fmt.Sprintf(`{"id":%d,"peerURLs":["http://h%d:2380"]%s}`, id, id, more)
}

// threeVoters returns a membership of members 1, 2 and 3 at index 3.
func threeVoters(t *testing.T) *Members {
	t.Helper()
	m := new(Members)
	for id := uint64(1); id <= 3; id++ {
		if _, err := m.Apply(id, changeRequest(t, raftpb.ConfChangeAddNode, id, context(id, `,"name":"m"`))); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func roles(m *Members) string {
	var list []string
	for _, e := range m.All() {
		list = append(list, fmt.Sprintf("%x:%v", e.ID, e.Role))
	}
	return strings.Join(list, " ")
}

func TestMembersApply(t *testing.T) {
	const add, learn = raftpb.ConfChangeAddNode, raftpb.ConfChangeAddLearnerNode
	const update, drop = raftpb.ConfChangeUpdateNode, raftpb.ConfChangeRemoveNode
	voters, learner := "1:voter 2:voter 3:voter", `,"isLearner":true`
	type step struct {
		typ     raftpb.ConfChangeType
		id      uint64
		context string
	}
	tests := []struct {
		name  string
		steps []step
		err   error // of the last step
		text  string
		roles string
	}{
		{"add a voter", []step{{add, 4, context(4, "")}}, nil, "", voters + " 4:voter"},
		{"add a learner and promote it", []step{{learn, 4, context(4, learner)}, {add, 4, context(4, `,"isPromote":true`)}},
			nil, "", voters + " 4:voter"},
		{"a second learner", []step{{learn, 4, context(4, learner)}, {learn, 5, context(5, learner)}},
			ErrRefused, "2 learners, want at most 1", voters + " 4:learner"},
		{"promote a voter", []step{{add, 3, context(3, `,"isPromote":true`)}}, ErrRefused, "it is no learner", voters},
		{"promote nobody", []step{{add, 9, context(9, `,"isPromote":true`)}}, ErrRefused, "it is no member", voters},
		{"add a member again", []step{{add, 3, context(3, "")}}, ErrRefused, "it is a member already", voters},
		{"add with another's URL", []step{{add, 4, context(3, "")}}, ErrRefused, "another member has", voters},
		{"update with another's URL", []step{{update, 2, context(3, "")}}, ErrRefused, "another member has", voters},
		{"update nobody", []step{{update, 9, context(9, "")}}, ErrRefused, "it is no member", voters},
		{"remove nobody", []step{{drop, 9, ""}}, ErrRefused, "it is no member", voters},
		{"remove and add again", []step{{drop, 3, ""}, {add, 3, context(3, "")}}, ErrRefused, "removed before",
			"1:voter 2:voter"},
		{"remove all", []step{{drop, 3, ""}, {drop, 2, ""}, {drop, 1, ""}}, ErrPanics, "removed all voters", "1:voter"},
		{"context names another", []step{{add, 4, context(5, "")}}, ErrPanics, "its context names 5", voters + " 4:voter"},
		{"no context", []step{{add, 4, ""}}, ErrPanics, "context of member 4", voters + " 4:voter"},
		{"context of another system", []step{{add, 4, "\x0a\x01a"}}, ErrPanics, "context of member 4", voters + " 4:voter"},
		{"no such type", []step{{7, 4, context(4, "")}}, ErrPanics, "type 7", voters},
		{"refused by the server", []step{{drop, 0, ""}}, ErrRefused, "", voters},
		{"huge context", []step{{add, 4, strings.Repeat(" ", maxContext+1)}}, ErrBeyondLimit, "65537 bytes", voters},
	}
	for _, tt := range tests {
		m := threeVoters(t)
		var err error
		for i, s := range tt.steps {
			if err != nil {
				t.Fatalf("%s: step %d: %v", tt.name, i, err)
			}
			_, err = m.Apply(m.Index()+1, changeRequest(t, s.typ, s.id, s.context))
		}
		if !errors.Is(err, tt.err) || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: error %v, want %v and %q", tt.name, err, tt.err, tt.text)
		}
		if got := roles(m); got != tt.roles {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.roles)
		}
	}
}

func TestMembersMoreLearners(t *testing.T) {
	m := threeVoters(t)
	m.MaxLearners = 2
	for id := uint64(4); id <= 6; id++ {
		_, err := m.Apply(m.Index()+1, changeRequest(t, raftpb.ConfChangeAddLearnerNode, id, context(id, `,"isLearner":true`)))
		if refused := id == 6; errors.Is(err, ErrRefused) != refused {
			t.Errorf("learner %d: %v", id, err)
		}
	}
}

func TestMembersJointConfiguration(t *testing.T) {
	m := threeVoters(t)
	apply := func(c raftpb.ConfChangeV2, want string) {
		t.Helper()
		if _, err := m.Apply(m.Index()+1, v2Change(t, c)); !errors.Is(err, ErrPanics) {
			t.Errorf("error %v, want %v", err, ErrPanics)
		}
		if got := roles(m); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	apply(raftpb.ConfChangeV2{Changes: []raftpb.ConfChangeSingle{
		{Type: raftpb.ConfChangeAddNode, NodeID: 4}, {Type: raftpb.ConfChangeRemoveNode, NodeID: 1},
		{Type: raftpb.ConfChangeAddLearnerNode, NodeID: 2}, {Type: raftpb.ConfChangeAddLearnerNode, NodeID: 5},
	}}, "1:outgoing 2:learner_next 3:voter 4:incoming 5:learner")
	cs, ok := m.ConfState()
	if !ok || !cs.AutoLeave || len(cs.VotersOutgoing) != 3 {
		t.Errorf("conf state %+v, %t", cs, ok)
	}
	var restored Members
	if err := restored.Restore(9, &cs); err != nil || roles(&restored) != roles(m) {
		t.Errorf("restored: %s, %v", roles(&restored), err)
	}
	apply(raftpb.ConfChangeV2{}, "2:learner 3:voter 4:voter 5:learner")
	if gone := m.Removed(); len(gone) != 1 || gone[0].ID != 1 || gone[0].PeerURLs[0] != "http://h1:2380" {
		t.Errorf("removed %v", gone)
	}
}

func TestMembersAttributes(t *testing.T) {
	attrs := func(id uint64, name string) *Request {
		return decoded(t, &pb.InternalRaftRequest{ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{
			Member_ID: id, MemberAttributes: &membershippb.Attributes{Name: name, ClientUrls: []string{"c1", "c2"}}}})
	}
	put := func(path, val string) *Request {
		r := new(Request)
		if err := Payload(r, normal(v2Put(path, val))); err != nil {
			t.Fatal(err)
		}
		return r
	}
	conditional := new(Request)
	if err := Payload(conditional, normal(append(v2Put("/0/members/2/attributes", `{"name":"no"}`), 0x40, 1))); err != nil {
		t.Fatal(err)
	}
	m := threeVoters(t)
	steps := []struct {
		name string
		r    *Request
		err  error
		want string // of member 2
	}{
		{"attributes", attrs(2, "two"), nil, "two [http://h2:2380] [c1 c2]"},
		{"of the v2 store", put("/0/members/2/attributes", `{"name":"zwei","clientURLs":["d"]}`), nil,
			"zwei [http://h2:2380] [d]"},
		{"of an upper-case ID", put("/0/members/0002/attributes", `{"name":"II"}`), nil, "II [http://h2:2380] []"},
		{"with a condition", conditional, nil, "II [http://h2:2380] []"},
		{"peer URLs", put("/0/members/2/raftAttributes", `{"peerURLs":["p"]}`), nil, "II [p] []"},
		{"no JSON", put("/0/members/2/attributes", `{"name":`), ErrPanics, "II [p] []"},
		{"no ID", put("/0/members/xyz/attributes", `{"name":"x"}`), nil, "II [p] []"},
		{"another key", put("/1/members/2/attributes", `{"name":"x"}`), nil, "II [p] []"},
		{"nobody's", attrs(9, "nine"), ErrPanics, "II [p] []"},
		{"none", decoded(t, &pb.InternalRaftRequest{ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{Member_ID: 2}}),
			ErrPanics, "II [p] []"},
		{"too long", attrs(2, strings.Repeat("n", maxContext)), ErrBeyondLimit, "II [p] []"},
		{"version", put("/0/version", "3.5.0"), nil, "II [p] []"},
		{"bad version", put("/0/version", "three"), ErrPanics, "II [p] []"},
	}
	for _, s := range steps {
		_, err := m.Apply(m.Index()+1, s.r)
		if !errors.Is(err, s.err) {
			t.Errorf("%s: error %v, want %v", s.name, err, s.err)
		}
		e, _ := m.Get(2)
		if got := fmt.Sprint(e.Name, " ", e.PeerURLs, " ", e.ClientURLs); got != s.want {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
	}
	if m.Version() != "3.5.0" {
		t.Errorf("version %q", m.Version())
	}
	if _, err := m.Apply(m.Index()+1, changeRequest(t, raftpb.ConfChangeRemoveNode, 2, "")); err != nil {
		t.Fatal(err)
	}
	if changed, err := m.Apply(m.Index()+1, attrs(2, "late")); changed || err != nil {
		t.Errorf("attributes of a removed member: %t, %v", changed, err)
	}
}

func TestMembersDowngrade(t *testing.T) {
	var m Members
	set := func(enabled bool, ver string) {
		t.Helper()
		r := decoded(t, &pb.InternalRaftRequest{DowngradeInfoSet: &membershippb.DowngradeInfoSetRequest{Enabled: enabled, Ver: ver}})
		if _, err := m.Apply(m.Index()+1, r); err != nil {
			t.Fatal(err)
		}
	}
	set(true, "3.6.0")
	if target, ok := m.Downgrade(); !ok || target != "3.6.0" {
		t.Errorf("downgrade %q, %t", target, ok)
	}
	set(false, "3.6.0")
	if target, ok := m.Downgrade(); ok || target != "" {
		t.Errorf("downgrade %q, %t after it was cancelled", target, ok)
	}
}

func TestMembersRestore(t *testing.T) {
	m := threeVoters(t)
	if err := m.Restore(2, &raftpb.ConfState{Voters: []uint64{1, 2}}); err != nil || roles(m) != "1:voter 2:voter 3:voter" {
		t.Errorf("a snapshot of the past: %s, %v", roles(m), err)
	}
	if err := m.Restore(9, &raftpb.ConfState{Voters: []uint64{1, 4}, Learners: []uint64{2}}); err != nil {
		t.Fatal(err)
	}
	if got := roles(m); got != "1:voter 2:learner 4:voter" || !m.Complete() || m.Index() != 9 {
		t.Errorf("restored: %s at %d", got, m.Index())
	}
	if e, _ := m.Get(2); e.Name != "m" || e.PeerURLs == nil {
		t.Errorf("what was known of member 2 is lost: %+v", e)
	}
	if gone := m.Removed(); len(gone) != 1 || gone[0].ID != 3 {
		t.Errorf("removed %v", gone)
	}
	for _, cs := range []raftpb.ConfState{
		{Voters: []uint64{1}, Learners: make([]uint64, maxMembers)},
		{Learners: []uint64{1}},
	} {
		if err := m.Restore(m.Index()+1, &cs); err == nil || m.Complete() {
			t.Errorf("restored from %d voters and %d learners", len(cs.Voters), len(cs.Learners))
		}
	}
}

// Behind a gap nothing is refused for what is not known, and members come to light as they act.
func TestMembersBehindAGap(t *testing.T) {
	m := threeVoters(t)
	apply := func(index uint64, r *Request, want string) {
		t.Helper()
		if _, err := m.Apply(index, r); err != nil {
			t.Fatal(err)
		}
		if got := roles(m); got != want {
			t.Errorf("index %d: %s, want %s", index, got, want)
		}
	}
	nine := decoded(t, &pb.InternalRaftRequest{ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{
		Member_ID: 9, MemberAttributes: &membershippb.Attributes{Name: "nine"}}})
	apply(20, nine, "1:voter 2:voter 3:voter 9:unknown")
	if m.Complete() {
		t.Error("complete, but 4..19 are missing")
	}
	apply(21, changeRequest(t, raftpb.ConfChangeRemoveNode, 8, ""), "1:voter 2:voter 3:voter 9:unknown")
	apply(22, changeRequest(t, raftpb.ConfChangeAddNode, 9, context(9, `,"isPromote":true`)),
		"1:voter 2:voter 3:voter 9:voter")
	apply(22, changeRequest(t, raftpb.ConfChangeRemoveNode, 9, ""), "1:voter 2:voter 3:voter 9:voter") // once only
	if err := m.Restore(22, &raftpb.ConfState{Voters: []uint64{2, 9}}); err != nil || !m.Complete() {
		t.Errorf("%v, complete: %t", err, m.Complete())
	}
	if e, _ := m.Get(9); roles(m) != "2:voter 9:voter" || e.Name != "nine" {
		t.Errorf("restored: %s, %+v", roles(m), e)
	}
	var late Members
	if err := late.Restore(50, nil); err != nil || late.Complete() || late.Index() != 50 {
		t.Errorf("a snapshot record of etcd 3.4: %v, complete: %t", err, late.Complete())
	}
}

// However many changes a log has, what is kept of them is bounded.
func TestMembersAreBounded(t *testing.T) {
	var m Members
	var last error
	for id := uint64(1); id <= maxMembers+5; id++ {
		_, last = m.Apply(id, changeRequest(t, raftpb.ConfChangeAddNode, id, context(id, "")))
	}
	if !errors.Is(last, ErrBeyondLimit) || len(m.All()) > maxMembers || m.Complete() {
		t.Errorf("%d members, %v, complete: %t", len(m.All()), last, m.Complete())
	}
	many := raftpb.ConfChangeV2{Changes: make([]raftpb.ConfChangeSingle, maxMembers+1)}
	m = Members{}
	if _, err := m.Apply(1, v2Change(t, many)); !errors.Is(err, ErrBeyondLimit) {
		t.Errorf("%d changes in one: %v", len(many.Changes), err)
	}
	m = Members{}
	if err := m.Restore(1, nil); err != nil {
		t.Fatal(err)
	}
	for id := uint64(1); id <= maxRemoved+5; id++ {
		if _, err := m.Apply(m.Index()+1, changeRequest(t, raftpb.ConfChangeRemoveNode, id, "")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.Removed()); n != maxRemoved {
		t.Errorf("%d removed members, want %d", n, maxRemoved)
	}
}

func TestMembersMalformedChange(t *testing.T) {
	for _, typ := range []raftpb.EntryType{raftpb.EntryConfChange, raftpb.EntryConfChangeV2} {
		var m Members
		var r Request
		if err := Payload(&r, &raftpb.Entry{Type: typ, Index: 1, Term: 1, Data: []byte{0x0f}}); err == nil {
			t.Fatal("decoded")
		}
		if _, err := m.Apply(1, &r); !errors.Is(err, ErrPanics) {
			t.Errorf("%v: %v", typ, err)
		}
	}
}

func TestApplyAllocatesNothingForWrites(t *testing.T) {
	var m Members
	r := decoded(t, &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("a")}})
	if n := testing.AllocsPerRun(100, func() {
		if _, err := m.Apply(m.Index()+1, r); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAppendWho(t *testing.T) {
	m := new(Members)
	for i, id := range []uint64{0x8e9e05c52164694d, 0x11694d, 0x22beef, 7} {
		r := changeRequest(t, raftpb.ConfChangeAddNode, id, context(id, fmt.Sprintf(`,"name":"infra\u001b%d"`, i)))
		if i == 3 {
			r = changeRequest(t, raftpb.ConfChangeAddNode, id, context(id, ""))
		}
		if _, err := m.Apply(m.Index()+1, r); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 11, 21, 0, 24, 26, 85e6, time.UTC)
	const since = " since 2026-11-21T00:24:26Z"
	who := func(suffix uint16) string { return string(m.AppendWho(nil, Origin{suffix, at})) }
	check := func(suffix uint16, want string, n int) {
		t.Helper()
		if got := who(suffix); got != want+since {
			t.Errorf("\n got %s\nwant %s%s", got, want, since)
		}
		if got := m.BySuffix(suffix); len(got) != n {
			t.Errorf("%04x: %d members, want %d", suffix, len(got), n)
		}
	}
	check(0x694d, `ambiguous 11694d "infra\x1b1" or 8e9e05c52164694d "infra\x1b0"`, 2)
	check(0xbeef, `22beef "infra\x1b2"`, 1)
	check(7, `7`, 1)
	check(0xff, `unknown 00ff`, 0)
	for _, id := range []uint64{0x11694d, 0x22beef} {
		if _, err := m.Apply(m.Index()+1, changeRequest(t, raftpb.ConfChangeRemoveNode, id, "")); err != nil {
			t.Fatal(err)
		}
	}
	check(0x694d, `8e9e05c52164694d "infra\x1b0"`, 1) // the one that is there still
	check(0xbeef, `22beef "infra\x1b2"`, 1)           // removed, and the only one
	var dst []byte
	if n := testing.AllocsPerRun(100, func() { dst = m.AppendWho(dst[:0], Origin{7, at}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Every request of a real log that has an origin was proposed by one of its members.
func TestWhoInRealLogs(t *testing.T) {
	resolved := 0
	for _, l := range corpus.Logs(t) {
		replay(t, l, func(m *Members, r *Request, _ error) {
			o, ok := r.Origin()
			if !ok {
				return
			}
			if n := len(m.BySuffix(o.Member)); n != 1 {
				t.Errorf("%s: index %d: %d members end in %04x", l.Name, m.Index(), n, o.Member)
			}
			resolved++
		})
	}
	if resolved < 1000 {
		t.Errorf("%d requests resolved", resolved)
	}
}

// FuzzMembers applies entries of any bytes: each begins with its type and its length. Whatever they are,
// what is kept holds together.
func FuzzMembers(f *testing.F) {
	entry := func(typ byte, data []byte) []byte { return append([]byte{typ, byte(len(data))}, data...) }
	c := raftpb.ConfChange{NodeID: 1, Context: []byte(context(1, ""))}
	v2 := raftpb.ConfChangeV2{Changes: []raftpb.ConfChangeSingle{{NodeID: 2}, {Type: raftpb.ConfChangeRemoveNode, NodeID: 1}}}
	f.Add(slices.Concat(entry(1, c.Marshal(raftpb.FlavorGogo)), entry(2, v2.Marshal(raftpb.FlavorGogo)), entry(2, nil),
		entry(0, v2Put("/0/members/2/attributes", `{"name":"n"}`))), true)
	f.Fuzz(func(t *testing.T, in []byte, known bool) {
		var m Members
		if !known {
			if err := m.Restore(7, nil); err != nil {
				t.Fatal(err)
			}
		}
		var r Request
		for len(in) > 1 {
			typ, size := raftpb.EntryType(in[0]%3), min(int(in[1]), len(in)-2)
			_ = Payload(&r, &raftpb.Entry{Type: typ, Data: in[2 : 2+size]}) // as a log may hold it
			in = in[2+size:]
			if _, err := m.Apply(m.Index()+1, &r); err != nil && !errors.Is(err, ErrRefused) &&
				!errors.Is(err, ErrPanics) && !errors.Is(err, ErrBeyondLimit) {
				t.Fatalf("error of no kind: %v", err)
			}
			checkMembers(t, &m)
		}
	})
}

// checkMembers checks that the list of members is sorted, disjoint from the removed ones, and that of the
// configuration.
func checkMembers(t *testing.T, m *Members) {
	t.Helper()
	all := m.All()
	if !slices.IsSortedFunc(all, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) }) {
		t.Fatalf("not sorted: %v", all)
	}
	cs, complete := m.ConfState()
	for _, e := range all {
		if complete && (e.Role == RoleUnknown || m.raft.Members.Get(e.ID) == nil) {
			t.Fatalf("member %x is %v, conf state %+v", e.ID, e.Role, cs)
		}
	}
	if complete && len(all) != len(m.raft.Members) {
		t.Fatalf("%d members, want %d", len(all), len(m.raft.Members))
	}
}
