package peer

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"

	"github.com/raftctl/raftctl/raftpb"
)

// families returns the metrics of the network, by name.
func families(t *testing.T, g prometheus.Gatherer) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*dto.MetricFamily{}
	for _, f := range all {
		if strings.HasPrefix(f.GetName(), "etcd_network_") {
			by[f.GetName()] = f
		}
	}
	return by
}

// shape is what dashboards rely on: the type, the labels, and the bounds of buckets.
type shape struct {
	Type   string
	Labels []string
	Bounds []float64
}

func shapes(by map[string]*dto.MetricFamily) map[string]shape {
	shapes := map[string]shape{}
	for name, f := range by {
		s, m := shape{Type: f.GetType().String()}, f.GetMetric()[0]
		for _, l := range m.GetLabel() {
			s.Labels = append(s.Labels, l.GetName())
		}
		for _, b := range m.GetHistogram().GetBucket() {
			s.Bounds = append(s.Bounds, b.GetUpperBound())
		}
		shapes[name] = s
	}
	return shapes
}

// value returns what a metric says of a member.
func value(by map[string]*dto.MetricFamily, name string, member uint64) float64 {
	for _, m := range by["etcd_network_"+name].GetMetric() {
		if slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool {
			return l.GetName() != labelLocal && l.GetValue() == hex(member)
		}) {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return 0
}

// TestMetricsBesideEtcd has the two count each other's messages, and snapshots.
func TestMetricsBesideEtcd(t *testing.T) {
	own, etcds := prometheus.NewRegistry(), prometheus.DefaultGatherer
	before := families(t, etcds)
	ours, theirs := beside(t, transport.TLSInfo{}, func(c *Config) {
		c.Metrics, c.Flavor = own, raftpb.FlavorPbgo
		c.times = defaultTiming()
		c.times.probe = 10 * time.Millisecond
	})
	const n = 60 // no more than etcd posts at a time, if it has no stream yet
	ours.Send(appendsOf(1, 2, n))
	theirs.received(t, n)
	theirs.send(appendsOf(2, 1, n))
	ours.received(t, n)
	snapshots(t, ours, theirs)
	var mine, etcd map[string]*dto.MetricFamily
	eventually(t, "probes were answered, and all is counted", func() bool {
		mine, etcd = families(t, own), families(t, etcds)
		return value(mine, "peer_round_trip_time_seconds", 2) > 0 &&
			value(mine, "snapshot_receive_success", 2)+value(mine, "snapshot_send_success", 2) == 2
	})
	got, want := shapes(mine), shapes(etcd)
	for name := range got {
		if diff := cmp.Diff(want[name], got[name]); diff != "" && len(want[name].Type) > 0 {
			t.Errorf("%s (- etcd, + ours):\n%s", name, diff)
		}
	}
	for _, name := range []string{"snapshot_send_success", "snapshot_receive_success", "peer_sent_bytes_total", "active_peers"} {
		if want["etcd_network_"+name].Type == "" {
			t.Errorf("etcd has no %s", name)
		}
	}
	grown := func(name string, member uint64) float64 {
		return value(etcd, name, member) - value(before, name, member)
	}
	for _, way := range []struct{ got, want float64 }{
		{value(mine, "peer_sent_bytes_total", 2), grown("peer_received_bytes_total", 1)},
		{value(mine, "peer_received_bytes_total", 2), grown("peer_sent_bytes_total", 1)},
	} {
		if beats := 1000.0; way.got < way.want-beats || way.got > way.want+beats || way.want < 1<<20 {
			t.Errorf("%v bytes, etcd counts %v", way.got, way.want)
		}
	}
	if v := value(mine, "active_peers", 2); v != 1 {
		t.Errorf("active_peers = %v", v)
	}
	ours.RemovePeer(2)
	if v := value(families(t, own), "active_peers", 2); v != 0 {
		t.Errorf("active_peers = %v after the member was removed", v)
	}
}

// snapshots sends one each way.
func snapshots(t *testing.T, ours *node, theirs *reference) {
	t.Helper()
	ours.SendSnapshot(snapshotMessage(1, 2), &database{size: 1 << 20})
	m, body := snapshotMessage(2, 1), bytes.NewReader(make([]byte, 1<<20))
	theirs.SendSnapshot(snap.NewMessage(toRef([]raftpb.Message{m})[0], io.NopCloser(body), body.Size()))
	ours.wait(t, "report", func() bool { return len(ours.snapshots) == 1 && ours.snapshots[0] })
	theirs.wait(t, "report", func() bool { return len(theirs.snapshots) == 1 && theirs.snapshots[0] })
}

// TestMetricsOfFailures counts what gets lost.
func TestMetricsOfFailures(t *testing.T) {
	own := prometheus.NewRegistry()
	n := newNode(t, 1, func(c *Config) { c.Metrics = own })
	other := newNode(t, 2)
	connect(t, n, other)
	other.Stop()
	other.server.Close()
	eventually(t, "the member is not heard of, and failures were counted", func() bool {
		n.Send([]raftpb.Message{{Type: raftpb.MsgHeartbeat, From: 1, To: 2}})
		n.SendSnapshot(snapshotMessage(1, 2), &database{size: 1})
		by := families(t, own)
		return value(by, "peer_sent_failures_total", 2) > 0 && value(by, "disconnected_peers_total", 2) > 0 &&
			value(by, "active_peers", 2) == 0 && value(by, "snapshot_send_failures", 2) > 0
	})
}
