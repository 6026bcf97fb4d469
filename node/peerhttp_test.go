package node_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/lease/leasepb"

	"github.com/raftctl/raftctl/node"
)

// reply is what is compared of an answer.
type reply struct {
	Status string
	Header http.Header
	Body   string
}

func ask(t testing.TB, url string, r request) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, url+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.cluster != "" {
		req.Header.Set("X-Etcd-Cluster-ID", r.cluster)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Header.Del("Date")
	return reply{resp.Status, resp.Header, string(body)}
}

type request struct{ method, path, cluster, body string }

// message is a message as leases are asked for in.
func message(t testing.TB, m proto.Message) string {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// requests are what members ask each other, right and wrong.
func requests(t testing.TB, leaseID int64) (list []request) {
	for _, path := range []string{
		"/members", "/members/", "/members/promote/1", "/members/promote/x", "/members/promote/", "/version", "/version/",
		"/downgrade/enabled", "/downgrade", "/members/hashkv", "/leases", "/leases/internal", "/", "/health",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			if path == "/leases/internal" && method == http.MethodPost {
				continue // without a body etcd panics: see TestLeaseUnnamed
			}
			list = append(list, request{method: method, path: path})
		}
	}
	for _, body := range []string{`{"revision":0}`, `{"revision":3}`, `{"revision":1}`, `{"revision":1000}`, `{}`, `[]`} {
		list = append(list, request{http.MethodGet, "/members/hashkv", "", body})
	}
	list = append(list, request{http.MethodGet, "/members/hashkv", "1", `{}`})
	for _, id := range []int64{leaseID, 7} {
		ttl := &leasepb.LeaseInternalRequest{
			LeaseTimeToLiveRequest: &etcdserverpb.LeaseTimeToLiveRequest{ID: id, Keys: true},
		}
		list = append(list,
			request{http.MethodPost, "/leases", "", message(t, &etcdserverpb.LeaseKeepAliveRequest{ID: id})},
			request{http.MethodPost, "/leases/internal", "", message(t, ttl)})
	}
	return append(list, request{http.MethodPost, "/leases", "", strings.Repeat("x", 100_000)},
		request{http.MethodPost, "/leases", "", "\xff"})
}

// TestAnswersAsServer makes the same requests on the peers' port of a real etcd and of a member that runs on a
// copy of its directory.
func TestAnswersAsServer(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, _ := startEtcd(t, release, dir)
			id, err := strconv.ParseInt(strings.Fields(string(s.Ctl("lease", "grant", "600")))[1], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{
				{"put", "a", "1"}, {"put", "a", "2"}, {"put", "b", "1", "--lease", strconv.FormatInt(id, 16)},
				{"compaction", "3"}, {"del", "a"},
			} {
				s.Ctl(args...)
			}
			s.Stop()
			copied := copied(t, dir)
			s, url := startEtcd(t, release, dir)
			n := start(t, node.Config{
				DataDir: copied, ListenPeerURLs: []string{freeURL(t)}, AdvertiseClientURLs: []string{s.URL()}, As: release,
			})
			want := ask(t, url, request{method: http.MethodGet, path: "/version"}).Body
			ours := httptest.NewServer(n.PeerHandler())
			defer ours.Close()
			get(t, n, "a") // the leader has committed in its term: leases can be renewed
			eventually(t, "the versions "+want, func() bool {
				time.Sleep(10 * time.Millisecond)
				return ask(t, ours.URL, request{method: http.MethodGet, path: "/version"}).Body == want
			})
			for _, r := range requests(t, id) {
				got, want := ask(t, ours.URL, r), ask(t, url, r)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %s %.40q: (-etcd +this)\n%s", r.method, r.path, r.body, diff)
				}
			}
		})
	}
}

// TestLeaseUnnamed asks for the time that no lease has left, at which etcd's handler panics.
func TestLeaseUnnamed(t *testing.T) {
	n := start(t, node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}})
	s := httptest.NewServer(n.PeerHandler())
	defer s.Close()
	got := ask(t, s.URL, request{method: http.MethodPost, path: "/leases/internal"})
	if want := "error unmarshalling request\n"; got.Status != "400 Bad Request" || got.Body != want {
		t.Errorf("%s %q, want status 400, %q", got.Status, got.Body, want)
	}
}
