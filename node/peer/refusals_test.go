package peer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/raftpb"
)

// asked is a request that a member with ID 3 sends to one with ID 1.
type asked struct {
	name, method, path string
	body               []byte
	headers            map[string]string // "" takes one away
}

// answered is what came back, but for the date.
type answered struct {
	Status  int
	Body    string
	Headers map[string]string
}

func requests() []asked {
	app := raftpb.Message{Type: raftpb.MsgApp, From: 3, To: 1}
	message := app.Marshal(raftpb.FlavorGogo)
	snap := snapshotMessage(3, 1)
	framed := func(m raftpb.Message) []byte {
		b := m.Marshal(raftpb.FlavorGogo)
		return append([]byte{0, 0, 0, 0, 0, 0, byte(len(b) >> 8), byte(len(b))}, b...)
	}
	list := []asked{
		{name: "message", method: "POST", path: "/raft", body: message},
		{name: "empty message", method: "POST", path: "/raft"},
		{name: "no message", method: "POST", path: "/raft", body: []byte("\xff\xff")},
		{name: "refused message", method: "POST", path: "/raft", body: refusedMessage.Marshal(raftpb.FlavorGogo)},
		{name: "snapshot", method: "POST", path: "/raft/snapshot", body: append(framed(snap), "database"...)},
		{name: "not a snapshot", method: "POST", path: "/raft/snapshot", body: framed(app)},
		{name: "refused snapshot", method: "POST", path: "/raft/snapshot", body: framed(refusedSnapshot())},
		{name: "stream of a stranger", method: "GET", path: "/raft/stream/message/3"},
		{name: "stream of no ID", method: "GET", path: "/raft/stream/msgapp/xyz"},
		{name: "stream of no channel", method: "GET", path: "/raft/stream/msgappv2/2"},
		{name: "stream of nothing", method: "GET", path: "/raft/stream/2"},
		{name: "stream of a removed member", method: "GET", path: "/raft/stream/message/4"},
		{
			name: "stream to another", method: "GET", path: "/raft/stream/message/2",
			headers: map[string]string{headerTo: "7"},
		},
		{
			name: "stream to nobody", method: "GET", path: "/raft/stream/msgapp/2",
			headers: map[string]string{headerTo: ""},
		},
		{name: "elsewhere", method: "GET", path: "/raft/elsewhere"},
		{name: "below", method: "POST", path: "/raft/"},
	}
	for _, r := range []asked{
		{method: "POST", path: "/raft", body: message}, {method: "POST", path: "/raft/snapshot", body: framed(snap)},
		{method: "GET", path: "/raft/stream/message/3"},
	} {
		list = append(list, bent(r)...)
	}
	return list
}

// bent are requests with another method, and with headers that don't fit.
func bent(r asked) (list []asked) {
	for _, method := range []string{"GET", "POST", "PUT", "HEAD"} {
		if method != r.method {
			list = append(list, asked{name: method + " " + r.path, method: method, path: r.path})
		}
	}
	for name, headers := range map[string]map[string]string{
		"another cluster":      {headerClusterID: "c2"},
		"cluster in capitals":  {headerClusterID: "C1"},
		"no cluster":           {headerClusterID: ""},
		"no version":           {headerServerVersion: ""},
		"an old version":       {headerServerVersion: "2.3.8"},
		"the oldest":           {headerServerVersion: "3.0.0"},
		"a newer version":      {headerServerVersion: "3.9.1"},
		"a candidate":          {headerServerVersion: "3.7.0-rc.1"},
		"a build":              {headerServerVersion: "3.7.0+git"},
		"needs a newer one":    {headerMinClusterVersion: "3.8.0"},
		"needs this one":       {headerMinClusterVersion: "3.7.0"},
		"needs no cluster":     {headerMinClusterVersion: ""},
		"nobody's, of no URLs": {headerFrom: "", headerPeerURLs: ""},
	} {
		one := r
		one.name, one.headers = r.path+" of "+name, headers
		list = append(list, one)
	}
	return list
}

var refusedMessage = raftpb.Message{Type: raftpb.MsgVote, From: 3, To: 1, Term: 666}

func refusedSnapshot() raftpb.Message {
	m := snapshotMessage(3, 1)
	m.Term = 666
	return m
}

func ask(t *testing.T, url string, a asked) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), a.method, url+a.path, bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		headerFrom: "3", headerTo: "1", headerClusterID: "c1", headerServerVersion: "3.7.0",
		headerMinClusterVersion: "3.0.0", headerPeerURLs: "http://127.0.0.1:1",
	} {
		req.Header.Set(name, value)
	}
	for name, value := range a.headers {
		if req.Header.Set(name, value); value == "" {
			req.Header.Del(name)
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	got := answered{Status: resp.StatusCode, Body: fmt.Sprintf("%s%v", body, err), Headers: map[string]string{}}
	for name := range resp.Header {
		if name != "Date" {
			got.Headers[name] = strings.Join(resp.Header[name], ", ")
		}
	}
	return got
}

// Requests get the answers that etcd's own transport gives: status, headers and words.
func TestAnswersAsEtcd(t *testing.T) {
	refuse := func(h *recorder) {
		h.removed[4] = true
		h.onProcess = func(_ context.Context, m raftpb.Message) error {
			if m.Term == 666 {
				return ErrRemoved
			}
			return nil
		}
	}
	ours, theirs := newNode(t, 1, asEtcd), newReference(t, 1, transport.TLSInfo{})
	refuse(ours.recorder)
	refuse(theirs.recorder)
	if err := ours.AddPeer(2, []string{"http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	theirs.AddPeer(2, []string{"http://127.0.0.1:1"})
	for _, a := range requests() {
		want, got := ask(t, theirs.server.URL, a), ask(t, ours.server.URL, a)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -etcd +ours:\n%s", a.name, diff)
		}
	}
}

// The version is that of the Config, not of an etcd that may be linked in.
func TestOwnVersion(t *testing.T) {
	n := newNode(t, 1, func(c *Config) { c.Version = func() string { return "3.5.9" } })
	for needs, status := range map[string]int{"3.5.0": http.StatusNotFound, "3.6.0": http.StatusPreconditionFailed} {
		got := ask(t, n.server.URL, asked{
			method: "GET", path: "/raft/stream/message/3", headers: map[string]string{headerMinClusterVersion: needs},
		})
		if got.Status != status || got.Headers[headerServerVersion] != "3.5.9" {
			t.Errorf("needs %s: %+v, want status %d of 3.5.9", needs, got, status)
		}
	}
	if version.Version == "3.5.9" {
		t.Error("the test proves nothing")
	}
}

// A version of a form that some etcds die of is never told.
func TestBadVersionIsNotTold(t *testing.T) {
	version := "3.5.9"
	n := newNode(t, 1, func(c *Config) { c.Version = func() string { return version } })
	for _, change := range [][2]string{{"3.6.0", "3.6.0"}, {"3.7", "3.6.0"}, {"", "3.6.0"}, {"3.7.0-a", "3.6.0"}} {
		version = change[0]
		got := ask(t, n.server.URL, asked{method: "GET", path: "/raft/stream/message/3"})
		h := http.Header{}
		n.setHeaders(h)
		for _, told := range []string{got.Headers[headerServerVersion], h.Get(headerServerVersion)} {
			if told != change[1] {
				t.Errorf("version %q: told %q, want %q", version, told, change[1])
			}
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	valid := Config{
		ID: 1, ClusterID: 2, URLs: func() []string { return nil }, Version: func() string { return "3.6.0" },
		Handler: newRecorder(),
	}
	for name, change := range map[string]func(*Config){
		"ID":         func(c *Config) { c.ID = 0 },
		"cluster ID": func(c *Config) { c.ClusterID = 0 },
		"URLs":       func(c *Config) { c.URLs = nil },
		"version":    func(c *Config) { c.Version = nil },
		"form":       func(c *Config) { c.Version = func() string { return "3.6" } },
		"candidate":  func(c *Config) { c.Version = func() string { return "3.6.0-rc.1" } },
		"letters":    func(c *Config) { c.Version = func() string { return "a.b.c" } },
		"handler":    func(c *Config) { c.Handler = nil },
		"TLS":        func(c *Config) { c.TLS.CertFile = "no such file" },
	} {
		c := valid
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	c, err := New(valid)
	if err != nil {
		t.Fatal(err)
	}
	c.Stop()
}
