package relay_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/relay"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// between is a relay between two sides that speak TLS.
type between struct {
	behind  net.Listener // the member's
	front   net.Addr     // the relay's
	refused chan error   // what TellRefused told
}

// newBetween starts a relay. Each side has certificates of its own; the relay's are those of relays, which it also
// trusts.
func newBetween(t *testing.T, member, relays *transport.TLSInfo) *between {
	t.Helper()
	b := &between{refused: make(chan error, 10)}
	server, err := member.ServerConfig()
	check(t, err)
	b.behind = tls.NewListener(listen(t), server)
	server, err = relays.ServerConfig()
	check(t, err)
	client, err := relays.ClientConfig()
	check(t, err)
	front := listen(t)
	b.front = front.Addr()
	r := relay.New("relay", func(*stream.Event) bool { return true })
	r.TellRefused(func(to string, err error) {
		if to != b.behind.Addr().String() {
			t.Errorf("%s is refused, want %v", to, b.behind.Addr())
		}
		b.refused <- err
	})
	run(t, r, relay.Route{Listener: tls.NewListener(front, server), To: b.behind.Addr().String(), TLS: client})
	return b
}

func members(c *etcdtest.Certs) *transport.TLSInfo {
	return &transport.TLSInfo{CertFile: c.ServerCert, KeyFile: c.ServerKey, TrustedCAFile: c.CA, ClientCertAuth: true}
}

// dial dials the relay with what a member dials with.
func (b *between) dial(t *testing.T, info *transport.TLSInfo, protocols ...string) *tls.Conn {
	t.Helper()
	config, err := info.ClientConfig()
	check(t, err)
	config.NextProtos = protocols
	c, err := tls.Dial("tcp", b.front.String(), config)
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (b *between) accept(t *testing.T) *tls.Conn {
	t.Helper()
	c, err := b.behind.Accept()
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c.(*tls.Conn)
}

// What is said over TLS comes through both ways, with its end, and the protocol that was agreed upon.
func TestTLS(t *testing.T) {
	info := members(etcdtest.NewCerts(t))
	b := newBetween(t, info, info)
	for _, protocol := range []string{"", "h2"} {
		c := b.dial(t, info, strings.Fields(protocol)...)
		in := b.accept(t)
		bothWays(t, c, in)
		if got := in.ConnectionState().NegotiatedProtocol; got != protocol {
			t.Errorf("the member behind speaks %q, want %q", got, protocol)
		}
	}
	if len(b.refused) > 0 {
		t.Errorf("refused: %v", <-b.refused)
	}
}

// Why a member behind and the relay don't come to terms is told, whichever of them doesn't want to.
func TestTLSRefused(t *testing.T) {
	certs, strangers := etcdtest.NewCerts(t), etcdtest.NewCerts(t)
	only := func(version uint16) *transport.TLSInfo {
		info := members(certs)
		info.MaxVersion = version
		return info
	}
	stranger := members(certs) // trusts the cluster, and isn't trusted
	stranger.ClientCertFile, stranger.ClientKeyFile = strangers.ClientCert, strangers.ClientKey
	for _, tc := range []struct {
		name          string
		member, relay *transport.TLSInfo
		want          string
	}{
		{"a member of strangers", members(strangers), members(certs), "unknown authority"},
		{"a relay of strangers", only(tls.VersionTLS13), stranger, "remote error: tls: "},
		{"a relay of strangers in TLS 1.2", only(tls.VersionTLS12), stranger, "remote error: tls: "},
		{"a member that closes", members(certs), members(certs), relay.ErrNoWord.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBetween(t, tc.member, tc.relay)
			go func() {
				for {
					c, err := b.behind.Accept()
					if err != nil {
						return
					}
					_ = c.(*tls.Conn).Handshake() // what comes of it is the relay's to tell
					_ = c.Close()
				}
			}()
			c := b.dial(t, members(certs))
			_, _ = io.WriteString(c, "hello") // which may be too late
			if err := <-b.refused; !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
			if n, err := c.Read(make([]byte, 1)); err == nil {
				t.Errorf("%d bytes came from nobody", n)
			}
		})
	}
}

// Who dials and leaves without a word is no member that refuses.
func TestTLSNothingSaid(t *testing.T) {
	info := members(etcdtest.NewCerts(t))
	b := newBetween(t, info, info)
	c := b.dial(t, info)
	in := b.accept(t)
	check(t, c.Close())
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want %v", err, io.EOF)
	}
	check(t, in.Close())
	last := b.dial(t, info) // by then the first one is over
	_, err := io.WriteString(b.accept(t), "x")
	check(t, err)
	check(t, skip(last, 1))
	if len(b.refused) > 0 {
		t.Errorf("refused: %v", <-b.refused)
	}
}
