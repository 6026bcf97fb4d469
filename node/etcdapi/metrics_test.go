package etcdapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// TestMetrics has the metrics of calls that an etcd has: names, types and labels, and the values that are the same for
// the same calls.
func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	_, endpoint := startNode(t, node.Config{}, Options{Metrics: registry, TimeHistograms: true})
	server := etcdtest.Start(t, "3.7", t.TempDir(), append(etcdtest.Quick, "--metrics=extensive")...)
	for _, s := range []*side{dial(t, endpoint), dial(t, server.Endpoint)} {
		for _, row := range []row{
			{r: put("a", "1")}, {r: put("a", "1")}, {r: put("", "1")}, {r: get("a"), headers: needLeader},
			{r: &pb.LeaseKeepAliveRequest{ID: 7}},
		} {
			s.answer(t, row)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*dto.MetricFamily{}
	for _, f := range families {
		got[f.GetName()] = f
	}
	want := scrape(t, server.URL()+"/metrics")
	if diff := cmp.Diff(kinds(want), kinds(got)); diff != "" {
		t.Errorf("names, types and labels (- etcd, + ours):\n%s", diff)
	}
	for _, name := range []string{"etcd_server_client_requests_total", "grpc_server_handled_total"} {
		if diff := cmp.Diff(countsOf(want[name]), countsOf(got[name])); diff != "" {
			t.Errorf("%s (- etcd, + ours):\n%s", name, diff)
		}
	}
	for _, way := range []string{"sent", "received"} {
		f := got["etcd_network_client_grpc_"+way+"_bytes_total"]
		if v := f.GetMetric()[0].GetCounter().GetValue(); v < 20 {
			t.Errorf("%v bytes were %s", v, way)
		}
	}
}

func scrape(t *testing.T, url string) map[string]*dto.MetricFamily {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// kinds are the types and labels of the metrics that are about calls.
func kinds(families map[string]*dto.MetricFamily) map[string]string {
	kinds := map[string]string{}
	for name, f := range families {
		if !strings.HasPrefix(name, "grpc_server_") && !strings.HasPrefix(name, "etcd_network_client_grpc_") &&
			name != "etcd_server_client_requests_total" {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		kinds[name] = f.GetType().String() + " by " + strings.Join(labels, ", ")
	}
	return kinds
}

// countsOf returns the values of a counter that are about puts, or about all calls.
func countsOf(f *dto.MetricFamily) map[string]float64 {
	values := map[string]float64{}
	for _, m := range f.GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetValue())
		}
		if slices.Contains(labels, "Put") || f.GetName() == "etcd_server_client_requests_total" {
			values[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	return values
}
