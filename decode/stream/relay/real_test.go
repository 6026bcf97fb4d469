package relay_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/relay"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
)

// Real etcds talk through relays, one stops and comes back, and each key that was put is heard on its way to both
// followers.
func TestRealEtcd(t *testing.T) {
	t.Run("plain", func(t *testing.T) { testRealEtcd(t, nil) })
	t.Run("TLS", func(t *testing.T) { testRealEtcd(t, etcdtest.NewCerts(t)) })
}

// relayed puts a relay before each member, whose URLs are the relays' from then on. Without certificates all is plain.
func relayed(t *testing.T, peers []etcdtest.Peer, certs *etcdtest.Certs) (routes []relay.Route) {
	t.Helper()
	for i := range peers {
		to := strings.TrimPrefix(peers[i].URL, "http://")
		if certs == nil {
			l := listen(t)
			routes = append(routes, relay.Route{Listener: l, To: to})
			peers[i].URL = "http://" + l.Addr().String()
			continue
		}
		l, err := transport.NewListener("127.0.0.1:0", "https", members(certs))
		check(t, err)
		dial, err := members(certs).ClientConfig()
		check(t, err)
		routes = append(routes, relay.Route{Listener: l, To: to, TLS: dial})
		peers[i].URL = "https://" + l.Addr().String()
	}
	return routes
}

func testRealEtcd(t *testing.T, certs *etcdtest.Certs) {
	peers := etcdtest.Peers(t, 3)
	routes := relayed(t, peers, certs)
	scheme, flags := "http://", etcdtest.Quick
	if certs != nil {
		scheme, flags = "https://", append(certs.PeerFlags(), flags...)
	}
	var names stream.Names
	heard, odd := map[string]map[uint64]bool{}, 0
	var request decode.Request
	r := relay.New("relay", func(e *stream.Event) bool {
		names.Learn(e)
		if e.Kind != stream.KindMessage || e.Message.Type != raftpb.MsgApp {
			return true
		}
		if e.From == 0 || e.To == 0 {
			odd++
		}
		for i := range e.Message.Entries {
			if decode.Payload(&request, &e.Message.Entries[i]) == nil && request.Op == "put" {
				key := string(request.Key)
				if heard[key] == nil {
					heard[key] = map[uint64]bool{}
				}
				heard[key][e.To] = true
			}
		}
		return true
	})
	r.TellRefused(func(to string, err error) {
		if !errors.Is(err, relay.ErrNoWord) { // as one that stops may end it
			t.Errorf("%s: %v", to, err)
		}
	})
	stop := run(t, r, routes...)

	var servers []*etcdtest.Server
	var dirs []string
	args := func(i int) []string {
		return append([]string{
			"--name", peers[i].Name, "--listen-peer-urls", scheme + routes[i].To, "--initial-advertise-peer-urls", peers[i].URL,
			"--initial-cluster", etcdtest.InitialCluster(peers),
		}, flags...)
	}
	for i := range peers {
		dirs = append(dirs, t.TempDir())
		servers = append(servers, etcdtest.Launch(t, "3.6", dirs[i], args(i)...))
	}
	healthy(t, servers...)
	for i := range 10 {
		servers[i%3].Ctl("put", fmt.Sprint("key", i), "value")
	}
	servers[2].Stop() // hands leadership over if it leads
	servers[0].Ctl("put", "without", "one")
	servers[2] = etcdtest.Launch(t, "3.6", dirs[2], args(2)...)
	healthy(t, servers[2])
	servers[2].Ctl("get", "without") // linearizable: it has caught up
	for _, s := range servers {
		s.Kill()
	}
	stop()
	for i := range 10 {
		if key := fmt.Sprint("key", i); len(heard[key]) != 2 {
			t.Errorf("%s went to %d followers, want 2", key, len(heard[key]))
		}
	}
	if len(heard["without"]) != 2 || odd > 0 {
		t.Errorf("what a member missed went to %d followers; %d messages between nobody", len(heard["without"]), odd)
	}
	for _, p := range peers {
		if _, ok := names.ByName(p.Name); !ok {
			t.Errorf("nobody is called %s", p.Name)
		}
	}
}

func healthy(t *testing.T, servers ...*etcdtest.Server) {
	t.Helper()
	for _, s := range servers {
		if err := s.WaitHealthy(); err != nil {
			t.Fatalf("%v\n%s", err, s.Log())
		}
	}
}
