package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/raftctl/raftctl/node"
)

// Server serves a member's clients.
type Server struct {
	config ServeConfig
	ports  []*port

	grpcConns, httpConns, metricsConns *handedOver

	grpc          *grpc.Server
	http, metrics *http.Server
	gateway       *gateway

	stopping chan struct{}
	stop     sync.Once
	working  sync.WaitGroup
	greeting sync.Map // connections that haven't shown yet what they speak
	failed   chan error
}

// Listen opens the ports on which a member's clients are to be served. Nobody is answered before Serve.
func Listen(c ServeConfig) (*Server, error) {
	ports, err := openPorts(&c)
	if err != nil {
		return nil, err
	}
	if len(ports) == 0 {
		return nil, errors.New("no URL to serve clients on")
	}
	addr := ports[0].Addr()
	return &Server{
		config: c, ports: ports, stopping: make(chan struct{}), failed: make(chan error, 1),
		grpcConns: newHandedOver(addr), httpConns: newHandedOver(addr), metricsConns: newHandedOver(addr),
	}, nil
}

// headerTimeout bounds how long the head of an HTTP request may take.
const headerTimeout = 5 * time.Minute

// ErrNodeStopped is returned when a member stops before it was ready to serve.
var ErrNodeStopped = errors.New("the member stopped before it was ready")

// Serve serves a member until Stop. Where metrics have ports of their own, these are served at once; clients
// are served as soon as the member is ready. It returns when it serves clients, or can't.
func (s *Server) Serve(ctx context.Context, n *node.Node) error {
	s.grpc = NewServer(n, s.config.API, grpc.Creds(greeted{}),
		grpc.ChainUnaryInterceptor(s.logSlow, s.cutCall), grpc.ChainStreamInterceptor(s.cutStream))
	web := newWeb(n, &s.config)
	s.metrics = s.newHTTP(web.metricsMux())
	s.start(s.metricsConns, s.metrics.Serve)
	s.acceptOn(func(p *port) bool { return p.metricsAlone })
	select {
	case <-n.Ready():
	case <-n.Stopping():
		return ErrNodeStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var err error
	if !s.config.NoGateway {
		if s.gateway, err = newGateway(s.grpcConns); err != nil {
			return err
		}
	}
	s.http = s.newHTTP(s.orGRPC(web.handler(s.gateway)))
	s.start(s.grpcConns, s.grpc.Serve)
	s.start(s.httpConns, s.http.Serve)
	s.config.log().Info("ready to serve client requests")
	s.acceptOn(func(p *port) bool { return !p.metricsAlone })
	return nil
}

func (s *Server) newHTTP(h http.Handler) *http.Server {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ErrorLog: stdlog.New(io.Discard, "", 0),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: int(min(s.config.API.MaxConcurrentStreams, 1<<31-1))},
	}
	return server
}

// orGRPC hands gRPC on that comes to the HTTP server, from clients that offer HTTP/1.1 too.
func (s *Server) orGRPC(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && isGRPC(r.Header.Get("Content-Type")) {
			s.grpc.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// start runs a server on connections that are handed over.
func (s *Server) start(l net.Listener, serve func(net.Listener) error) {
	s.working.Go(func() {
		err := serve(l)
		if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.fail(err)
		}
	})
}

// acceptOn takes connections on some of the ports.
func (s *Server) acceptOn(which func(*port) bool) {
	for _, p := range s.ports {
		if !which(p) {
			continue
		}
		s.working.Go(func() {
			if err := s.accept(p); err != nil {
				s.fail(fmt.Errorf("%s: %w", p.urls[0], err))
			}
		})
		s.config.log().Info("serving client traffic", "address", p.Addr().String(), "urls", p.urls,
			"grpc", p.grpc, "http", p.http)
	}
}

// acceptPause is how long nothing is accepted when there are too many open files.
const acceptPause = 10 * time.Millisecond

// accept takes connections on a port until it is closed.
func (s *Server) accept(p *port) error {
	for {
		c, err := p.Accept()
		if err == nil {
			s.working.Go(func() { s.take(p, c) })
			continue
		}
		select {
		case <-s.stopping:
			return nil
		case <-time.After(acceptPause):
		}
		if temporary, ok := errors.AsType[net.Error](err); !ok || errors.Is(err, net.ErrClosed) || !isTemporary(temporary) {
			return err
		}
	}
}

// isTemporary reports whether accepting may work again later, as it does when there are too many open files.
func isTemporary(err net.Error) bool {
	t, ok := err.(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// take hands a new connection to the server of what it speaks.
func (s *Server) take(p *port, raw net.Conn) {
	s.greeting.Store(raw, nil)
	defer s.greeting.Delete(raw)
	select {
	case <-s.stopping: // perhaps nobody closes it but us
		_ = raw.Close()
	default:
	}
	c, speaks, err := p.greet(raw)
	if err != nil {
		s.reject(p, raw, c, err)
		_ = raw.Close() // the client learns no more
		return
	}
	switch {
	case p.metricsAlone:
		s.metricsConns.give(c)
	case speaks == speaksGRPC:
		s.grpcConns.give(c)
	default:
		s.httpConns.give(c)
	}
}

// fail tells of what keeps clients from being served.
func (s *Server) fail(err error) {
	select {
	case s.failed <- err:
	default: // one reason is enough
	}
}

// Failed yields what ended the serving of clients by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// URLs returns where clients are served, with the ports that were chosen where port 0 was asked for.
func (s *Server) URLs() []string {
	var all []string
	for _, p := range s.ports {
		if !p.metricsAlone {
			all = append(all, p.urls...)
		}
	}
	return all
}
