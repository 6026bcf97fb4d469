package etcdapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/raftctl/raftctl/internal/metric"
)

// watchMetrics tell how long sending takes, with etcd's names.
type watchMetrics struct{ batch, perEvent, control, progress prometheus.Histogram }

func newWatchMetrics(to prometheus.Registerer) *watchMetrics {
	histogram := func(what, help string) prometheus.Histogram {
		return metric.Register(to, prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "etcd_debugging", Subsystem: "server", Name: "watch_send_loop_" + what + "_seconds", Help: help,
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14), // 1 ms to 8.192 s
		}))
	}
	return &watchMetrics{
		batch:    histogram("watch_stream_duration", "The total duration in seconds of sending the events of a response."),
		perEvent: histogram("watch_stream_duration_per_event", "The average duration in seconds of sending an event."),
		control:  histogram("control_stream_duration", "The total duration in seconds of sending an answer to a request."),
		progress: histogram("progress_duration", "The total duration in seconds of asking for progress notifications."),
	}
}

// sentBatch counts a response with events, begun at a time.
func (m *watchMetrics) sentBatch(begun time.Time, events int) {
	seconds := time.Since(begun).Seconds()
	m.batch.Observe(seconds)
	if events > 0 {
		m.perEvent.Observe(seconds / float64(events))
	}
}

// since counts something that was begun at a time.
func since(begun time.Time, in prometheus.Histogram) { in.Observe(time.Since(begun).Seconds()) }
