package etcdapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
)

// Stop takes no more connections, lets requests end that are under way until ctx ends, and returns when
// nothing of the server runs any more. It may be called at any time, and more than once.
func (s *Server) Stop(ctx context.Context) error {
	var errs []error
	s.stop.Do(func() {
		close(s.stopping)
		for _, p := range s.ports {
			errs = append(errs, p.Close())
		}
		s.greeting.Range(func(c, _ any) bool {
			errs = append(errs, c.(net.Conn).Close())
			return true
		})
		if s.http != nil {
			errs = append(errs, s.http.Shutdown(ctx))
		}
		if s.gateway != nil {
			errs = append(errs, s.gateway.close())
		}
		s.stopGRPC(ctx)
		if s.metrics != nil {
			errs = append(errs, s.metrics.Shutdown(ctx))
		}
		for _, l := range []*handedOver{s.grpcConns, s.httpConns, s.metricsConns} {
			errs = append(errs, l.Close())
		}
	})
	s.working.Wait()
	return withoutClosed(errs)
}

// stopGRPC ends the calls that are under way, by force when ctx ends.
func (s *Server) stopGRPC(ctx context.Context) {
	if s.grpc == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
	}
}

// withoutClosed joins errors, but for those that say that something was closed or took too long.
func withoutClosed(errs []error) error {
	var kept []error
	for _, err := range errs {
		if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, context.DeadlineExceeded) &&
			!errors.Is(err, context.Canceled) {
			kept = append(kept, err)
		}
	}
	return errors.Join(kept...)
}

// reject logs why a connection is not served. One that says nothing is no news.
func (s *Server) reject(p *port, raw, c net.Conn, err error) {
	level := slog.LevelWarn
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{slog.String("remote-addr", raw.RemoteAddr().String()), slog.String("url", p.urls[0])}
	if t, ok := c.(*tls.Conn); ok {
		attrs = append(attrs, slog.String("server-name", t.ConnectionState().ServerName))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	s.config.log().LogAttrs(context.Background(), level, "rejected connection on client endpoint", attrs...)
}
