package decode

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/corpus"
)

// kubernetesDelete is how a Kubernetes API server deletes an object: if nobody changed it meanwhile.
func kubernetesDelete(key string) *pb.InternalRaftRequest {
	return &pb.InternalRaftRequest{Txn: &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte(key), Target: pb.Compare_MOD}},
		Success: []*pb.RequestOp{deleteOp(key, "")},
		Failure: []*pb.RequestOp{rangeOp(&pb.RangeRequest{Key: []byte(key)})},
	}}
}

func TestMatch(t *testing.T) {
	put := &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("/a/b"), Value: []byte("v")}}
	del := &pb.InternalRaftRequest{DeleteRange: &pb.DeleteRangeRequest{Key: []byte("/a"), RangeEnd: []byte("/b")}}
	mixed := &pb.InternalRaftRequest{Txn: &pb.TxnRequest{ // the delete and the key are not the same access
		Success: []*pb.RequestOp{deleteOp("/x", ""), putOp("/a/b", "v")},
	}}
	nested := &pb.InternalRaftRequest{Txn: &pb.TxnRequest{
		Failure: []*pb.RequestOp{txnOp(&pb.TxnRequest{Failure: []*pb.RequestOp{deleteOp("/a/b", "")}})},
	}}
	empty := &pb.InternalRaftRequest{Txn: &pb.TxnRequest{}}
	grant := &pb.InternalRaftRequest{LeaseGrant: &pb.LeaseGrantRequest{ID: 7}}
	k8s := kubernetesDelete("/registry/pods/default/web")
	deletes, prefix := []Op{OpDeleteRange}, func(ops []Op, key string) Filter {
		return Filter{Ops: ops, Key: []byte(key), Prefix: true}
	}
	tests := []struct {
		name string
		m    *pb.InternalRaftRequest
		f    Filter
		want bool
	}{
		{"everything", grant, Filter{}, true},
		{"any key, none there", grant, prefix(nil, ""), false},
		{"any key", put, prefix(nil, ""), true},
		{"other operation", put, Filter{Ops: deletes}, false},
		{"one of several", put, Filter{Ops: []Op{OpDeleteRange, OpPut}}, true},
		{"exact key", put, Filter{Key: []byte("/a/b")}, true},
		{"not the exact key", put, Filter{Key: []byte("/a")}, false},
		{"exact key within a range", del, Filter{Key: []byte("/a/b")}, true},
		{"exact key before a range", del, Filter{Key: []byte("/")}, false},
		{"exact key at the end of a range", del, Filter{Key: []byte("/b")}, false},
		{"prefix around a range", del, prefix(deletes, "/"), true},
		{"kubernetes deletes", k8s, prefix(deletes, "/registry/pods/"), true},
		{"kubernetes deletes elsewhere", k8s, prefix(deletes, "/registry/nodes/"), false},
		{"kubernetes deletes that key", k8s, Filter{Ops: deletes, Key: []byte("/registry/pods/default/web")}, true},
		{"kubernetes puts nothing", k8s, Filter{Ops: []Op{OpPut}}, false},
		{"the failure branch", k8s, prefix([]Op{OpRange}, "/registry"), true},
		{"a condition", k8s, prefix([]Op{OpCompare}, "/registry"), true},
		{"a delete somewhere", mixed, Filter{Ops: deletes}, true},
		{"a delete of another key", mixed, prefix(deletes, "/a"), false},
		{"a put of that key", mixed, prefix([]Op{OpPut}, "/a"), true},
		{"a transaction with that key", mixed, prefix([]Op{OpTxn}, "/a"), true},
		{"a transaction without", mixed, prefix([]Op{OpTxn}, "/b"), false},
		{"nested", nested, prefix(deletes, "/a"), true},
		{"nested, another key", nested, prefix(deletes, "/b"), false},
		{"an empty transaction", empty, Filter{Ops: []Op{OpTxn}}, true},
		{"an empty transaction, any key", empty, prefix(nil, ""), false},
	}
	for _, tt := range tests {
		r := decoded(t, tt.m)
		if got := r.Match(&tt.f); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
		if n := testing.AllocsPerRun(10, func() { r.Match(&tt.f) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

// What Match says of real logs is what a plain loop over all accesses says.
func TestMatchRealLogs(t *testing.T) {
	filters := []Filter{
		{Ops: []Op{OpDeleteRange}, Key: []byte("t/"), Prefix: true}, {Ops: []Op{OpPut}, Key: []byte("k")},
		{Ops: []Op{OpTxn}}, {Ops: []Op{OpDeleteRange, OpCompare}}, {Key: []byte("/"), Prefix: true},
	}
	found := make([]int, len(filters))
	everyRequest(t, corpus.Logs(t), func(r *Request) {
		for i := range filters {
			f := &filters[i]
			want := false
			if r.Op != OpTxn || f.Key == nil {
				want = f.wants(r.Op) && f.Key == nil
			}
			for a := range r.keys() {
				if (f.wants(a.Op) || f.wants(r.Op)) && (f.Key == nil || a.touches(f)) {
					want = true
				}
			}
			if got := r.Match(f); got != want {
				t.Fatalf("%s: filter %d: %t, want %t", r.AppendSummary(nil, Style{}), i, got, want)
			}
			if want {
				found[i]++
			}
		}
	})
	for i, n := range found {
		if n == 0 && i != 1 {
			t.Errorf("nothing in the corpus meets filter %d", i)
		}
	}
}

// everyRequest decodes the entries of the logs. They are decoded as etcd's.
func everyRequest(t *testing.T, logs []corpus.Log, visit func(*Request)) {
	t.Helper()
	for _, l := range logs {
		var r Request
		for e := range entriesOf(t, l) {
			if err := Payload(&r, e); err != nil {
				t.Fatal(err)
			}
			visit(&r)
		}
	}
}

func TestFirstKeyAndKeys(t *testing.T) {
	many := &pb.TxnRequest{}
	for range maxKeys + 2 {
		many.Success = append(many.Success, putOp("k", ""))
	}
	tests := []struct {
		name  string
		m     *pb.InternalRaftRequest
		first string
		keys  string
	}{
		{"no key", &pb.InternalRaftRequest{LeaseRevoke: &pb.LeaseRevokeRequest{ID: 7}}, "none", `{}`},
		{"put", &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte("a")}}, "put a",
			`{"keys":[{"op":"put","key":"a"}]}`},
		{"range", &pb.InternalRaftRequest{Range: &pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte{0xff}}},
			"range a \xff", `{"keys":[{"op":"range","key":"a","range_end_base64":"/w=="}]}`},
		{"kubernetes", kubernetesDelete("/r"), "delete_range /r", `{"keys":[{"op":"compare","key":"/r"},` +
			`{"op":"delete_range","key":"/r","branch":"success"},{"op":"range","key":"/r","branch":"failure"}]}`},
		{"conditions only", &pb.InternalRaftRequest{Txn: &pb.TxnRequest{
			Compare: []*pb.Compare{{Key: []byte("c1")}, {Key: []byte("c2")}}}}, "compare c1",
			`{"keys":[{"op":"compare","key":"c1"},{"op":"compare","key":"c2"}]}`},
		{"many", &pb.InternalRaftRequest{Txn: many}, "put k", ""},
	}
	for _, tt := range tests {
		r := decoded(t, tt.m)
		got := "none"
		if a, ok := r.FirstKey(); ok {
			got = string(bytes.TrimSpace(slices.Concat([]byte(a.Op), []byte(" "), a.Key, []byte(" "), a.RangeEnd)))
		}
		if got != tt.first {
			t.Errorf("%s: first key %q, want %q", tt.name, got, tt.first)
		}
		list := append(r.AppendKeys([]byte("{")), '}')
		if tt.keys != "" && string(list) != tt.keys {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, list, tt.keys)
		}
		if n := testing.AllocsPerRun(10, func() { r.FirstKey() }); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
		var parsed struct {
			Keys    []any
			LeftOut int `json:"keys_left_out"`
		}
		if err := json.Unmarshal(list, &parsed); err != nil {
			t.Fatal(err)
		}
		if tt.name == "many" && (len(parsed.Keys) != maxKeys || parsed.LeftOut != 2) {
			t.Errorf("%d keys and %d left out, want %d and 2", len(parsed.Keys), parsed.LeftOut, maxKeys)
		}
	}
}

func TestKeysOfOtherPrograms(t *testing.T) {
	d, err := New("resp", Env{})
	if err != nil {
		t.Fatal(err)
	}
	var r Request
	if err := d.Decode(&r, normal([]byte("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"))); err != nil {
		t.Fatal(err)
	}
	if got := string(append(r.AppendKeys([]byte("{")), '}')); got != `{"keys":[{"op":"set","key":"a"}]}` {
		t.Errorf("keys %s", got)
	}
	if !r.Match(&Filter{Ops: []Op{"set"}, Key: []byte("a")}) || r.Match(&Filter{Ops: []Op{"get"}}) {
		t.Error("a Redis command meets the wrong filters")
	}
}

func TestOps(t *testing.T) {
	want := []Op{
		"range", "put", "delete_range", "txn", "compaction", "lease_grant", "lease_revoke", "alarm",
		"lease_checkpoint", "auth_enable", "auth_disable", "authenticate", "auth_status", "auth_user_add",
		"auth_user_delete", "auth_user_get", "auth_user_change_password", "auth_user_grant_role",
		"auth_user_revoke_role", "auth_user_list", "auth_role_list", "auth_role_add", "auth_role_delete",
		"auth_role_get", "auth_role_grant_permission", "auth_role_revoke_permission", "cluster_version_set",
		"cluster_member_attr_set", "downgrade_info_set", "downgrade_version_test", "compare", "v2_put",
		"v2_post", "v2_delete", "v2_get", "v2_qget", "v2_sync", "v2_none", "conf_change", "conf_change_v2",
		"empty", "json", "text", "unknown",
	}
	if diff := cmp.Diff(want, Ops()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	Ops()[0] = "changed"
	if Ops()[0] != "range" {
		t.Error("Ops returns the list itself")
	}
}

// Every operation that occurs in a log of etcd is in the list.
func TestOpsAreComplete(t *testing.T) {
	seen := map[Op]bool{}
	everyRequest(t, corpus.Logs(t), func(r *Request) {
		seen[r.Op] = true
		for a := range r.Accesses() {
			seen[a.Op] = true
		}
	})
	for op := range seen {
		if !slices.Contains(Ops(), op) {
			t.Errorf("%q is not in Ops", op)
		}
	}
	var r Request
	embedded := append([]byte{0x12, byte(len(v2Put("/1/a", "b")))}, v2Put("/1/a", "b")...)
	if err := Payload(&r, normal(embedded)); err != nil || r.Op != "v2_put" {
		t.Errorf("v2 request within another: %s, %v", r.Op, err)
	}
	if err := Payload(&r, normal([]byte{0x12, 3, 0x1a, 1, 'a'})); err != nil || r.Op != "v2_none" {
		t.Errorf("v2 request without a method: %s, %v", r.Op, err)
	}
}

func BenchmarkMatch(b *testing.B) {
	data := marshal(b, kubernetesDelete("/registry/pods/kube-system/etcd-control-plane-0"))
	f := Filter{Ops: []Op{OpDeleteRange}, Key: []byte("/registry/nodes/"), Prefix: true}
	for name, data := range map[string][]byte{"txn": data, "put": putOf(b, 1024)} {
		b.Run(name, func(b *testing.B) {
			var r Request
			if err := Payload(&r, normal(data)); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if r.Match(&f) {
					b.Fatal("matches")
				}
			}
		})
	}
}
