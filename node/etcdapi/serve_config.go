package etcdapi

import (
	"io"
	"log/slog"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
)

// ServeConfig says where and how a member's clients are served.
type ServeConfig struct {
	ClientURLs  []string // where gRPC is served, and HTTP too unless HTTPURLs are given
	HTTPURLs    []string // where HTTP alone is served
	MetricsURLs []string // where /metrics and the health checks are served besides

	TLS    transport.TLSInfo // of https and unixs; its files are read again for each connection
	KeyLog io.Writer         // of the secrets of TLS sessions, as that of node.Config; nil: they are secret
	API    Options           // its TLS is not used: see TLS

	CORS      []string // origins that web pages may call from, "*" for all; nil: all
	Hosts     []string // hosts that plain HTTP requests may name, "*" for all; nil: all
	NoGateway bool     // no JSON is served below /v3/
	Profiles  bool     // profiles are served below /debug/pprof/

	SlowRequest time.Duration // requests that take longer are logged; 0: none

	Logger *slog.Logger // nil: nothing is logged
}

// log returns a logger in any case.
func (c *ServeConfig) log() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
