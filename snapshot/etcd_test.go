package snapshot_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// flavors says in which flavour a release writes.
var flavors = map[string]raftpb.Flavor{
	"3.4": raftpb.FlavorGogo, "3.5": raftpb.FlavorGogo, "3.6": raftpb.FlavorGogo, "3.7": raftpb.FlavorPbgo,
}

// args makes a server elect itself at once, take a snapshot every few entries, and serve v2 clients
// where it can.
func args(release string) []string {
	list := append(slices.Clone(etcdtest.Quick), "--snapshot-count", "5")
	if release == "3.4" || release == "3.5" {
		list = append(list, "--enable-v2")
	}
	return list
}

// recovered is what releases up to 3.6 say when they start from a .snap file.
var recovered = regexp.MustCompile("recovered (v2 )?store from snapshot")

// listed is a member as etcdctl lists it.
type listed struct {
	ID       uint64
	PeerURLs []string
}

func listMembers(t *testing.T, s *etcdtest.Server) []listed {
	t.Helper()
	var list struct{ Members []listed }
	if err := json.Unmarshal(s.Ctl("member", "list", "-w", "json"), &list); err != nil {
		t.Fatal(err)
	}
	return list.Members
}

// v2 does a request for a key of a v2 client and returns the answer.
func v2(t *testing.T, s *etcdtest.Server, method, key string, form url.Values) string {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+s.Endpoint+"/v2/keys/"+key, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s, %s, %v", method, key, resp.Status, b, err)
	}
	return string(b)
}

// Real etcd starts from a snapshot that was rebuilt from its members and written by us.
func TestEtcdStartsFromWritten(t *testing.T) {
	for _, release := range etcdtest.Versions {
		t.Run(release, func(t *testing.T) { startFromWritten(t, release) })
	}
}

func startFromWritten(t *testing.T, release string) {
	dir := t.TempDir()
	readsV2 := release == "3.4" || release == "3.5" // the membership is the one in the .snap file
	s := etcdtest.Start(t, release, dir, args(release)...)
	if readsV2 {
		v2(t, s, http.MethodPut, "dir/key", url.Values{"value": {"v2"}})
	}
	for i := range 20 {
		s.Ctl("put", fmt.Sprintf("key%02d", i), fmt.Sprintf("value %d", i))
	}
	members, data := listMembers(t, s), string(s.Ctl("get", "--prefix", "key"))
	s.Stop()

	snapDir := filepath.Join(dir, "member", "snap")
	newest, old := newestSnap(t, snapDir)
	store := parseStore(t, old.Data)
	m := readMembers(t, store)
	if readsV2 { // a URL that nobody listens at shows where the list of members is from
		members[0].PeerURLs = []string{"http://127.0.0.1:1"}
		m.Members[0].PeerURLs = members[0].PeerURLs
		if err := store.SetMembership(m); err != nil {
			t.Fatal(err)
		}
	} else {
		store = newStore(t, m)
	}
	removeSnaps(t, snapDir)
	written := &raftpb.Snapshot{Data: store.AppendJSON(nil), Metadata: old.Metadata}
	if err := snapshot.Write(vfs.OS, snapDir, written, flavors[release]); err != nil {
		t.Fatal(err)
	}

	s = etcdtest.Start(t, release, dir, args(release)...)
	if diff := cmp.Diff(members, listMembers(t, s)); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if got := string(s.Ctl("get", "--prefix", "key")); got != data {
		t.Errorf("data %q, want %q", got, data)
	}
	if readsV2 {
		if got := v2(t, s, http.MethodGet, "dir/key", nil); !strings.Contains(got, `"value":"v2"`) {
			t.Errorf("key of a v2 client: %s", got)
		}
	}
	for i := range 10 { // it goes on, and takes its next snapshot from what it has read
		s.Ctl("put", fmt.Sprintf("more%d", i), "value")
	}
	s.Stop()
	if log := s.Log(); release != "3.7" && !recovered.MatchString(log) {
		t.Errorf("it has not started from %s:\n%s", newest, log)
	}
	next, snap := newestSnap(t, snapDir)
	if next == newest {
		t.Errorf("no snapshot behind %s", newest)
	}
	if diff := cmp.Diff(m.Members[0].PeerURLs, readMembers(t, parseStore(t, snap.Data)).Members[0].PeerURLs); diff != "" {
		t.Errorf("members in the next snapshot (-want +got):\n%s", diff)
	}
}

// newestSnap returns the newest snapshot, and checks that there is no file but good ones.
func newestSnap(t *testing.T, dir string) (name string, snap *raftpb.Snapshot) {
	t.Helper()
	err := snapshot.Walk(t.Context(), os.DirFS(dir), ".", func(f *snapshot.File, s *raftpb.Snapshot) {
		if f.Kind == snapshot.KindSnapshot && f.Verdict == verdict.OK {
			if snap == nil {
				name, snap = f.Name, s
			}
		} else if f.Kind != snapshot.KindDatabase {
			t.Errorf("%+v", f)
		}
	})
	if err != nil || snap == nil {
		t.Fatalf("no snapshot in %s: %v", dir, err)
	}
	return name, snap
}

// removeSnaps removes the .snap files, so that the one that is written next is the only one.
func removeSnaps(t *testing.T, dir string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.snap"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no .snap files: %v", err)
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
