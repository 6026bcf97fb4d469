package etcdapi

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/pkg/v3/runtime"
)

// port is an address that is listened on, and what is spoken there.
type port struct {
	net.Listener
	urls         []string
	plain, tls   bool // both is possible: a connection's first byte tells
	grpc, http   bool
	tlsConfig    *tls.Config
	revoked      func(tls.ConnectionState) error // refuses certificates after the handshake; nil: none
	metricsAlone bool                            // HTTP, with nothing but metrics and health checks
}

// ownFiles are the files that are kept free for the member itself; clients' connections take the others.
const ownFiles = 150

// openPorts opens the ports of a config. If one can't be opened, none is.
func openPorts(c *ServeConfig) (ports []*port, err error) {
	defer func() {
		if err != nil {
			for _, p := range ports {
				_ = p.Close() // nothing was accepted
			}
			ports = nil
		}
	}()
	for _, group := range []struct {
		urls []string
		kind port
	}{
		{c.ClientURLs, port{grpc: true, http: len(c.HTTPURLs) == 0}},
		{c.HTTPURLs, port{http: true}},
		{c.MetricsURLs, port{http: true, metricsAlone: true}},
	} {
		for _, u := range group.urls {
			if ports, err = addPort(ports, c, group.kind, u); err != nil {
				return ports, fmt.Errorf("%s: %w", u, err)
			}
		}
	}
	return ports, nil
}

// addPort opens the port of a URL, unless it is open already.
func addPort(ports []*port, c *ServeConfig, kind port, text string) ([]*port, error) {
	u, err := url.Parse(text)
	if err != nil {
		return ports, err
	}
	address := u.Host
	if u.Scheme == "unix" || u.Scheme == "unixs" {
		address += u.Path
	}
	secure := u.Scheme == "https" || u.Scheme == "unixs"
	p, err := portAt(ports, address, kind)
	if err != nil {
		return ports, err
	}
	if p == nil {
		p = &kind
		if p.Listener, err = listen(address, u.Scheme); err != nil {
			return ports, err
		}
		ports = append(ports, p)
	}
	p.urls = append(p.urls, text)
	if !secure {
		p.plain = true
		return ports, nil
	}
	p.tls = true
	if p.tlsConfig, err = serverTLS(&c.TLS, kind.metricsAlone); err != nil {
		return ports, err
	}
	p.tlsConfig.KeyLogWriter = c.KeyLog
	if p.http { // etcd's listener looks at what was revoked after the handshake, and gRPC's server within it
		p.revoked, p.tlsConfig.VerifyConnection = p.tlsConfig.VerifyConnection, nil
	}
	return ports, nil
}

// portAt returns the open port of an address, nil if there is none.
func portAt(ports []*port, address string, kind port) (*port, error) {
	if strings.HasSuffix(address, ":0") {
		return nil, nil // any port, and each time another one
	}
	for _, p := range ports {
		for _, text := range p.urls {
			u, err := url.Parse(text)
			if err != nil || u.Host+u.Path != address {
				continue
			}
			if p.grpc != kind.grpc || p.http != kind.http || p.metricsAlone != kind.metricsAlone {
				return nil, fmt.Errorf("clients, HTTP and metrics can't have the same address where they have URLs of their own")
			}
			return p, nil
		}
	}
	return nil, nil
}

func listen(address, scheme string) (net.Listener, error) {
	l, err := transport.NewListenerWithOpts(address, scheme, transport.WithSkipTLSInfoCheck(true))
	if err != nil {
		return nil, err
	}
	if limit, err := runtime.FDLimit(); err == nil && limit > ownFiles {
		l = transport.LimitListener(l, int(min(limit-ownFiles, 1<<20)))
	}
	return l, nil
}

// serverTLS returns the TLS config of a port. That there is no certificate is told in etcd's words.
func serverTLS(info *transport.TLSInfo, metrics bool) (*tls.Config, error) {
	switch {
	case info.Empty() && metrics:
		return nil, errors.New("client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url")
	case info.Empty():
		return nil, errors.New("TLS key/cert (--cert-file, --key-file) must be provided for client url with HTTPS scheme")
	}
	c, err := info.ServerConfig()
	if err != nil {
		return nil, err
	}
	info.ConfigureCRLVerification(c)
	c.NextProtos = []string{"h2", "http/1.1"}
	return c, nil
}
