package peer

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/raftctl/raftctl/internal/metric"
	"github.com/raftctl/raftctl/raftpb"
)

// metrics have etcd's names and labels. Sizes are those of messages as etcd counts them, without framing.
type metrics struct {
	active                                        *prometheus.GaugeVec
	disconnected                                  *prometheus.CounterVec
	sent, sendFailures, received, receiveFailures *prometheus.CounterVec
	roundTrip                                     *prometheus.HistogramVec
	snapshotsSent, snapshotsReceived              *snapshotMetrics
}

const (
	labelFrom   = "From"
	labelTo     = "To"
	labelLocal  = "Local"
	labelRemote = "Remote"
)

func newMetrics(r prometheus.Registerer) *metrics {
	to := network{r}
	return &metrics{
		active:          to.gauges("active_peers", "1 for a member that is heard of, else 0.", labelLocal, labelRemote),
		disconnected:    to.counters("disconnected_peers_total", "How often a member was not heard of any more.", labelLocal, labelRemote),
		sent:            to.counters("peer_sent_bytes_total", "Bytes of messages to a member.", labelTo),
		received:        to.counters("peer_received_bytes_total", "Bytes of messages from a member.", labelFrom),
		sendFailures:    to.counters("peer_sent_failures_total", "Messages to a member that got lost, and lost streams.", labelTo),
		receiveFailures: to.counters("peer_received_failures_total", "Messages from a member that got lost.", labelFrom),
		roundTrip: to.histograms("peer_round_trip_time_seconds", "How long a member's answer to a probe takes.",
			prometheus.ExponentialBuckets(0.0001, 2, 16), labelTo), // 100 µs to 3.2768 s
		snapshotsSent:     newSnapshotMetrics(to, "snapshot_send_", labelTo),
		snapshotsReceived: newSnapshotMetrics(to, "snapshot_receive_", labelFrom),
	}
}

// snapshotMetrics are about snapshots in one direction, by the member at the other end.
type snapshotMetrics struct {
	inflight            *prometheus.GaugeVec
	successes, failures *prometheus.CounterVec
	duration            *prometheus.HistogramVec
}

func newSnapshotMetrics(to network, prefix, label string) *snapshotMetrics {
	return &snapshotMetrics{
		inflight:  to.gauges(prefix+"inflights_total", "Snapshots that are under way.", label),
		successes: to.counters(prefix+"success", "Snapshots that arrived.", label),
		failures:  to.counters(prefix+"failures", "Snapshots that didn't arrive.", label),
		duration: to.histograms(prefix+"total_duration_seconds", "How long a snapshot that arrived took.",
			prometheus.ExponentialBuckets(0.1, 2, 10), label), // 100 ms to 51.2 s
	}
}

// begin counts a snapshot, to or from a member, until the function it returns is called.
func (s *snapshotMetrics) begin(member string) (end func(ok bool)) {
	start := time.Now()
	s.inflight.WithLabelValues(member).Inc()
	return func(ok bool) {
		s.inflight.WithLabelValues(member).Dec()
		if !ok {
			s.failures.WithLabelValues(member).Inc()
			return
		}
		s.successes.WithLabelValues(member).Inc()
		s.duration.WithLabelValues(member).Observe(time.Since(start).Seconds())
	}
}

// network registers metrics by etcd's names for them.
type network struct{ prometheus.Registerer }

func (r network) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return metric.Register(r.Registerer, prometheus.NewGaugeVec(
		prometheus.GaugeOpts{Namespace: "etcd", Subsystem: "network", Name: name, Help: help}, labels))
}

func (r network) counters(name, help string, labels ...string) *prometheus.CounterVec {
	return metric.Register(r.Registerer, prometheus.NewCounterVec(
		prometheus.CounterOpts{Namespace: "etcd", Subsystem: "network", Name: name, Help: help}, labels))
}

func (r network) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return metric.Register(r.Registerer, prometheus.NewHistogramVec(
		prometheus.HistogramOpts{Namespace: "etcd", Subsystem: "network", Name: name, Help: help, Buckets: buckets}, labels))
}

// counts are the metrics of one member.
type counts struct {
	flavor                                        raftpb.Flavor
	active                                        prometheus.Gauge
	disconnected                                  prometheus.Counter
	sent, sendFailures, received, receiveFailures prometheus.Counter
	roundTrip                                     prometheus.Observer
}

func (t *Etcd) newCounts(id uint64) *counts {
	m, local, remote := t.metrics, hex(t.cfg.ID), hex(id)
	return &counts{
		flavor:          t.cfg.Flavor,
		active:          m.active.WithLabelValues(local, remote),
		disconnected:    m.disconnected.WithLabelValues(local, remote),
		sent:            m.sent.WithLabelValues(remote),
		sendFailures:    m.sendFailures.WithLabelValues(remote),
		received:        m.received.WithLabelValues(remote),
		receiveFailures: m.receiveFailures.WithLabelValues(remote),
		roundTrip:       m.roundTrip.WithLabelValues(remote),
	}
}

func (c *counts) sentMessage(m *raftpb.Message) { c.sent.Add(float64(m.Size(c.flavor))) }

// label returns the label of a sender. Those that are no members share one, as there may be any number of them.
func (t *Etcd) label(from uint64) string {
	if t.member(from) == nil {
		from = raftpb.None
	}
	return hex(from)
}

func (t *Etcd) receivedMessage(m *raftpb.Message) {
	n := float64(m.Size(t.cfg.Flavor))
	if peer := t.member(m.From); peer != nil {
		peer.counts.received.Add(n)
		return
	}
	t.metrics.received.WithLabelValues(hex(raftpb.None)).Add(n) // link heartbeats too
}
