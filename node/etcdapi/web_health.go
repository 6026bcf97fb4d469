package etcdapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/raftctl/raftctl/internal/metric"
)

// check is one thing that is looked at to tell whether a member is well.
type check struct {
	name string
	run  func(ctx context.Context, w *web) error
}

// probes are etcd's health checks for machines: each has a path of its own, and below it each of its checks.
var probes = []struct {
	kind   string
	checks []check
}{
	{"livez", []check{{"serializable_read", readsItself}}},
	{"readyz", []check{
		{"data_corruption", isntCorrupt},
		{"serializable_read", readsItself},
		{"linearizable_read", readsCluster},
		{"non_learner", isntLearner},
	}},
}

func readsItself(ctx context.Context, w *web) error  { return w.read(ctx, true) }
func readsCluster(ctx context.Context, w *web) error { return w.read(ctx, false) }

func isntCorrupt(_ context.Context, w *web) error {
	for _, a := range w.node.Store().Alarms() {
		if a.Alarm == pb.AlarmType_CORRUPT {
			return fmt.Errorf("alarm activated: %s", a.Alarm)
		}
	}
	return nil
}

func isntLearner(_ context.Context, w *web) error {
	if w.node.Status().Learner {
		return errors.New("not supported for learner")
	}
	return nil
}

// read reads one key, as root.
func (w *web) read(ctx context.Context, serializable bool) error {
	ctx = w.node.Store().Auth().WithRoot(ctx)
	_, err := w.kv.Range(ctx, &pb.RangeRequest{Key: []byte{0}, KeysOnly: true, Limit: 1, Serializable: serializable})
	if err != nil {
		return errors.New(rpctypes.ErrorDesc(err))
	}
	return nil
}

// handleHealth serves /health and the probes.
func (w *web) handleHealth(mux *http.ServeMux) {
	mux.HandleFunc("/health", onlyGet(w.serveHealth))
	for _, p := range probes {
		root := "/" + p.kind
		mux.HandleFunc(root, onlyGet(func(rw http.ResponseWriter, r *http.Request) {
			w.serveProbe(rw, r, p.kind, without(p.checks, r.URL.Query()["exclude"]))
		}))
		for i, c := range p.checks {
			mux.HandleFunc(path.Join(root, c.name), onlyGet(func(rw http.ResponseWriter, r *http.Request) {
				w.serveProbe(rw, r, p.kind, p.checks[i:i+1])
			}))
		}
	}
}

// without returns checks but for those that are named.
func without(all []check, names []string) []check {
	var left []check
	for _, c := range all {
		if !slices.Contains(names, c.name) {
			left = append(left, c)
		}
	}
	return left
}

func (w *web) serveProbe(rw http.ResponseWriter, r *http.Request, kind string, checks []check) {
	var report strings.Builder
	well := true
	for _, c := range checks {
		err := c.run(r.Context(), w)
		if err == nil {
			fmt.Fprintf(&report, "[+]%s ok\n", c.name)
		} else {
			fmt.Fprintf(&report, "[-]%s failed: %v\n", c.name, err)
			well = false
		}
		w.metrics.checked(kind, c.name, err == nil)
	}
	if !well {
		w.config.log().Error("Health check error", "path", r.URL.Path, "reason", report.String(),
			"status-code", http.StatusServiceUnavailable)
		http.Error(rw, report.String(), http.StatusServiceUnavailable)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	if r.URL.Query().Has("verbose") {
		fmt.Fprint(rw, report.String())
	}
	fmt.Fprint(rw, "ok\n")
}

// healthAnswer is what /health answers.
type healthAnswer struct {
	Health string `json:"health"`
	Reason string `json:"reason"`
}

func (w *web) serveHealth(rw http.ResponseWriter, r *http.Request) {
	a := healthAnswer{Health: "true"}
	if reason := w.illness(r); reason != "" {
		a = healthAnswer{Health: "false", Reason: reason}
	}
	text, err := json.Marshal(&a)
	if err != nil {
		panic(err) // our own bug: these are two texts
	}
	if a.Reason != "" {
		w.metrics.failure.Inc()
		w.config.log().Warn("/health error", "output", string(text), "status-code", http.StatusServiceUnavailable)
		http.Error(rw, string(text), http.StatusServiceUnavailable)
		return
	}
	w.metrics.success.Inc()
	_, _ = rw.Write(text) // the client is told by the lack of it
}

// illness returns what is wrong, in etcd's words; empty: nothing.
func (w *web) illness(r *http.Request) string {
	query := r.URL.Query()
	serializable := query.Get("serializable") == "true"
	for _, a := range w.node.Store().Alarms() {
		if slices.Contains(query["exclude"], a.Alarm.String()) {
			continue
		}
		switch a.Alarm {
		case pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT:
			return "ALARM " + a.Alarm.String()
		}
		return "ALARM UNKNOWN"
	}
	if !serializable && !w.node.HasLeader() {
		return "RAFT NO LEADER"
	}
	ctx, cancel := context.WithTimeout(r.Context(), w.node.RequestTimeout())
	defer cancel()
	if err := w.read(ctx, serializable); err != nil {
		return "RANGE ERROR:" + err.Error()
	}
	return ""
}

// healthMetrics count the health checks, with etcd's names.
type healthMetrics struct {
	success, failure prometheus.Counter
	last             *prometheus.GaugeVec
	all              *prometheus.CounterVec
}

func newHealthMetrics(to prometheus.Registerer) *healthMetrics {
	named := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "etcd", Subsystem: "server", Name: name, Help: help}
	}
	return &healthMetrics{
		success: metric.Register(to, prometheus.NewCounter(prometheus.CounterOpts(
			named("health_success", "The total number of successful health checks")))),
		failure: metric.Register(to, prometheus.NewCounter(prometheus.CounterOpts(
			named("health_failures", "The total number of failed health checks")))),
		last: metric.Register(to, prometheus.NewGaugeVec(prometheus.GaugeOpts(
			named("healthcheck", "The result of each kind of healthcheck.")), []string{"type", "name"})),
		all: metric.Register(to, prometheus.NewCounterVec(prometheus.CounterOpts(
			named("healthchecks_total", "The total number of each kind of healthcheck.")), []string{"type", "name", "status"})),
	}
}

func (m *healthMetrics) checked(kind, name string, well bool) {
	status, value := "error", 0.0
	if well {
		status, value = "success", 1
	}
	m.last.WithLabelValues(kind, name).Set(value)
	m.all.WithLabelValues(kind, name, status).Inc()
}
