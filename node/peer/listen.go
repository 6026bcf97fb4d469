package peer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
)

// handshakeTimeout bounds how long a connection may take through the TLS handshake. It is etcd's.
const handshakeTimeout = 10 * time.Second

// Listen opens a port for other members. Where the URL is one of https, connections have the TLS handshake behind them
// when they are accepted: info says what they have to show, and is told of those that are refused. It asks
// what etcd's listener asks, which has no place for a key log: the secrets of sessions go there, unless it is nil.
func Listen(u *url.URL, info *transport.TLSInfo, keyLog io.Writer) (net.Listener, error) {
	address := u.Host
	if u.Scheme == "unix" || u.Scheme == "unixs" {
		address += u.Path
	}
	plain, err := transport.NewListenerWithOpts(address, u.Scheme, transport.WithSkipTLSInfoCheck(true))
	if err != nil || u.Scheme != "https" {
		return plain, err
	}
	config, err := info.ServerConfig()
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	config.KeyLogWriter = keyLog
	l := &secureListener{
		Listener: plain, config: config, anyHost: info.SkipClientSANVerify, refused: info.HandshakeFailure,
		accepted: make(chan accepted),
	}
	info.ConfigureCRLVerification(&l.revoked)
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.running.Go(l.run)
	return l, nil
}

// secureListener takes connections through the TLS handshake, all at once, so that none waits for one that hangs.
type secureListener struct {
	net.Listener // of connections as they come
	config       *tls.Config
	anyHost      bool                   // certificates may be for other hosts than they come from
	revoked      tls.Config             // its VerifyConnection refuses certificates that were revoked; nil: none were
	refused      func(*tls.Conn, error) // nil: nobody is told
	accepted     chan accepted

	ctx     context.Context // until it is closed
	stop    context.CancelFunc
	running sync.WaitGroup
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// Accept implements net.Listener.
func (l *secureListener) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Connections that are in a handshake are closed too.
func (l *secureListener) Close() error {
	l.stop()
	err := l.Listener.Close()
	l.running.Wait()
	return err
}

// run takes connections until it is closed. That one can't be accepted is left to who accepts here: he knows when to
// try again.
func (l *secureListener) run() {
	for l.ctx.Err() == nil {
		raw, err := l.Listener.Accept()
		if err != nil {
			l.give(accepted{err: err})
			continue
		}
		l.running.Go(func() { l.greet(tls.Server(raw, l.config)) })
	}
}

func (l *secureListener) greet(c *tls.Conn) {
	err := l.check(c)
	if err == nil && l.give(accepted{conn: c}) {
		return
	}
	if err != nil && l.refused != nil && l.ctx.Err() == nil {
		l.refused(c, err)
	}
	_ = c.Close() // the other side learns no more
}

// give hands something to who accepts; ok is false if nobody will.
func (l *secureListener) give(a accepted) (ok bool) {
	select {
	case l.accepted <- a:
		return true
	case <-l.ctx.Done():
		return false
	}
}

func (l *secureListener) check(c *tls.Conn) error {
	if err := c.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	if err := c.HandshakeContext(l.ctx); err != nil {
		return err
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return err
	}
	state := c.ConnectionState()
	if !l.anyHost && len(state.PeerCertificates) > 0 {
		if err := checkHost(l.ctx, state.PeerCertificates[0], c.RemoteAddr()); err != nil {
			return err
		}
	}
	if l.revoked.VerifyConnection == nil {
		return nil
	}
	return l.revoked.VerifyConnection(state) // as etcd, after the handshake: who is revoked isn't told so
}

// checkHost checks that a certificate is for the host that it comes from, as etcd does: for its address, or for a name
// that belongs to it. One without addresses and names is for any host.
func checkHost(ctx context.Context, cert *x509.Certificate, from net.Addr) error {
	host, _, err := net.SplitHostPort(from.String())
	if err != nil {
		return err
	}
	if len(cert.IPAddresses) > 0 {
		if err := cert.VerifyHostname(host); err == nil || len(cert.DNSNames) == 0 {
			return err
		}
	}
	if len(cert.DNSNames) == 0 {
		return nil
	}
	ok, err := belongs(ctx, host, cert.DNSNames)
	switch {
	case ok:
		return nil
	case err != nil:
		return fmt.Errorf("tls: %q does not match any of DNSNames %q (%w)", host, cert.DNSNames, err)
	}
	return fmt.Errorf("tls: %q does not match any of DNSNames %q", host, cert.DNSNames)
}

// belongs reports whether an address has one of the names, or one of them leads to it. The error is that of the last
// name that could not be looked up.
func belongs(ctx context.Context, address string, names []string) (ok bool, err error) {
	found, err := net.DefaultResolver.LookupAddr(ctx, address)
	for _, has := range found {
		if slices.ContainsFunc(names, func(name string) bool { return covers(name, strings.TrimSuffix(has, ".")) }) {
			return true, nil
		}
	}
	for _, name := range names {
		addresses, e := net.DefaultResolver.LookupHost(ctx, name)
		if slices.Contains(addresses, address) {
			return true, nil
		}
		if e != nil {
			err = e
		}
	}
	return false, err
}

// covers reports whether a name in a certificate is that of a host: the same, or *. and any end of it.
func covers(name, host string) bool {
	if strings.HasPrefix(name, "*.") {
		return strings.HasSuffix(host, name[1:])
	}
	return name == host
}
