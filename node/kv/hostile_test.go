package kv_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// v2 is an entry with a request of the v2 store, in the form of 3.4 and 3.5.
func v2(index uint64, method, path, value string, more ...byte) raftpb.Entry {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), index)
	for i, s := range []string{method, path, value} {
		b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(2+i), protowire.BytesType), s)
	}
	b = append(b, 0x28, 0)
	return raftpb.Entry{Term: 1, Index: index, Data: append(b, more...)}
}

func normal(data ...byte) raftpb.Entry { return raftpb.Entry{Term: 1, Index: 5, Data: data} }

// ask is the next entry, with a request.
func ask(r *pb.InternalRaftRequest) raftpb.Entry { return request(5, r) }

func clusterVersion(v string) raftpb.Entry {
	return ask(&pb.InternalRaftRequest{ClusterVersionSet: &membershippb.ClusterVersionSetRequest{Ver: v}})
}

func attributes(id uint64, a *membershippb.Attributes) raftpb.Entry {
	return ask(&pb.InternalRaftRequest{
		ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{Member_ID: id, MemberAttributes: a},
	})
}

func downgrade(v string) raftpb.Entry {
	return ask(&pb.InternalRaftRequest{
		DowngradeInfoSet: &membershippb.DowngradeInfoSetRequest{Enabled: true, Ver: v},
	})
}

func txn(ops ...*pb.RequestOp) raftpb.Entry {
	return ask(&pb.InternalRaftRequest{Txn: &pb.TxnRequest{Success: ops}})
}

func opPut(p *pb.PutRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: p}}
}

func opDelete(key string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
		RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key)}}}
}

// What becomes of an entry.
const (
	applied = iota // and is in the database
	ignored        // it is applied, and changes nothing but the index
	refused        // an EntryError, and nothing has changed
	fails          // the store, of which what was committed before stays
)

// hostile are entries that follow those of a small store.
var hostile = map[string]struct {
	entry raftpb.Entry
	want  int
	says  string
}{
	"empty":             {normal(), ignored, ""},
	"garbage":           {normal(0xff, 0xff, 0xff), refused, "no request"},
	"cut":               {normal(0x22, 0x20, 1), refused, "no request"},
	"nothing asked for": {normal(0xa2, 0x06, 2, 8, 9), refused, "asks for nothing"},
	"only an ID":        {normal(8, 9), refused, "asks for nothing"},
	"field unknown to 3.7": {
		normal(0xca, 0xc8, 0x09, 0, 0xa2, 0x06, 2, 8, 9),
		refused, "asks for nothing",
	},
	"no header":           {normal(0x22, 3, 0x0a, 1, 'k'), refused, "without a header"},
	"no header but an ID": {normal(8, 9, 0x22, 3, 0x0a, 1, 'k'), applied, ""},
	"entry type 2": {
		raftpb.Entry{Term: 1, Index: 5, Type: raftpb.EntryConfChangeV2},
		refused, "unknown entry of type",
	},
	"entry type 9":                {raftpb.Entry{Term: 1, Index: 5, Type: 9}, refused, "unknown entry of type 9"},
	"gap":                         {put(6, "a", "x"), refused, "entry is missing: the last one applied is 4"},
	"far gap":                     {put(1<<63, "a", "x"), refused, "entry is missing"},
	"seen before":                 {put(3, "a", "other"), ignored, ""},
	"v2 SYNC":                     {v2(5, "SYNC", "", ""), ignored, ""},
	"v2 QGET":                     {v2(5, "QGET", "/1/x", ""), ignored, ""},
	"v2 POST":                     {v2(5, "POST", "/1/x", "y"), ignored, ""},
	"v2 DELETE":                   {v2(5, "DELETE", "/0/members/1/attributes", ""), ignored, ""},
	"v2 without a method":         {v2(5, "", "", ""), ignored, ""},
	"v2 PUT of a client":          {v2(5, "PUT", "/1/x", "y"), ignored, ""},
	"v2 PUT into /0":              {v2(5, "PUT", "/0/members/1", "y"), ignored, ""},
	"v2 attributes":               {v2(5, "PUT", "/0/members/1/attributes", `{"name":"m"}`), applied, ""},
	"v2 attributes below /1":      {v2(5, "PUT", "/1/0/members/1/attributes", `{"name":"m"}`), applied, ""},
	"v2 attributes, and more":     {v2(5, "PUT", "/0/members/1/attributes/x", `{}`), refused, "no member's ID"},
	"v2 attributes of 17 digits":  {v2(5, "PUT", "/0/members/00000000000000001/attributes", `{}`), ignored, ""},
	"v2 attributes of no hex":     {v2(5, "PUT", "/0/members/xyz/attributes", `{}`), ignored, ""},
	"v2 attributes, if they were": {v2(5, "PUT", "/0/members/1/attributes", `{}`, 0x40, 1), ignored, ""},
	"v2 attributes at an index":   {v2(5, "PUT", "/0/members/1/attributes", `{}`, 0x38, 1), ignored, ""},
	"v2 attributes in upper case": {
		v2(5, "PUT", "/0/members/0A/attributes", `{}`),
		refused, "member a, which is unknown",
	},
	"v2 attributes of nobody": {
		v2(5, "PUT", "/0/members/2/attributes", `{}`),
		refused, "member 2, which is unknown",
	},
	"v2 attributes, garbage": {
		v2(5, "PUT", "/0/members/1/attributes", `{`),
		refused, "attributes of member 1",
	},
	"v2 version":      {v2(5, "PUT", "/0/version", "3.5.0"), applied, ""},
	"v2 version, bad": {v2(5, "PUT", "/0/version", "x"), refused, "version of the cluster"},
	"v2 version, too new": {
		v2(5, "PUT", "/0/version", "3.8.0"),
		refused, "version 3.8.0 of the cluster, want at most 3.7",
	},
	"version":          {clusterVersion("3.6.0"), applied, ""},
	"version, too new": {clusterVersion("4.0.0"), refused, "version 4.0.0"},
	"version, bad":     {clusterVersion("3"), refused, "version of the cluster"},
	"version, none":    {clusterVersion(""), refused, "version of the cluster"},
	"attributes":       {attributes(1, &membershippb.Attributes{Name: "x"}), applied, ""},
	"attributes of nobody": {
		attributes(3, &membershippb.Attributes{Name: "x"}),
		refused, "member 3, which is unknown",
	},
	"attributes, none":     {attributes(1, nil), refused, "there are none"},
	"downgrade":            {downgrade("3.6.0"), applied, ""},
	"downgrade to nothing": {downgrade("x"), refused, "version of a downgrade"},
	"change, garbage": {
		raftpb.Entry{Term: 1, Index: 5, Type: raftpb.EntryConfChange, Data: []byte{0xff}},
		refused, "no change",
	},
	"change, empty": {
		raftpb.Entry{Term: 1, Index: 5, Type: raftpb.EntryConfChange},
		refused, "context of member 0",
	},
	"change of type 7":    {change(5, raftpb.ConfChange{Type: 7, NodeID: 3}), refused, "of type 7"},
	"add":                 {addMember(5, 3), applied, ""},
	"add a learner":       {addLearner(5, 3), applied, ""},
	"add again":           {addMember(5, 1), ignored, ""},
	"add without context": {change(5, raftpb.ConfChange{NodeID: 3}), refused, "context of member 3"},
	"add, context garbage": {
		change(5, raftpb.ConfChange{NodeID: 3, Context: []byte(`{"id":"x"}`)}),
		refused, "context of member 3",
	},
	"add, context of another": {
		change(5, raftpb.ConfChange{NodeID: 3, Context: describe(4, "")}),
		refused, "names 4",
	},
	"add with a known URL": {
		change(5, raftpb.ConfChange{NodeID: 3, Context: []byte(`{"id":3,"peerURLs":["http://m1:2380"]}`)}),
		ignored, "",
	},
	"update": {
		change(5, raftpb.ConfChange{Type: 2, NodeID: 1, Context: []byte(`{"id":1,"peerURLs":["http://n:1"]}`)}),
		applied, "",
	},
	"update nobody": {
		change(5, raftpb.ConfChange{Type: 2, NodeID: 3, Context: []byte("{")}),
		ignored, "",
	},
	"update, context garbage": {
		change(5, raftpb.ConfChange{Type: 2, NodeID: 1, Context: []byte("{")}),
		refused, "context of member 1",
	},
	"update, context of another": {
		change(5, raftpb.ConfChange{Type: 2, NodeID: 1, Context: describe(4, "")}),
		refused, "names 4",
	},
	"remove nobody":   {removeMember(5, 3), ignored, ""},
	"remove the last": {removeMember(5, 1), refused, "the last voter"},
	"promote nobody": {
		change(5, raftpb.ConfChange{NodeID: 3, Context: describe(3, `,"isPromote":true`)}),
		ignored, "",
	},
	"promote a voter": {
		change(5, raftpb.ConfChange{NodeID: 1, Context: describe(1, `,"isPromote":true`)}),
		ignored, "",
	},
	"lease that there is":      {grant(5, 7, 60), ignored, ""},
	"lease without an ID":      {grant(5, 0, 60), ignored, ""},
	"lease for ever":           {grant(5, 8, 1<<62), ignored, ""},
	"compaction of the future": {compaction(5, 99), ignored, ""},
	"compaction below 0":       {compaction(5, -9), ignored, ""},
	"empty key":                {put(5, "", "x"), applied, ""},
	"put for no lease": {
		ask(&pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("a"), Lease: 99}}),
		ignored, "",
	},
	"put that ignores no value": {
		ask(&pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("z"), IgnoreValue: true}}),
		ignored, "",
	},
	"txn whose put has no lease": {
		txn(opPut(&pb.PutRequest{Key: []byte("a")}), opPut(&pb.PutRequest{Key: []byte("c"), Lease: 99})),
		ignored, "",
	},
	"txn that fails midway": {
		txn(opDelete("a"), opPut(&pb.PutRequest{Key: []byte("a"), IgnoreValue: true})),
		fails, "panic",
	},
	"txn with an empty operation": {
		txn(opPut(&pb.PutRequest{Key: []byte("a")}), &pb.RequestOp{}),
		fails, "panic",
	},
	"permission that isn't there": {
		ask(&pb.InternalRaftRequest{AuthRoleGrantPermission: &pb.AuthRoleGrantPermissionRequest{Name: "r"}}),
		ignored, "",
	},
	"permission for no role": {
		ask(&pb.InternalRaftRequest{AuthRoleGrantPermission: &pb.AuthRoleGrantPermissionRequest{
			Name: "r", Perm: &authpb.Permission{Key: []byte("a")}}}),
		ignored, "",
	},
	"authentication without users": {
		ask(&pb.InternalRaftRequest{AuthEnable: &pb.AuthEnableRequest{}}),
		ignored, "",
	},
	"token of nobody": {
		ask(&pb.InternalRaftRequest{Authenticate: &pb.InternalAuthenticateRequest{Name: "x"}}),
		ignored, "",
	},
	"alarm of a kind unknown": {
		ask(&pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{Action: 1, MemberID: 1, Alarm: 77}}),
		applied, "",
	},
	"alarm, action unknown": {
		ask(&pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{Action: 9}}),
		ignored, "",
	},
	"read": {
		ask(&pb.InternalRaftRequest{Range: &pb.RangeRequest{SortOrder: 1, SortTarget: 9}}),
		ignored, "",
	},
}

// byState are the entries that are applied or refused for what was applied before.
var byState = []string{"gap", "far gap", "attributes of nobody", "v2 attributes of nobody", "v2 attributes in upper case", "remove the last",
	"update nobody"}

func TestHostileEntries(t *testing.T) {
	t.Setenv("ETCD_VERIFY", "all")
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			got, err := outcome(t, h.entry)
			if got != h.want || (err == nil) != (h.says == "") || err != nil && !strings.Contains(err.Error(), h.says) {
				t.Errorf("outcome %d, error %v, want %d and an error with %q", got, err, h.want, h.says)
			}
			checked := kv.Check(&h.entry, true)
			if strict := kv.Check(&h.entry, false); checked == nil && (strict != nil) != (h.want == ignored && strings.HasPrefix(name, "v2 ")) {
				t.Errorf("without v2 clients: %v, outcome %d", strict, got)
			}
			known := h.want == refused
			if slices.Contains(byState, name) {
				known = !known
			}
			if known != (checked != nil) || known && err != nil && checked.Error() != err.Error() {
				t.Errorf("refused before it is applied: %v, want %v", checked, err)
			}
		})
	}
}

// outcome applies an entry to a small store, checks that what comes of it is one of what may, and returns
// which.
func outcome(t testing.TB, e raftpb.Entry) (int, error) {
	t.Helper()
	dir := t.TempDir()
	s := small(t, dir, kv.Options{WaitCompaction: true, LockTimeout: 1})
	before := readState(t, snapshotOf(t, s))
	id, err := s.Apply([]raftpb.Entry{e})
	var at *kv.EntryError
	switch {
	case err == nil && e.Index <= 4 && id.Index == 4:
	case err == nil && id.Index == 5:
	case errors.As(err, &at) && at.ID.Index == e.Index && id.Index == 4:
	default:
		t.Fatalf("error %v, entry %d is applied", err, id.Index)
	}
	if errors.Is(err, kv.ErrFailed) {
		failed(t, s, dir, before)
		return fails, err
	}
	after := readState(t, snapshotOf(t, s))
	if err == nil {
		after["meta"]["consistent_index"] = before["meta"]["consistent_index"]
	}
	changed := len(diff(before, after)) > 0
	if _, again := s.Apply([]raftpb.Entry{put(id.Index+1, "further", "x")}); again != nil {
		t.Errorf("the next entry: %v", again)
	}
	check(t, s.Close())
	s = small(t, dir, kv.Options{}) // opens what is there
	if s.Applied().Index != id.Index+1 {
		t.Errorf("reopened at entry %d, want %d", s.Applied().Index, id.Index+1)
	}
	check(t, s.Close())
	switch {
	case err != nil && changed:
		t.Errorf("%v, and the state has changed: %v", err, diff(before, after))
	case err != nil:
		return refused, err
	case changed:
		return applied, nil
	}
	return ignored, nil
}

// failed checks that a store that has failed at entry 5 stays so, and left what was committed before.
func failed(t testing.TB, s *kv.Store, dir string, before state) {
	t.Helper()
	if _, again := s.Apply([]raftpb.Entry{put(5, "x", "y")}); !errors.Is(again, kv.ErrFailed) {
		t.Errorf("the next entry: %v, want ErrFailed", again)
	}
	check(t, s.Close())
	left := copyDB(t, dir) // the process holds the lock of the file itself
	if ds := diff(before, readState(t, left)); len(ds) > 0 {
		t.Errorf("changed on the disk: %v", ds)
	}
	s = small(t, left, kv.Options{})
	if s.Applied().Index != 4 {
		t.Errorf("reopened at entry %d, want 4", s.Applied().Index)
	}
	check(t, s.Close())
}

// snapshotOf writes a snapshot of a store into a new folder.
func snapshotOf(t testing.TB, s *kv.Store) (dir string) {
	t.Helper()
	snap, err := s.Snapshot()
	check(t, err)
	dir = t.TempDir()
	f, err := os.Create(filepath.Join(dir, kv.FileName))
	check(t, err)
	n, err := snap.WriteTo(f)
	check(t, errors.Join(err, f.Close(), snap.Close()))
	if n != snap.Size || snap.ID != s.Applied() {
		t.Errorf("snapshot of %d bytes of %v, want %d of %v", n, snap.ID, snap.Size, s.Applied())
	}
	return dir
}

// FuzzApply applies any entry: it is applied, or refused without a change, or the store fails and has what
// it had on the disk.
func FuzzApply(f *testing.F) {
	for _, h := range hostile {
		f.Add(uint8(h.entry.Type), h.entry.Data)
	}
	m := openMember(f, "c34-1n-clean", corpus.Dir(f, "c34-1n-clean"))
	for i, e := range m.entries {
		if i%10 == 0 && len(e.Data) < 1000 {
			f.Add(uint8(e.Type), bytes.Clone(e.Data))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		_, _ = outcome(t, raftpb.Entry{Type: raftpb.EntryType(kind % 4), Term: 1, Index: 5, Data: data}) // it judges
	})
}
