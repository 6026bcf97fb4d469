package etcdapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// greetingTimeout bounds how long a new connection may take to show what it speaks, TLS handshake included.
const greetingTimeout = 10 * time.Second

// spoken is what a connection speaks.
type spoken int

const (
	speaksHTTP spoken = iota
	speaksGRPC
)

// greet finds out what a new connection speaks, and takes it through the TLS handshake.
//
// Plain connections show it by their first bytes: TLS begins with a byte of its own, and HTTP/2 with "PRI ". In
// TLS, a client that offers nothing but HTTP/2 is one of gRPC. One that offers HTTP/1.1 too is a browser, curl
// or the like, and gets a server that hands gRPC on, if it is that after all.
func (p *port) greet(raw net.Conn) (net.Conn, spoken, error) {
	if err := raw.SetDeadline(time.Now().Add(greetingTimeout)); err != nil {
		return nil, 0, err
	}
	c := &greetedConn{Conn: raw}
	if _, err := io.ReadFull(raw, c.first[:]); err != nil {
		return nil, 0, err
	}
	c.unread = c.first[:]
	const handshakeRecord = 22
	if c.first[0] == handshakeRecord || !p.plain { // whose handshake fails, and says why
		return p.greetTLS(c)
	}
	speaks := speaksHTTP
	if string(c.first[:]) == "PRI " {
		speaks = speaksGRPC
	}
	if !p.grpc {
		speaks = speaksHTTP
	} else if speaks == speaksHTTP && !p.http {
		return nil, 0, errors.New("HTTP/1, and only gRPC is served here")
	}
	return c, speaks, raw.SetDeadline(time.Time{})
}

func (p *port) greetTLS(c *greetedConn) (net.Conn, spoken, error) {
	if !p.tls {
		return nil, 0, errors.New("TLS, and none is served here")
	}
	offersHTTP1 := false
	config := p.tlsConfig.Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offersHTTP1 = slices.Contains(hello.SupportedProtos, "http/1.1")
		return nil, nil
	}
	conn := tls.Server(c, config)
	if err := conn.HandshakeContext(context.Background()); err != nil {
		return conn, 0, err
	}
	if p.revoked != nil {
		if err := p.revoked(conn.ConnectionState()); err != nil {
			return conn, 0, err
		}
	}
	speaks := speaksHTTP
	if conn.ConnectionState().NegotiatedProtocol == "h2" && p.grpc && (!offersHTTP1 || !p.http) {
		speaks = speaksGRPC
	} else if !p.http {
		return conn, 0, errors.New("HTTP/1, and only gRPC is served here")
	}
	return conn, speaks, conn.SetDeadline(time.Time{})
}

// greetedConn is a connection whose first bytes were looked at.
type greetedConn struct {
	net.Conn
	first  [4]byte
	unread []byte
}

// Read implements net.Conn.
func (c *greetedConn) Read(b []byte) (int, error) {
	if len(c.unread) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// handedOver is a listener of connections that were accepted elsewhere.
type handedOver struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	addr   net.Addr
}

func newHandedOver(addr net.Addr) *handedOver {
	return &handedOver{conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr}
}

// give hands a connection over. It is closed if nobody takes it any more.
func (h *handedOver) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close() // nothing was said on it
	}
}

// Accept implements net.Listener.
func (h *handedOver) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handedOver) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handedOver) Addr() net.Addr { return h.addr }

// greeted are the credentials of connections that went through the TLS handshake already, or are plain.
type greeted struct{}

// ServerHandshake implements credentials.TransportCredentials.
func (greeted) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	t, ok := c.(*tls.Conn)
	if !ok {
		return c, plainInfo{credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}}, nil
	}
	return c, credentials.TLSInfo{
		State:          t.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

// ClientHandshake implements credentials.TransportCredentials. These are a server's.
func (greeted) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("credentials of a server")
}

// Info implements credentials.TransportCredentials.
func (greeted) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials.
func (g greeted) Clone() credentials.TransportCredentials { return g }

// OverrideServerName implements credentials.TransportCredentials.
func (greeted) OverrideServerName(string) error { return nil }

// plainInfo says that a connection is plain.
type plainInfo struct{ credentials.CommonAuthInfo }

// AuthType implements credentials.AuthInfo.
func (plainInfo) AuthType() string { return "plain" }
