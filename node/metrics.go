package node

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	etcdruntime "go.etcd.io/etcd/pkg/v3/runtime"

	"github.com/raftctl/raftctl/internal/metric"
	"github.com/raftctl/raftctl/raftpb"
)

// descriptorInterval is how often open files are counted; it is etcd's.
const descriptorInterval = 10 * time.Minute

// metrics have etcd's names, where they mean the same. Like etcd's they are one set for all members of a registry,
// of which a process has one.
type metrics struct {
	hasLeader, isLeader           prometheus.Gauge
	leaderChanges, lateHeartbeats prometheus.Counter
	committed, applied, pending   prometheus.Gauge
	failed                        prometheus.Counter
	restoring                     prometheus.Gauge
	slowReads, failedReads        prometheus.Counter
	promoted, leasesExpired       prometheus.Counter
	notPromoted                   *prometheus.CounterVec // by the reason
	server, goVersion, id         *prometheus.GaugeVec
	openFiles, openFilesLimit     prometheus.Gauge
	logSync                       prometheus.Histogram
	requests                      *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	to := registry{r}
	return &metrics{
		requests:      newRequestMetric(r),
		hasLeader:     to.gauge("server_has_leader", "1 while the member knows a leader, else 0."),
		isLeader:      to.gauge("server_is_leader", "1 while the member leads, else 0."),
		leaderChanges: to.counter("server_leader_changes_seen_total", "New leaders that the member has seen."),
		lateHeartbeats: to.counter("server_heartbeat_send_failures_total",
			"Heartbeats that the member sent late as leader."),
		committed: to.gauge("server_proposals_committed_total", "Index of the last entry that is committed."),
		applied:   to.gauge("server_proposals_applied_total", "Index of the last entry that is applied."),
		pending:   to.gauge("server_proposals_pending", "Proposals of this member's clients that wait for a result."),
		failed:    to.counter("server_proposals_failed_total", "Proposals of this member's clients without a result."),
		restoring: to.gauge("server_snapshot_apply_in_progress_total", "1 while the leader's snapshot is put in place."),
		slowReads: to.counter("server_slow_read_indexes_total", "Questions for the index of a read that took long."),
		failedReads: to.counter("server_read_indexes_failed_total",
			"Questions for the index of a read that got no answer."),
		promoted: to.counter("server_learner_promote_successes", "Learners that became voters."),
		notPromoted: metric.Register(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "etcd_server_learner_promote_failures", Help: "Learners that didn't become voters, by the reason.",
		}, []string{"Reason"})),
		leasesExpired: to.counter("debugging_server_lease_expired_total", "Leases that expired."),
		server:        to.labelled("server_version", "1 for the version that the member says it is.", "server_version"),
		goVersion:     to.labelled("server_go_version", "1 for the version of Go.", "server_go_version"),
		id:            to.labelled("server_id", "1 for the ID of the member.", "server_id"),
		openFiles: metric.Register(r, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "os_fd_used", Help: "Open files of the process.",
		})),
		openFilesLimit: metric.Register(r, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "os_fd_limit", Help: "How many files the process may open.",
		})),
		// etcd's package wal has registered it: the help must be the same.
		logSync: metric.Register(r, prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "etcd_disk_wal_fsync_duration_seconds", Help: "The latency distributions of fsync called by WAL.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		})),
	}
}

// registry registers metrics whose names begin with etcd.
type registry struct{ prometheus.Registerer }

func (r registry) gauge(name, help string) prometheus.Gauge {
	return metric.Register(r.Registerer, prometheus.NewGauge(prometheus.GaugeOpts{Name: "etcd_" + name, Help: help}))
}

func (r registry) counter(name, help string) prometheus.Counter {
	return metric.Register(r.Registerer, prometheus.NewCounter(prometheus.CounterOpts{Name: "etcd_" + name, Help: help}))
}

func (r registry) labelled(name, help, label string) *prometheus.GaugeVec {
	return metric.Register(r.Registerer, prometheus.NewGaugeVec(
		prometheus.GaugeOpts{Name: "etcd_" + name, Help: help}, []string{label}))
}

// started tells who the member is.
func (m *metrics) started(n *Node) {
	m.server.WithLabelValues(n.Version()).Set(1)
	m.goVersion.WithLabelValues(runtime.Version()).Set(1)
	m.id.WithLabelValues(hex(n.standing.id)).Set(1)
}

// leaderChanged tells of a new leader, or that there is none.
func (m *metrics) leaderChanged(lead, self uint64) {
	m.hasLeader.Set(oneIf(lead != raftpb.None))
	m.isLeader.Set(oneIf(lead == self))
	if lead != raftpb.None {
		m.leaderChanges.Inc()
	}
}

// synced is told how long a sync of the log took.
func (n *Node) synced(took time.Duration) { n.metrics.logSync.Observe(took.Seconds()) }

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// countOpenFiles counts the open files of the process from time to time, and warns when few more can be opened.
func (n *Node) countOpenFiles() {
	for {
		used, limit, err := openFiles()
		if err != nil {
			n.log.Debug("open files can't be counted", "error", err)
			return
		}
		n.metrics.openFiles.Set(float64(used))
		n.metrics.openFilesLimit.Set(float64(limit))
		if used >= limit/5*4 {
			n.log.Warn("80% of the files that the process may open are open", "used", used, "limit", limit)
		}
		if !n.pause(descriptorInterval, nil) {
			return
		}
	}
}

func openFiles() (used, limit uint64, err error) {
	if used, err = etcdruntime.FDUsage(); err != nil {
		return 0, 0, err
	}
	limit, err = etcdruntime.FDLimit()
	return used, limit, err
}
