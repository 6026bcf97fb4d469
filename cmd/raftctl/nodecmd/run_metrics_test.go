package nodecmd

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// otherMetrics are those of etcd that a member of ours doesn't have, and why.
var otherMetrics = map[string]string{
	"etcd_grpc_proxy_": "of etcd's proxy, which is in the same binary",
}

// metricType is a line that tells the type of a metric.
var metricType = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)

// metricTypes returns the metrics of a member, with their types, and the features that it tells.
func metricTypes(t *testing.T, endpoint string) (types map[string]string, features []string) {
	t.Helper()
	response, err := http.Get("http://" + endpoint + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	types = map[string]string{}
	for _, m := range metricType.FindAllStringSubmatch(string(text), -1) {
		types[m[1]] = m[2]
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "etcd_server_feature_enabled{") {
			features = append(features, line)
		}
	}
	return types, features
}

// Each metric of etcd is there, with its type, so that dashboards and alerts work, and etcd_ begins no other.
func TestRunMetrics(t *testing.T) {
	r := startMember(t, t.TempDir())
	s := etcdtest.Start(t, "3.7", t.TempDir(), etcdtest.Quick...)
	for _, endpoint := range []string{r.endpoint, s.Endpoint} {
		etcdctl(t, "--endpoints", endpoint, "put", "a", "b")
		etcdctl(t, "--endpoints", endpoint, "get", "a")
	}
	got, features := metricTypes(t, r.endpoint)
	want, etcds := metricTypes(t, s.Endpoint)
	for name, kind := range want {
		if hasPrefixOf(name, otherMetrics) {
			continue
		}
		if got[name] != kind {
			t.Errorf("%s: %q, want %q", name, got[name], kind)
		}
	}
	for name := range got {
		if strings.HasPrefix(name, "etcd_") && want[name] == "" {
			t.Errorf("%s: etcd has no such metric", name)
		}
	}
	if strings.Join(features, "") != strings.Join(etcds, "") {
		t.Errorf("features\n%s\nwant\n%s", strings.Join(features, ""), strings.Join(etcds, ""))
	}
}

func hasPrefixOf(name string, prefixes map[string]string) bool {
	for p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
