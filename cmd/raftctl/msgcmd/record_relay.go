package msgcmd

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/relay"
)

// relays is the source that stands between members.
type relays struct {
	routes   []relay.Route
	protocol stream.Protocol
	relay    *relay.Relay
	refused  *refusals // nil: members speak plain text
}

func (o *recordOptions) hearRelays(a *ui.App) (heardSource, error) {
	s := &relays{protocol: stream.Protocol(o.protocol)}
	listen := func(at string) (net.Listener, error) { return net.Listen("tcp", at) }
	var dial *tls.Config
	if o.tls.given != "" {
		s.refused = &refusals{a: a, tls: &o.tls}
		info, config, err := o.tls.open(a)
		if err != nil {
			return nil, err
		}
		info.HandshakeFailure = s.refused.listening
		listen = func(at string) (net.Listener, error) { return transport.NewListener(at, "https", &info) }
		dial = config
	}
	for i, at := range o.listen {
		l, err := listen(at)
		if err != nil {
			_ = s.close() // of what nobody has used
			return nil, err
		}
		s.routes = append(s.routes, relay.Route{Listener: l, To: o.to[i], TLS: dial})
	}
	return s, nil
}

func (s *relays) run(ctx context.Context, emit func(*stream.Event) bool) error {
	s.relay = relay.New("relay", emit)
	s.relay.UseProtocol(s.protocol)
	if s.refused != nil {
		s.relay.TellRefused(s.refused.dialled)
	}
	return s.relay.Run(ctx, s.routes)
}

func (s *relays) close() (err error) {
	for _, r := range s.routes {
		if failed := r.Listener.Close(); err == nil {
			err = failed
		}
	}
	return err
}

// String names the routes, with the ports that were chosen.
func (s *relays) String() string {
	var list []string
	for _, r := range s.routes {
		list = append(list, fmt.Sprintf("what %v passes on to %s", r.Listener.Addr(), ui.Printable(r.To)))
	}
	text := strings.Join(list, ", and ")
	if s.refused != nil {
		text += ", in TLS"
	}
	return text
}

func (s *relays) conns() string {
	passed, failed := s.relay.Conns()
	text := " on " + counted(int64(passed), "connection")
	if failed > 0 {
		text += fmt.Sprintf("; %d more could not be passed on", failed)
	}
	if s.refused != nil && s.refused.count() > 0 {
		text += fmt.Sprintf("; TLS failed %s", counted(int64(s.refused.count()), "time"))
	}
	return text
}
