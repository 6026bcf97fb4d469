package msgcmd

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/relay"
)

// relays is the source that stands between members.
type relays struct {
	routes   []relay.Route
	protocol stream.Protocol
	relay    *relay.Relay
}

func (o *recordOptions) hearRelays(*ui.App) (heardSource, error) {
	s := &relays{protocol: stream.Protocol(o.protocol)}
	for i, at := range o.listen {
		l, err := net.Listen("tcp", at)
		if err != nil {
			_ = s.close() // of what nobody has used
			return nil, err
		}
		s.routes = append(s.routes, relay.Route{Listener: l, To: o.to[i]})
	}
	return s, nil
}

func (s *relays) run(ctx context.Context, emit func(*stream.Event) bool) error {
	s.relay = relay.New("relay", emit)
	s.relay.UseProtocol(s.protocol)
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
	return strings.Join(list, ", and ")
}

func (s *relays) conns() string {
	passed, failed := s.relay.Conns()
	text := " on " + counted(int64(passed), "connection")
	if failed > 0 {
		text += fmt.Sprintf("; %d more found nobody to be passed on to", failed)
	}
	return text
}
