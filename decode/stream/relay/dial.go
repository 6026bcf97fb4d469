package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// ErrNoWord is what Relay.TellRefused tells of a member that ended a connection before it had said anything. An etcd
// does so if the certificate that it was shown is not for the address that it was dialled from.
var ErrNoWord = errors.New("it ended the connection without a word")

// dial connects to where a route leads. In TLS, what is spoken on it is what
// who dialled the relay wants to speak.
func (r *Relay) dial(ctx context.Context, in net.Conn, route Route) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	protocols, err := agreed(ctx, in)
	if err != nil {
		return nil, err
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", route.To)
	if err != nil || route.TLS == nil {
		return raw, err
	}
	config := route.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(route.To) // it was dialled
	}
	config.NextProtos = protocols
	out := tls.Client(raw, config)
	if err := out.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // nothing was said on it
		if ofTLS(err) {
			r.refused(route.To, err)
		}
		return nil, err
	}
	return out, nil
}

// agreed returns the protocol that was agreed upon with who dialled the relay, if any was.
func agreed(ctx context.Context, in net.Conn) ([]string, error) {
	t, ok := in.(*tls.Conn)
	if !ok {
		return nil, nil
	}
	if err := t.HandshakeContext(ctx); err != nil { // which the listener may have done
		return nil, err
	}
	if p := t.ConnectionState().NegotiatedProtocol; p != "" {
		return []string{p}, nil
	}
	return nil, nil
}

// ofTLS tells what TLS has against the other side from a connection that broke off, as when a member stops.
func ofTLS(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op == "remote error" || op.Op == "local error"
	}
	return !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled)
}

// judgeEnd tells if the member behind ended a connection since it didn't take the relay's certificate. In TLS 1.3
// it looks at that after the relay has done its part of the handshake.
func (r *Relay) judgeEnd(to string, read int64, err error) {
	switch op, ok := errors.AsType[*net.OpError](err); {
	case ok && op.Op == "remote error":
		r.refused(to, err)
	case read == 0 && errors.Is(err, io.EOF):
		r.refused(to, ErrNoWord)
	}
}
