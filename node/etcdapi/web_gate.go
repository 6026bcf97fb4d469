package etcdapi

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/auth"
)

// gate is what each HTTP request of a client goes through first.
type gate struct {
	next           http.Handler
	auth           func() auth.AuthStore
	hosts, origins allowed
	certificates   bool // clients have certificates, and the gateway would not pass them on
	log            *slog.Logger
}

// allowed are the hosts or origins that are; nil: all.
type allowed map[string]bool

func newAllowed(names []string) allowed {
	if slices.Contains(names, "*") {
		return nil
	}
	var a allowed
	for _, name := range names {
		if a == nil {
			a = allowed{}
		}
		a[name] = true
	}
	return a
}

func (a allowed) has(name string) bool { return a == nil || a[name] }

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const earlier = "/v3beta/" // of etcd 3.3, which clients may still call
	if rest, ok := strings.CutPrefix(r.URL.Path, earlier); ok {
		r.URL.Path = "/v3/" + rest
	}
	if r.TLS == nil {
		if host := hostOf(r); !g.hosts.has(host) {
			g.log.Warn("rejecting HTTP request to prevent DNS rebinding attacks", "host", host)
			http.Error(w, unknownHost(host), http.StatusMisdirectedRequest)
			return
		}
	} else if g.losesUser(r) {
		http.Error(w, "CommonName of client sending a request against gateway will be ignored and not used as expected",
			http.StatusBadRequest)
		return
	}
	if origin := r.Header.Get("Origin"); g.origins == nil {
		allowOrigin(w, "*")
	} else if g.origins.has(origin) {
		allowOrigin(w, origin)
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusOK)
		return
	}
	g.next.ServeHTTP(w, r)
}

// hostOf returns the host that a request names, without the port.
func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		return r.Host
	}
	return host
}

// unknownHost is etcd's answer to a request for a host that isn't allowed: a web page could have the browser
// send it, through a name of its own that leads here (CVE-2018-5702).
func unknownHost(host string) string {
	return fmt.Sprintf(`
etcd received your request, but the Host header was unrecognized.

To fix this, choose one of the following options:
- Enable TLS, then any HTTPS request will be allowed.
- Add the hostname you want to use to the whitelist in settings.
  - e.g. etcd --host-whitelist %q

This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).
`, host)
}

// losesUser reports whether a request to the gateway comes with a certificate that names a user, which the
// gateway doesn't pass on.
func (g *gate) losesUser(r *http.Request) bool {
	if !g.certificates || !strings.HasPrefix(r.URL.Path, "/v3/") || !g.auth().IsAuthEnabled() {
		return false
	}
	for _, chain := range r.TLS.VerifiedChains {
		if len(chain) > 0 && chain[0].Subject.CommonName != "" {
			return true
		}
	}
	return false
}

func allowOrigin(w http.ResponseWriter, origin string) {
	h := w.Header()
	h.Add("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE")
	h.Add("Access-Control-Allow-Origin", origin)
	h.Add("Access-Control-Allow-Headers", "accept, content-type, authorization")
}

// isGRPC reports whether a content type is that of gRPC.
func isGRPC(contentType string) bool { return strings.Contains(contentType, "application/grpc") }
