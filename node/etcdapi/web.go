package etcdapi

import (
	"expvar"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/auth"

	"github.com/raftctl/raftctl/node"
)

// web is what is served over HTTP beside the gateway.
type web struct {
	node    *node.Node
	config  *ServeConfig
	kv      pb.KVServer
	metrics *healthMetrics
}

func newWeb(n *node.Node, c *ServeConfig) *web {
	return &web{
		node: n, config: c, kv: newKVServer(newService(n, c.API)), metrics: newHealthMetrics(c.API.Metrics),
	}
}

// metricsMux serves what is served on the ports of metrics.
func (w *web) metricsMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/metrics", metricsHandler(w.config.API.Metrics))
	w.handleHealth(mux)
	return mux
}

// metricsHandler serves the metrics of a registry, and counts how often; nil: those of the process.
func metricsHandler(r prometheus.Registerer) http.Handler {
	if g, ok := r.(prometheus.Gatherer); ok {
		return promhttp.InstrumentMetricHandler(r, promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
	}
	return promhttp.Handler()
}

// handler serves what is served on the ports of clients. The gateway may be nil.
func (w *web) handler(g *gateway) http.Handler {
	mux := w.metricsMux()
	mux.HandleFunc("/version", w.node.ServeVersion)
	mux.HandleFunc("/debug/vars", onlyGet(serveVars))
	if w.config.Profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	if g != nil {
		mux.Handle("/v3/", g)
	}
	return &gate{
		next: mux, auth: func() auth.AuthStore { return w.node.Store().Auth() },
		hosts: newAllowed(w.config.Hosts), origins: newAllowed(w.config.CORS),
		certificates: w.config.TLS.ClientCertAuth && g != nil, log: w.config.log(),
	}
}

// onlyGet refuses other methods, in etcd's words.
func onlyGet(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		h(w, r)
	}
}

// serveVars serves the variables that packages of the process publish, as package expvar does.
func serveVars(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fmt.Fprint(w, "{\n")
	separator := ""
	expvar.Do(func(v expvar.KeyValue) {
		fmt.Fprintf(w, "%s%q: %s", separator, v.Key, v.Value)
		separator = ",\n"
	})
	fmt.Fprint(w, "\n}\n")
}
