package node_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// hashKV is what etcd answers on the peers' port.
type hashKV struct {
	Header struct {
		Revision int64 `json:"revision"`
	} `json:"header"`
	Hash            uint32 `json:"hash"`
	CompactRevision int64  `json:"compact_revision"`
}

// askHash asks a member at its peer URL for the hash of its keys at a revision, 0 for the current one.
func askHash(t testing.TB, url string, revision int64) (h hashKV) {
	t.Helper()
	body := strings.NewReader(`{"revision":` + strconv.FormatInt(revision, 10) + `}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/members/hashkv", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatalf("%s: %s: %v", resp.Status, text, err)
	}
	return h
}

// startEtcd starts a real etcd on a directory, and returns where its peers find it.
func startEtcd(t testing.TB, release, dir string, args ...string) (s *etcdtest.Server, peerURL string) {
	t.Helper()
	peerURL = freeURL(t)
	args = append([]string{"--listen-peer-urls", peerURL}, args...)
	return etcdtest.Start(t, release, dir, append(args, etcdtest.Quick...)...), peerURL
}

// copied is a copy of a directory that the test may change.
func copied(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir() + "/data"
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	return to
}

// releaseOf returns the release that stands for a directory of the corpus; for 3.4, the one after it.
func releaseOf(name string) string {
	for _, r := range []struct{ part, release string }{
		{"c34", "3.5"}, {"after34", "3.5"}, {"c35", "3.5"}, {"after35", "3.5"}, {"c37", "3.7"}, {"after37", "3.7"},
	} {
		if strings.Contains(name, r.part) {
			return r.release
		}
	}
	return "3.6"
}

// isNoMember tells the directories in whose databases their member is none: it was removed, or etcdutl 3.6 has
// restored a database of 3.4 and left the old members in it. No etcd since 3.6 starts on these.
func isNoMember(name string) bool {
	return strings.HasSuffix(name, "-m5") || name == "c36-restored-from34"
}

// sameRevision waits until a member and a real etcd are at the same revision, which both reach when the same
// leases have expired.
func sameRevision(t testing.TB, n *node.Node, url string) (revision int64) {
	t.Helper()
	eventually(t, "the same revision", func() bool {
		_, ours, err := n.Store().HashKV(0)
		if err != nil {
			t.Fatal(err)
		}
		revision = ours
		return askHash(t, url, 0).Header.Revision == ours
	})
	return revision
}

// TestStartsOnOfServer starts a member on every directory that etcds left, alone, and compares its keys with
// those of a real etcd that did the same. Then a real etcd starts on what the member left.
func TestStartsOnOfServer(t *testing.T) {
	for _, l := range corpus.Logs(t) {
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			release := releaseOf(l.Name)
			dir := copied(t, l.Dir)
			cfg := node.Config{
				DataDir: dir, ListenPeerURLs: []string{freeURL(t)}, As: release, ForceNewCluster: true,
			}
			if isNoMember(l.Name) {
				_, err := node.Start(t.Context(), cfg)
				if err == nil || !strings.Contains(err.Error(), "it is no member of the one of its log") {
					t.Errorf("a member that isn't one: %v, want a refusal", err)
				}
				return
			}
			n := start(t, cfg)
			get(t, n, "a")
			members := n.Store().Cluster().Members()
			if len(members) != 1 || uint64(members[0].ID) != n.ID() {
				t.Errorf("members %v, want this one alone", members)
			}
			before, url := startEtcd(t, release, copied(t, l.Dir), "--force-new-cluster")
			revision := sameRevision(t, n, url)
			want := askHash(t, url, revision)
			before.Kill()
			ours, _, err := n.Store().HashKV(revision)
			if err != nil || ours.Hash != want.Hash || ours.CompactRevision != want.CompactRevision {
				t.Errorf("at revision %d: hash %d, compacted at %d, %v; real etcd has %+v",
					revision, ours.Hash, ours.CompactRevision, err, want)
			}
			stop(t, n)

			_, url = startEtcd(t, release, dir)
			if got := askHash(t, url, revision); got.Hash != ours.Hash {
				t.Errorf("real etcd on the same directory: %+v, want hash %d", got, ours.Hash)
			}
		})
	}
}
