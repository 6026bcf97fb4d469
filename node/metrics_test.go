package node_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/raftctl/raftctl/node"
)

// typesOf returns the types of the metrics of a text, by name.
func typesOf(text string) map[string]string {
	types := map[string]string{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 4 && f[1] == "TYPE" {
			types[f[2]] = f[3]
		}
	}
	return types
}

// gathered returns the types of the metrics of a registry, and the values of those that have one.
func gathered(t testing.TB, g prometheus.Gatherer) (types map[string]string, values map[string]float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	types, values = map[string]string{}, map[string]float64{}
	for _, f := range families {
		types[f.GetName()] = strings.ToLower(f.GetType().String())
		for _, m := range f.Metric {
			values[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue() +
				float64(m.GetHistogram().GetSampleCount())
		}
	}
	return types, values
}

// newIn says since which release there is a metric, of those that 3.5 doesn't have.
var newIn = map[string]string{"etcd_server_request_duration_seconds": "3.7"}

// TestMetricsAsServer compares names and types with those of real etcds. The registry of the process has etcd's
// libraries' metrics too, in whose place some of the member's would be.
func TestMetricsAsServer(t *testing.T) {
	own := prometheus.NewRegistry()
	n := start(t, node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, Metrics: own})
	grant(t, n, 1, 1)
	get(t, n, "a")
	var types map[string]string
	var values map[string]float64
	eventually(t, "the lease has expired, and was counted", func() bool {
		types, values = gathered(t, own)
		return values["etcd_debugging_server_lease_expired_total"] >= 1 && values["etcd_server_proposals_pending"] == 0
	})
	for _, release := range node.Releases {
		s, _ := startEtcd(t, release, t.TempDir())
		theirs := typesOf(ask(t, s.URL(), request{method: http.MethodGet, path: "/metrics"}).Body)
		for name, kind := range types {
			if theirs[name] != kind && release >= newIn[name] {
				t.Errorf("etcd %s: %s has type %q, want %s", release, name, theirs[name], kind)
			}
		}
	}
	for name, least := range map[string]float64{
		"etcd_server_has_leader": 1, "etcd_server_is_leader": 1, "etcd_server_leader_changes_seen_total": 1,
		"etcd_server_proposals_committed_total": 5, "etcd_server_proposals_applied_total": 5,
		"etcd_debugging_server_lease_expired_total": 1, "etcd_disk_wal_fsync_duration_seconds": 3,
		"etcd_server_request_duration_seconds": 3,
		"etcd_server_version":                  1, "etcd_server_go_version": 1, "etcd_server_id": 1, "os_fd_used": 3, "os_fd_limit": 3,
	} {
		if values[name] < least {
			t.Errorf("%s = %v, want at least %v", name, values[name], least)
		}
	}
}

// TestMetricsOfProcess has the member's metrics where those of etcd's libraries are.
func TestMetricsOfProcess(t *testing.T) {
	_, before := gathered(t, prometheus.DefaultGatherer)
	n := start(t, node.Config{
		DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, Metrics: prometheus.DefaultRegisterer,
	})
	put(t, n, "a", "1")
	const syncs = "etcd_disk_wal_fsync_duration_seconds"
	types, after := gathered(t, prometheus.DefaultGatherer)
	if after[syncs] <= before[syncs] {
		t.Errorf("%s counts %v syncs, %v before", syncs, after[syncs], before[syncs])
	}
	for _, name := range []string{"etcd_server_has_leader", "etcd_server_is_learner", "etcd_cluster_version"} {
		if types[name] != "gauge" {
			t.Errorf("%s has type %q, want gauge", name, types[name])
		}
	}
}
