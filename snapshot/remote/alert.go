package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc/credentials"
)

// alerting are the credentials of a TLS connection that tells why the server ended it. In TLS 1.3 the
// client is done with the handshake before the server looks at its certificate: a refusal is an alert
// that comes while the client already writes, and its write fails first.
type alerting struct {
	credentials.TransportCredentials
}

func newAlerting(t *tls.Config) alerting { return alerting{credentials.NewTLS(t)} }

// ClientHandshake implements credentials.TransportCredentials.
func (a alerting) ClientHandshake(
	ctx context.Context, authority string, raw net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := a.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	return alertConn{conn}, info, nil
}

// Clone implements credentials.TransportCredentials.
func (a alerting) Clone() credentials.TransportCredentials {
	return alerting{a.TransportCredentials.Clone()}
}

// alertConn is a TLS connection whose Write fails with the alert that the server sent, if it did.
type alertConn struct{ net.Conn }

// alertTimeout bounds how long an alert is waited for on a connection that is closed already.
const alertTimeout = time.Second

func (c alertConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == nil {
		return n, nil
	}
	_ = c.SetReadDeadline(time.Now().Add(alertTimeout)) // the connection ends in any case
	_, readErr := c.Read(make([]byte, 1))
	if alert, ok := errors.AsType[*net.OpError](readErr); ok && alert.Op == "remote error" {
		return n, alert
	}
	return n, err
}
