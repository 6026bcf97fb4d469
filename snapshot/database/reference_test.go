package database_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/snapshot/database"
)

func open(tb testing.TB, path string) *database.DB {
	tb.Helper()
	db, err := database.Open(tb.Context(), os.DirFS(filepath.Dir(path)), filepath.Base(path), database.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func status(tb testing.TB, path string) *database.Status {
	tb.Helper()
	s, err := open(tb, path).Status(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	if s.Hashes == nil {
		tb.Fatalf("%s: damaged: %v", path, s.Damaged)
	}
	return s
}

// utlStatus is what `etcdutl snapshot status -w json` prints.
type utlStatus struct {
	Hash      uint32 `json:"hash"`
	Revision  int64  `json:"revision"`
	TotalKey  int64  `json:"totalKey"`
	TotalSize int64  `json:"totalSize"`
	Version   string `json:"version"`
}

// What etcdutl of each release says of the databases of real etcds is what we say.
func TestStatusAsEtcdutl(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		path := filepath.Join(log.Dir, "member", "snap", "db")
		s := status(t, path)
		for _, release := range etcdtest.Versions {
			want := utlStatus{s.Hashes.Status, s.Last.Main, s.TotalKey(), s.Size, s.StorageVersion}
			if release == "3.4" || release == "3.5" {
				want.TotalKey, want.Version = s.Items, ""
			}
			var got utlStatus
			utl(t, release, &got, "snapshot", "status", path, "-w", "json")
			if got != want {
				t.Errorf("%s: etcdutl %s says %+v, we say %+v", log.Name, release, got, want)
			}
		}
	}
}

// The hash of the state is that of etcd-dump-db, which changes the file that it reads.
func TestStateAsDumpDB(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		path := filepath.Join(log.Dir, "member", "snap", "db")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := filepath.Join(t.TempDir(), "db")
		if err := os.WriteFile(changed, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(etcdtest.Tool(t, "etcd-dump-db"), "hash", changed).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("Hash: %d\n", status(t, path).Hashes.State36)
		if !strings.HasSuffix(string(out), want) {
			t.Errorf("%s: got %s, want %s", log.Name, out, want)
		}
	}
}

// utl runs etcdutl, which in 3.4 is a part of etcdctl, and decodes the JSON that it prints.
func utl(tb testing.TB, release string, into any, args ...string) {
	tb.Helper()
	program := "etcdutl"
	if release == "3.4" {
		program = "etcdctl"
	}
	cmd := exec.Command(etcdtest.Binary(tb, release, program), args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("etcdutl %s %q: %v", release, args, err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		tb.Fatalf("etcdutl %s %q: %v: %s", release, args, err, out)
	}
}

// golden decodes what etcd's own tools said of a member just before it was stopped, if they were asked.
func golden(tb testing.TB, log corpus.Log, what string, into any) bool {
	tb.Helper()
	name, isMember := strings.CutSuffix(log.Name, "-m1")
	if !isMember && strings.Contains(name, "-3m-") {
		return false // asked of the first member only
	}
	b, ok := corpus.LookupGolden(tb, name+"."+what+".json")
	if !ok {
		return false
	}
	if err := json.Unmarshal(b, into); err != nil {
		tb.Fatal(err)
	}
	return true
}

func TestHashKVAsEtcdctl(t *testing.T) {
	checked := 0
	for _, log := range corpus.Logs(t) {
		var want []struct {
			HashKV struct {
				Header  struct{ Revision int64 }
				Hash    uint32
				Compact int64 `json:"compact_revision"`
			}
		}
		if !golden(t, log, "hashkv", &want) {
			continue
		}
		s := status(t, filepath.Join(log.Dir, "member", "snap", "db"))
		w := want[0].HashKV
		if got := s.Hashes.KV; got != (database.HashKV{Hash: w.Hash, Revision: w.Header.Revision, Compacted: max(w.Compact, 0)}) {
			t.Errorf("%s: got %+v, want %+v", log.Name, got, w)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("%d databases, want at least 10", checked)
	}
}

// The keys are those that etcdctl get listed.
func TestKeysAsEtcdctl(t *testing.T) {
	checked := 0
	for _, log := range corpus.Logs(t) {
		var want struct {
			Kvs []struct {
				Key, Value     []byte
				CreateRevision int64 `json:"create_revision"`
				ModRevision    int64 `json:"mod_revision"`
				Version, Lease int64
			}
		}
		if !golden(t, log, "keys", &want) {
			continue
		}
		var list []database.KeyValue
		for _, kv := range want.Kvs {
			list = append(list, database.KeyValue{Key: kv.Key, Value: kv.Value, CreateRevision: kv.CreateRevision,
				ModRevision: kv.ModRevision, Version: kv.Version, Lease: kv.Lease})
		}
		got := keys(t, open(t, filepath.Join(log.Dir, "member", "snap", "db")), database.Query{})
		if diff := cmp.Diff(list, got, equateEmpty); diff != "" {
			t.Errorf("%s (-etcd +ours):\n%s", log.Name, diff)
		}
		checked++
	}
	if checked < 4 {
		t.Errorf("%d databases, want at least 4", checked)
	}
}

// keys returns copies of the keys.
func keys(tb testing.TB, db *database.DB, q database.Query) (list []database.KeyValue) {
	tb.Helper()
	for kv, err := range db.Keys(tb.Context(), q) {
		if err != nil {
			tb.Fatal(err)
		}
		c := *kv
		c.Key, c.Value = bytes.Clone(kv.Key), bytes.Clone(kv.Value)
		list = append(list, c)
	}
	return list
}

var equateEmpty = cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) })

func TestMembersAsEtcdctl(t *testing.T) {
	checked := 0
	for _, log := range corpus.Logs(t) {
		var want struct {
			Members []struct {
				ID         uint64
				Name       string
				PeerURLs   []string
				ClientURLs []string
				IsLearner  bool
			}
		}
		if !golden(t, log, "members", &want) {
			continue
		}
		got, err := open(t, filepath.Join(log.Dir, "member", "snap", "db")).Members()
		if err != nil {
			t.Fatal(err)
		}
		var list []database.Member
		for _, m := range want.Members {
			list = append(list, database.Member{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs,
				ClientURLs: m.ClientURLs, Learner: m.IsLearner})
		}
		if diff := cmp.Diff(list, got.Members); diff != "" {
			t.Errorf("%s (-etcd +ours):\n%s", log.Name, diff)
		}
		if len(got.Removed) != 1 {
			t.Errorf("%s: removed %x, want m5", log.Name, got.Removed)
		}
		checked++
	}
	if checked < 3 {
		t.Errorf("%d databases, want at least 3", checked)
	}
}

// A database of a real etcd of each release, with leases, users, roles, alarms and compaction: what
// etcdctl says of it is what we read, at several revisions.
func TestAsRunningEtcd(t *testing.T) {
	for _, release := range etcdtest.Versions {
		t.Run(release, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s := etcdtest.Start(t, release, dir, etcdtest.Quick...)
			for i := range 60 {
				s.Ctl("put", fmt.Sprintf("key%02d", i%20), fmt.Sprint("value ", i))
			}
			lease := strings.Fields(string(s.Ctl("lease", "grant", "5000")))[1]
			s.Ctl("put", "leased", "x", "--lease", lease)
			s.Ctl("del", "key05", "key08")
			s.Ctl("compact", "40")
			s.Ctl("put", "key06", "again")
			s.Ctl("role", "add", "reader")
			s.Ctl("role", "grant-permission", "reader", "--prefix", "read", "key")
			s.Ctl("user", "add", "ann:secret")
			s.Ctl("user", "grant-role", "ann", "reader")
			hashes := map[int64]uint32{}
			for _, rev := range []int64{0, 45, 63, 64} {
				hashes[rev] = hashKV(t, s, rev)
			}
			state := stateHash(t, s)
			s.Stop()
			path := filepath.Join(dir, "member", "snap", "db")
			if got := stateOf(status(t, path).Hashes, release); got != state {
				t.Errorf("hash of the state: got %d, etcd says %d", got, state)
			}
			hashes[40] = utlHashKV(t, path, 40) // a server would tell the one from before compaction
			checkHashes(t, path, hashes)
			checkAuth(t, path, lease)
			if r := verify(t, path); r.Verdict != "ok" {
				t.Errorf("verdict %v: %v", r.Verdict, r.Findings)
			}
		})
	}
}

// stateHash asks for the hash over all buckets, which etcd-dump-db hash computes too.
func stateHash(tb testing.TB, s *etcdtest.Server) uint32 {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost,
		"http://"+s.Endpoint+"/v3/maintenance/hash", strings.NewReader("{}"))
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct{ Hash uint32 }
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Hash
}

func stateOf(h *database.Hashes, release string) uint32 {
	switch release {
	case "3.4":
		return h.State34
	case "3.5":
		return h.State35
	}
	return h.State36
}

func hashKV(tb testing.TB, s *etcdtest.Server, rev int64) uint32 {
	tb.Helper()
	var out []struct{ HashKV struct{ Hash uint32 } }
	b := s.Ctl("endpoint", "hashkv", "--rev", fmt.Sprint(rev), "-w", "json")
	if err := json.Unmarshal(b, &out); err != nil || len(out) != 1 {
		tb.Fatalf("%v: %s", err, b)
	}
	return out[0].HashKV.Hash
}

// utlHashKV asks etcdutl, which changes the file that it reads.
func utlHashKV(tb testing.TB, path string, rev int64) uint32 {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	changed := filepath.Join(tb.TempDir(), "db")
	if err := os.WriteFile(changed, b, 0o600); err != nil {
		tb.Fatal(err)
	}
	var out struct{ Hash uint32 }
	utl(tb, "3.7", &out, "hashkv", changed, "--rev", fmt.Sprint(rev), "-w", "json")
	return out.Hash
}

func checkHashes(t *testing.T, path string, want map[int64]uint32) {
	t.Helper()
	for rev, hash := range want {
		got, err := open(t, path).HashKV(t.Context(), rev, nil)
		if err != nil || got.Hash != hash {
			t.Errorf("hash at revision %d: got %+v, %v, want %d", rev, got, err, hash)
		}
	}
}

func checkAuth(t *testing.T, path, lease string) {
	t.Helper()
	s := status(t, path)
	want := database.Auth{Revision: s.Auth.Revision, Users: []database.User{{Name: "ann", Roles: []string{"reader"}}},
		Roles: []database.Role{{Name: "reader", Permissions: []database.Permission{
			{Type: database.PermissionRead, Key: []byte("key"), RangeEnd: []byte("kez")}}}}}
	if diff := cmp.Diff(want, s.Auth); diff != "" {
		t.Errorf("auth (-want +got):\n%s", diff)
	}
	if len(s.Leases) != 1 || fmt.Sprintf("%016x", s.Leases[0].ID) != lease || s.Leases[0].TTL != 5000 {
		t.Errorf("leases %+v, want %s of 5000 s", s.Leases, lease)
	}
	if s.Leased != 1 || s.Live != 19 {
		t.Errorf("%d keys, %d with a lease, want 19 and 1", s.Live, s.Leased)
	}
}
