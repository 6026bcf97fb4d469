package etcdapi

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raftctl/raftctl/internal/metric"
)

// metrics are counters with etcd's names.
type metrics struct {
	requests, failures *prometheus.CounterVec
	sent, received     prometheus.Counter
}

// newMetrics returns the counters of a registry, which all servers share. With none they count for nobody.
func newMetrics(to prometheus.Registerer) *metrics {
	counter := func(subsystem, name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "etcd", Subsystem: subsystem, Name: name, Help: help}
	}
	return &metrics{
		requests: metric.Register(to, prometheus.NewCounterVec(
			counter("server", "client_requests_total", "The total number of client requests per client version."),
			[]string{"type", "client_api_version"})),
		failures: metric.Register(to, prometheus.NewCounterVec(
			counter("network", "server_stream_failures_total", "The total number of streams that failed here."),
			[]string{"Type", "API"})),
		sent: metric.Register(to, prometheus.NewCounter(
			counter("network", "client_grpc_sent_bytes_total", "The total number of bytes sent to grpc clients."))),
		received: metric.Register(to, prometheus.NewCounter(
			counter("network", "client_grpc_received_bytes_total", "The total number of bytes received from them."))),
	}
}

func (m *metrics) request(kind, version string) { m.requests.WithLabelValues(kind, version).Inc() }

// streamFailed counts a stream that couldn't receive or send, unless its client has ended it.
func (m *metrics) streamFailed(ctx context.Context, what, of string, err error) error {
	if ctx.Err() == nil && !endedByClient(err) {
		m.failures.WithLabelValues(what, of).Inc()
	}
	return err
}

func endedByClient(err error) bool {
	s, _ := status.FromError(err)
	switch s.Code() {
	case codes.Canceled, codes.DeadlineExceeded:
		return true
	case codes.Unavailable:
		text := s.Message()
		return text == "client disconnected" ||
			strings.HasPrefix(text, "stream error: ") && strings.HasSuffix(text, "; CANCEL")
	}
	return false
}
