package etcdapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// serveNode starts a node, and serves it as a config says.
func serveNode(t *testing.T, cfg node.Config, c ServeConfig) (*Server, *node.Node) {
	t.Helper()
	if c.API.Metrics == nil {
		c.API.Metrics = prometheus.NewRegistry()
	}
	server, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := startNode(t, cfg, Options{})
	if err := server.Serve(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		if ctx.Err() != nil {
			t.Error("stopping takes a minute")
		}
		select {
		case err := <-server.Failed():
			t.Errorf("failed: %v", err)
		default:
		}
	})
	return server, n
}

// anyPort is where the tests of one address are served.
var anyPort = []string{"http://127.0.0.1:0"}

// where returns the base of the URLs of a server's first port.
func where(s *Server) string { return "http://" + s.ports[0].Addr().String() }

// asked is an HTTP request that is made to a node and an etcd.
type asked struct {
	name, method, path, body string
	header                   map[string]string
}

// gotten is what came of it.
type gotten struct {
	Status int
	Header map[string]string
	Body   string
}

// comparedHeaders are those that a client may go by.
var comparedHeaders = []string{
	"Content-Type", "Allow", "X-Content-Type-Options", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers",
}

func ask(t *testing.T, base string, a asked) gotten {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, a.method, base+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range a.header {
		r.Header.Set(k, v)
	}
	if host := a.header["Host"]; host != "" {
		r.Host = host
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	g := gotten{Status: response.StatusCode, Header: map[string]string{}, Body: leveledBody(body)}
	for _, k := range comparedHeaders {
		if v := response.Header.Values(k); len(v) > 0 {
			g.Header[k] = strings.Join(v, "; ")
		}
	}
	return g
}

// ownNumber matches what differs from one server to the next in JSON.
var ownNumber = regexp.MustCompile(`"(cluster_id|member_id|raft_term|ID|memberID|dbSize|dbSizeInUse|leader|raftIndex|` +
	`raftTerm|raftAppliedIndex|token|hash|create_time)":"?[^",{}]*"?`)

// leveledBody replaces what differs from one server to the next, and the order in which etcd lists checks.
func leveledBody(body []byte) string {
	if bytes.HasPrefix(body, []byte("[")) {
		lines := strings.Split(string(body), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	var b bytes.Buffer
	if json.Compact(&b, body) == nil { // the library writes spaces at random, and kinds of them in errors
		body = bytes.ReplaceAll(b.Bytes(), []byte("\u00a0"), []byte(" "))
	}
	return ownNumber.ReplaceAllString(string(body), `"$1":"some"`)
}

func askBoth(t *testing.T, ours, etcds string, all []asked) {
	t.Helper()
	for _, a := range all {
		if a.method == "" {
			a.method = http.MethodGet
		}
		want, got := ask(t, etcds, a), ask(t, ours, a)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s %s (- etcd, + ours):\n%.3000s", a.name, a.method, a.path, diff)
		}
	}
}

func TestHTTPBesideEtcd(t *testing.T) {
	server, _ := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyPort})
	etcd := etcdtest.Start(t, "3.7", t.TempDir(), append([]string{"--name=m1"}, etcdtest.Quick...)...)
	ours, etcds := where(server), etcd.URL()
	for _, s := range []*side{dial(t, server.ports[0].Addr().String()), dial(t, etcd.Endpoint)} {
		s.awaitVersion(t)
	}
	askBoth(t, ours, etcds, []asked{
		{name: "health", path: "/health"},
		{name: "of itself", path: "/health?serializable=true"},
		{name: "written to", path: "/health", method: http.MethodPost},
		{name: "lives", path: "/livez"},
		{name: "lives, in words", path: "/livez?verbose"},
		{name: "lives, but for all", path: "/livez?exclude=serializable_read&verbose"},
		{name: "one check", path: "/livez/serializable_read"},
		{name: "no such check", path: "/livez/linearizable_read"},
		{name: "ready", path: "/readyz"},
		{name: "ready, in words", path: "/readyz?verbose"},
		{name: "ready, but for two", path: "/readyz?verbose&exclude=non_learner&exclude=data_corruption"},
		{name: "ready, but for what is not checked", path: "/readyz?verbose&exclude=nonsense"},
		{name: "ready, a check", path: "/readyz/data_corruption?verbose"},
		{name: "ready, a check", path: "/readyz/linearizable_read"},
		{name: "written to", path: "/readyz", method: http.MethodPut},
		{name: "version", path: "/version"},
		{name: "version written", path: "/version", method: http.MethodPost},
		{name: "vars written", path: "/debug/vars", method: http.MethodPost},
		{name: "profiles, not asked for", path: "/debug/pprof/"},
		{name: "nothing there", path: "/nothing"},
		{name: "nothing at the root", path: "/"},
		{name: "before the flight", path: "/v3/kv/range", method: http.MethodOptions,
			header: map[string]string{"Origin": "http://a"}},
		{name: "from a page", path: "/health", header: map[string]string{"Origin": "http://a"}},
		{name: "another host", path: "/health", header: map[string]string{"Host": "etcd.example"}},
	})
	for _, s := range []*side{dial(t, server.ports[0].Addr().String()), dial(t, etcd.Endpoint)} {
		for _, kind := range []pb.AlarmType{pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT} {
			r := &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: s.memberID(t), Alarm: kind}
			if _, err := s.do(t.Context(), r, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	askBoth(t, ours, etcds, []asked{
		{name: "with two alarms, but for one", path: "/health?exclude=NOSPACE"},
		{name: "with two alarms, but for the other", path: "/health?exclude=CORRUPT"},
		{name: "with two alarms, but for both", path: "/health?exclude=CORRUPT&exclude=NOSPACE"},
		{name: "ready with alarms", path: "/readyz?verbose"},
		{name: "ready with alarms", path: "/readyz/data_corruption"},
		{name: "lives with alarms", path: "/livez"},
	})
}

func (s *side) memberID(t *testing.T) uint64 {
	t.Helper()
	r, err := pb.NewMaintenanceClient(s.conn).Status(t.Context(), &pb.StatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Header.MemberId
}

func TestGatewayBesideEtcd(t *testing.T) {
	server, _ := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyPort})
	etcd := etcdtest.Start(t, "3.7", t.TempDir(), append([]string{"--name=m1", "--bcrypt-cost=4"}, etcdtest.Quick...)...)
	for _, s := range []*side{dial(t, server.ports[0].Addr().String()), dial(t, etcd.Endpoint)} {
		s.awaitVersion(t)
	}
	var all []asked
	for _, row := range []struct{ path, body string }{
		{"/v3/kv/put", `{"key":"YQ==","value":"MQ=="}`},
		{"/v3/kv/put", `{"key":"YQ==","value":"Mg==","prev_kv":true,"nonsense":1}`},
		{"/v3beta/kv/range", `{"key":"YQ=="}`},
		{"/v3/kv/range", `{"key":"YQ==","range_end":"AA==","count_only":true,"limit":"5"}`},
		{"/v3/kv/range", `{"key":"YQ==","revision":99}`},
		{"/v3/kv/range", `{"key":""}`},
		{"/v3/kv/range", `{"key":`},
		{"/v3/kv/range", `{"key":"not base64!"}`},
		{"/v3/kv/txn", `{"compare":[{"key":"YQ==","result":"EQUAL","target":"VERSION","version":"2"}],` +
			`"success":[{"request_put":{"key":"Yg==","value":"Mw=="}}],"failure":[{"request_range":{"key":"YQ=="}}]}`},
		{"/v3/kv/txn", `{"compare":[{"key":"YQ==","result":"EQUAL","target":"VERSION","version":"1"}],` +
			`"failure":[{"request_range":{"key":"YQ=="}}]}`},
		{"/v3/kv/deleterange", `{"key":"Yg=="}`},
		{"/v3/kv/compaction", `{"revision":"2","physical":true}`},
		{"/v3/kv/compaction", `{"revision":"1"}`},
		{"/v3/lease/grant", `{"ID":"77","TTL":"600"}`},
		{"/v3/lease/grant", `{"ID":"77","TTL":"600"}`},
		{"/v3/lease/keepalive", `{"ID":"77"}`},
		{"/v3/lease/leases", `{}`},
		{"/v3/kv/lease/leases", `{}`},
		{"/v3/lease/revoke", `{"ID":"78"}`},
		{"/v3/lock/lock", `{"name":"bA==","lease":"77"}`},
		{"/v3/lock/unlock", `{"key":"bC80ZA=="}`},
		{"/v3/election/leader", `{"name":"ZQ=="}`},
		{"/v3/election/campaign", `{"name":"ZQ==","lease":"77","value":"dg=="}`},
		{"/v3/election/leader", `{"name":"ZQ=="}`},
		{"/v3/maintenance/status", `{}`},
		{"/v3/maintenance/alarm", `{"action":"GET"}`},
		{"/v3/maintenance/hashkv", `{"revision":"0"}`},
		{"/v3/auth/status", `{}`},
		{"/v3/auth/user/add", `{"name":"root","password":"r"}`},
		{"/v3/auth/user/add", `{"name":"root","password":"r"}`},
		{"/v3/auth/enable", `{}`},
		{"/v3/auth/role/add", `{"name":"root"}`},
		{"/v3/auth/user/grant", `{"user":"root","role":"root"}`},
		{"/v3/auth/user/list", `{}`},
		{"/v3/nothing", `{}`},
	} {
		all = append(all, asked{name: row.body, method: http.MethodPost, path: row.path, body: row.body})
	}
	all = append(all, asked{name: "another method", path: "/v3/kv/range"})
	askBoth(t, where(server), etcd.URL(), all)
	askBoth(t, where(server), etcd.URL(), []asked{
		{name: "users", method: http.MethodPost, path: "/v3/auth/enable", body: "{}"},
		{name: "as nobody", method: http.MethodPost, path: "/v3/kv/range", body: `{"key":"YQ=="}`},
		{name: "token", method: http.MethodPost, path: "/v3/auth/authenticate", body: `{"name":"root","password":"r"}`},
		{name: "wrong", method: http.MethodPost, path: "/v3/auth/authenticate", body: `{"name":"root","password":"x"}`},
		{name: "no token", method: http.MethodPost, path: "/v3/kv/range", body: `{"key":"YQ=="}`,
			header: map[string]string{"Authorization": "none"}},
	})
}

// A watch over the gateway tells of events line by line.
func TestGatewayWatches(t *testing.T) {
	server, _ := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyPort})
	response, err := http.Post(where(server)+"/v3/watch", "application/json",
		strings.NewReader(`{"create_request":{"key":"YQ==","start_revision":"1"}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := json.NewDecoder(response.Body)
	for _, want := range []string{`"created":true`, `"value":"MQ=="`} {
		var line json.RawMessage
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := json.Compact(&b, line); err != nil || !strings.Contains(b.String(), want) {
			t.Fatalf("%s, want %s; %v", &b, want, err)
		}
		if _, err := dial(t, server.ports[0].Addr().String()).do(t.Context(), put("a", "1"), false); err != nil {
			t.Fatal(err)
		}
	}
}

// What the flags about HTTP do.
func TestHTTPFlags(t *testing.T) {
	server, _ := serveNode(t, node.Config{}, ServeConfig{
		ClientURLs: anyPort, NoGateway: true, Profiles: true, Hosts: []string{"etcd.example"}, CORS: []string{"http://a"},
	})
	host := map[string]string{"Host": "etcd.example:1", "Origin": "http://a"}
	for _, tc := range []struct {
		a      asked
		status int
		origin string
	}{
		{asked{name: "no gateway", method: http.MethodPost, path: "/v3/kv/range", body: "{}", header: host},
			http.StatusNotFound, "http://a"},
		{asked{name: "profiles", method: http.MethodGet, path: "/debug/pprof/", header: host}, http.StatusOK, "http://a"},
		{asked{name: "another host", method: http.MethodGet, path: "/health"}, http.StatusMisdirectedRequest, ""},
		{asked{name: "another origin", method: http.MethodGet, path: "/health",
			header: map[string]string{"Host": "etcd.example", "Origin": "http://b"}}, http.StatusOK, ""},
	} {
		g := ask(t, where(server), tc.a)
		if g.Status != tc.status || g.Header["Access-Control-Allow-Origin"] != tc.origin {
			t.Errorf("%s: %d, origin %q", tc.a.name, g.Status, g.Header["Access-Control-Allow-Origin"])
		}
	}
}

// Metrics and variables have names that etcd's have.
func TestMetricsAreServed(t *testing.T) {
	server, _ := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyPort, MetricsURLs: anyPort})
	ask(t, where(server), asked{name: "health", method: http.MethodGet, path: "/health"})
	for _, p := range server.ports {
		g := ask(t, "http://"+p.Addr().String(), asked{name: "metrics", method: http.MethodGet, path: "/metrics"})
		if !strings.Contains(g.Body, "etcd_server_health_success") {
			t.Errorf("%v: %.300s", p.urls, g.Body)
		}
	}
	metrics := "http://" + server.ports[1].Addr().String()
	g := ask(t, metrics, asked{name: "version", method: http.MethodGet, path: "/version"})
	if g.Status != http.StatusNotFound {
		t.Errorf("the version at the port of metrics: %d", g.Status)
	}
	g = ask(t, where(server), asked{name: "vars", method: http.MethodGet, path: "/debug/vars"})
	if !json.Valid([]byte(g.Body)) {
		t.Errorf("variables: %.300s", g.Body)
	}
}
