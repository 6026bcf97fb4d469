package etcdapi

import (
	"crypto/tls"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options describe how the API is served. The zero value serves without TLS, with etcd's limits.
type Options struct {
	TLS *tls.Config // nil: in plain text

	MaxConcurrentStreams uint32        // of a connection; 0: no limit
	KeepAliveMinTime     time.Duration // between the pings of a client; 0 stands for 5 s, below 0 all are taken
	KeepAliveInterval    time.Duration // after which a silent client is pinged; 0 stands for 2 h, below 0 never
	KeepAliveTimeout     time.Duration // within which it must answer; 0 stands for 20 s, below 0 never pinged

	// ProgressInterval is after how long a watch that asked for it is told that nothing has happened; 0
	// stands for 10 minutes.
	ProgressInterval time.Duration

	StopOnDefrag bool // the health service says "not serving" while the database is defragmented

	// Metrics is where the counters of requests are registered; nil: nowhere. Those of all servers with the
	// same registerer are the same.
	Metrics        prometheus.Registerer
	TimeHistograms bool // of each method: etcd's "extensive" metrics
}

// etcd's defaults.
const (
	defaultKeepAliveMinTime  = 5 * time.Second
	defaultKeepAliveInterval = 2 * time.Hour
	defaultKeepAliveTimeout  = 20 * time.Second
	defaultProgressInterval  = 10 * time.Minute
)

func (o Options) withDefaults() Options {
	orDefault(&o.KeepAliveMinTime, defaultKeepAliveMinTime)
	orDefault(&o.KeepAliveInterval, defaultKeepAliveInterval)
	orDefault(&o.KeepAliveTimeout, defaultKeepAliveTimeout)
	orDefault(&o.ProgressInterval, defaultProgressInterval)
	return o
}

func orDefault(d *time.Duration, otherwise time.Duration) {
	if *d == 0 {
		*d = otherwise
	}
}
