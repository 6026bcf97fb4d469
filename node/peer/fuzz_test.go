package peer

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coreos/go-semver/semver"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// FuzzHandler holds that whatever is asked, the answer is one that a member may give, and none that makes
// the other stop: 403 never, and 410 only to a member that was removed.
func FuzzHandler(f *testing.F) {
	m := snapshotMessage(3, 1)
	f.Add("POST", "/raft", "3.6.0", "3", "http://127.0.0.1:1", m.Marshal(raftpb.FlavorGogo))
	f.Add("POST", "/raft/snapshot", "3.6.0", "3", "", append([]byte{0, 0, 0, 0, 0, 0, 0, 2}, "\x08\x07"...))
	f.Add("GET", "/raft/stream/message/4", "3.6.0", "4", ",,", []byte(nil))
	f.Add("GET", "/raft/probing", "", "", "", []byte(nil))
	h := newRecorder()
	h.removed[4] = true
	c, err := New(Config{
		ID: 1, ClusterID: testCluster, Handler: h, URLs: func() []string { return nil },
		Version: func() string { return "3.6.14" },
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.Stop)
	f.Fuzz(func(t *testing.T, method, path, version, from, urls string, body []byte) {
		req := &http.Request{
			Method: method, URL: &url.URL{Path: path}, Host: "a", Body: io.NopCloser(bytes.NewReader(body)),
			Header: http.Header{
				"X-Etcd-Cluster-Id": {"c1"}, "X-Server-Version": {version}, "X-Min-Cluster-Version": {"3.0.0"},
				"X-Server-From": {from}, "X-Peerurls": {urls}, "X-Raft-To": {"1"},
			},
		}
		w := httptest.NewRecorder()
		c.HTTP().ServeHTTP(w, req.WithContext(t.Context()))
		switch w.Code {
		case 200, 204, 301, 307, 400, 404, 405, 412:
		case 410:
			if _, id, ok := stream.ParsePath(path); !ok || id != 4 {
				t.Errorf("%s is told that it was removed", path)
			}
		default:
			t.Errorf("%s %s: status %d", method, path, w.Code)
		}
	})
}

// FuzzVersion holds that a version is read as etcd reads it. etcd panics where we refuse.
func FuzzVersion(f *testing.F) {
	for _, text := range []string{"3.6.14", "3.7.0-rc.1", "3.5.0+git", "3.6", "a.b.c", "", "3.6.0.1", "03.6.0", "-1.2.3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseVersion(text)
		want, refErr := semver.NewVersion(text)
		if refErr != nil {
			return // some are taken that semver doesn't; none is sent
		}
		if err != nil || got.major != uint64(want.Major) || got.minor != uint64(want.Minor) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	})
}
