package node

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/raftctl/raftctl/node/peer"
)

// headTime bounds how long a member that connects may take to say what it wants.
const headTime = 5 * time.Second

// listenPeers opens the peers' ports.
func (n *Node) listenPeers() error {
	if n.cfg.machine.Network != nil {
		return nil
	}
	urls, err := types.NewURLs(n.cfg.ListenPeerURLs)
	if err != nil {
		return fmt.Errorf("peer URLs to listen on: %w", err)
	}
	info := n.cfg.PeerTLS
	if info.HandshakeFailure == nil {
		info.HandshakeFailure = n.rejectPeer
	}
	for _, u := range urls {
		l, err := peer.Listen(&u, &info, n.cfg.KeyLog)
		if err != nil {
			return fmt.Errorf("listen for peers on %s: %w", u.String(), err)
		}
		n.listeners = append(n.listeners, l)
	}
	return nil
}

// rejectPeer logs, in etcd's words, why a TLS connection to a peers' port is not served. One that says nothing is
// no news.
func (n *Node) rejectPeer(c *tls.Conn, err error) {
	if errors.Is(err, io.EOF) {
		return
	}
	n.log.Warn("rejected connection on peer endpoint", "remote-addr", c.RemoteAddr().String(),
		"server-name", c.ConnectionState().ServerName, "error", err)
}

// startPeers makes the transport, and has it talk to the members that there are.
func (n *Node) startPeers() error {
	var err error
	n.transport, err = n.newTransport(peer.Config{
		ID: n.standing.id, ClusterID: n.cluster, Version: n.Version, Flavor: n.cfg.flavor(),
		URLs: func() []string { return n.cfg.AdvertisePeerURLs },
		TLS:  n.cfg.PeerTLS, KeyLog: n.cfg.KeyLog,
		ElectionTimeout: n.cfg.ElectionTimeout,
		Handler:         handler{n}, Logger: n.log, Metrics: n.cfg.Metrics, Tap: n.recorder.tap(),
	})
	if err != nil {
		return err
	}
	for _, m := range n.strangers {
		n.transport.AddRemote(uint64(m.ID), m.PeerURLs)
	}
	return n.resetPeers()
}

// newTransport returns a transport on the machine's network.
func (n *Node) newTransport(c peer.Config) (peer.Transport, error) {
	if net := n.cfg.machine.Network; net != nil {
		return net.Transport(c)
	}
	return peer.New(c)
}

// newClient returns a client for requests to members, for who has no transport yet.
func (n *Node) newClient() (*http.Client, error) {
	if net := n.cfg.machine.Network; net != nil {
		return net.Client(), nil
	}
	return peer.NewClient(n.cfg.PeerTLS, n.cfg.KeyLog, n.cfg.ElectionTimeout)
}

// servePeers answers other members until the member stops.
func (n *Node) servePeers() {
	s := &http.Server{Handler: n.PeerHandler(), ReadHeaderTimeout: headTime}
	for _, l := range n.listeners {
		n.running.Go(func() {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				n.fail(fmt.Errorf("peers on %s: %w", l.Addr(), err))
			}
		})
	}
	<-n.ctx.Done()
	_ = s.Close() // peers come again
	n.transport.Stop()
}
