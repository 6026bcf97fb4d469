package peer

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
)

// newClients returns what dials streams, and what does everything else. A stream is given up when
// nothing moves on it; the others have their own limits, as a request may take long to be answered.
func newClients(c *Config) (streams, others *http.Transport, err error) {
	if streams, err = newClient(c); err != nil {
		return nil, nil, err
	}
	if others, err = newClient(c); err != nil {
		return nil, nil, err
	}
	streams.MaxIdleConnsPerHost = -1 // as both ends give up what is idle
	dial := streams.DialContext
	streams.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return idleConn{Conn: conn, idle: c.times.idle}, nil
	}
	others.MaxIdleConnsPerHost = 1024
	// The other end closes what is idle that long; who is earlier never sends into a closed connection.
	others.IdleConnTimeout = c.times.idle * 4 / 5
	return streams, others, nil
}

func newClient(c *Config) (*http.Transport, error) {
	t, err := transport.NewTransport(c.TLS, c.dialTimeout())
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig.KeyLogWriter = c.KeyLog
	// Members offer HTTP/2 in a TLS handshake but don't speak it.
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	t.DisableCompression = true
	t.ReadBufferSize, t.WriteBufferSize = 64<<10, 64<<10
	return t, nil
}

// idleConn fails a read or a write that takes too long.
type idleConn struct {
	net.Conn
	idle time.Duration
}

func (c idleConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c idleConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
