package etcdapi

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

var anyTLSPort = []string{"https://127.0.0.1:0"}

// serverInfo is a server's side of TLS, which wants certificates of clients.
func serverInfo(c *etcdtest.Certs) transport.TLSInfo {
	return transport.TLSInfo{CertFile: c.ServerCert, KeyFile: c.ServerKey, TrustedCAFile: c.CA, ClientCertAuth: true}
}

// clientTLS is a client's side; without its certificate if bare.
func clientTLS(t *testing.T, c *etcdtest.Certs, bare bool, protocols ...string) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(c.CA)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: etcdtest.ServerName, NextProtos: protocols}
	config.RootCAs.AppendCertsFromPEM(ca)
	if bare {
		return config
	}
	pair, err := tls.LoadX509KeyPair(c.ClientCert, c.ClientKey)
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config
}

// putTLS puts a key over gRPC with TLS.
func putTLS(t *testing.T, s *Server, config *tls.Config) error {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:"+s.ports[0].Addr().String(),
		grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = pb.NewKVClient(conn).Put(ctx, put("a", "1"))
	return err
}

// getTLS asks for the health over HTTP with TLS, and returns in which version of HTTP.
func getTLS(t *testing.T, s *Server, config *tls.Config) (version string, err error) {
	t.Helper()
	client := &http.Client{
		Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: len(config.NextProtos) == 0},
		Timeout:   30 * time.Second,
	}
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + s.ports[0].Addr().String() + "/health")
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || string(text) != `{"health":"true","reason":""}` {
		t.Errorf("health: %s, %v", text, err)
	}
	return response.Proto, nil
}

// One port speaks gRPC and HTTP/1.1 and 2 in TLS, whatever else a client offers; and takes no client without a
// certificate of the right authority.
func TestServeTLS(t *testing.T) {
	certs, other := etcdtest.NewCerts(t), etcdtest.NewCerts(t)
	s, _ := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyTLSPort, TLS: serverInfo(certs)})
	for _, protocols := range [][]string{nil, {"h2"}, {"h2", "http/1.1"}, {"http/1.1", "h2"}} {
		if err := putTLS(t, s, clientTLS(t, certs, false, protocols...)); err != nil {
			t.Errorf("gRPC, offering %q: %v", protocols, err)
		}
	}
	for _, tc := range []struct {
		offers []string
		want   string
	}{{nil, "HTTP/2.0"}, {[]string{"http/1.1"}, "HTTP/1.1"}} {
		if got, err := getTLS(t, s, clientTLS(t, certs, false, tc.offers...)); err != nil || got != tc.want {
			t.Errorf("HTTP, offering %q: %s, %v; want %s", tc.offers, got, err, tc.want)
		}
	}
	stranger := clientTLS(t, other, false)
	stranger.RootCAs = clientTLS(t, certs, true).RootCAs
	for name, config := range map[string]*tls.Config{"nothing": clientTLS(t, certs, true), "a stranger's": stranger} {
		if err := putTLS(t, s, config.Clone()); status.Code(err) != codes.Unavailable {
			t.Errorf("gRPC with %s: %v", name, err)
		}
		if _, err := getTLS(t, s, config.Clone()); err == nil {
			t.Errorf("HTTP with %s was answered", name)
		}
	}
	if response, err := http.Get("http://" + s.ports[0].Addr().String() + "/health"); err == nil {
		t.Errorf("plain HTTP was answered: %s", response.Status)
	}
}

// A client's certificate names its user, over both kinds of connections, and not over the gateway.
func TestServeCertificateUser(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	s, _ := serveNode(t, node.Config{ClientCertAuth: true}, ServeConfig{
		ClientURLs: []string{"https://127.0.0.1:0", "http://127.0.0.1:0"}, TLS: serverInfo(certs),
	})
	plain := dial(t, s.ports[1].Addr().String())
	for _, r := range []proto.Message{
		&pb.AuthUserAddRequest{Name: "root", Password: "r"}, &pb.AuthUserAddRequest{Name: "somebody", Password: "s"},
		&pb.AuthRoleAddRequest{Name: "root"}, &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"},
		&pb.AuthEnableRequest{},
	} {
		if _, err := plain.do(t.Context(), r, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, protocols := range [][]string{{"h2"}, {"h2", "http/1.1"}} {
		err := putTLS(t, s, clientTLS(t, certs, false, protocols...))
		// Somebody may not put; for nobody there is another error.
		if status.Convert(err).Message() != "etcdserver: permission denied" {
			t.Errorf("offering %q: %v", protocols, err)
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: clientTLS(t, certs, false)}}
	url := "https://" + s.ports[0].Addr().String() + "/v3/kv/range"
	response, err := client.Post(url, "", strings.NewReader(`{"key":"YQ=="}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("the gateway answers %s", response.Status)
	}
}

// What is changed in the files counts for the next connection.
func TestServeReloads(t *testing.T) {
	certs, other := etcdtest.NewCerts(t), etcdtest.NewCerts(t)
	info := serverInfo(certs)
	info.CRLFile = filepath.Join(t.TempDir(), "crl")
	writeCRL(t, info.CRLFile, 99)
	s, _ := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyTLSPort, TLS: info})
	if err := putTLS(t, s, clientTLS(t, certs, false)); err != nil {
		t.Fatal(err)
	}
	writeCRL(t, info.CRLFile, 2) // as etcdtest numbers all its certificates
	if err := putTLS(t, s, clientTLS(t, certs, false)); err == nil {
		t.Error("a revoked certificate was taken")
	}
	if _, err := getTLS(t, s, clientTLS(t, certs, false)); err == nil {
		t.Error("a revoked certificate was taken over HTTP")
	}
	writeCRL(t, info.CRLFile, 99)
	for from, to := range map[string]string{other.ServerCert: certs.ServerCert, other.ServerKey: certs.ServerKey} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	config := clientTLS(t, certs, false)
	if err := putTLS(t, s, config.Clone()); err == nil {
		t.Error("the old certificate is still there")
	}
	config.RootCAs = clientTLS(t, other, true).RootCAs
	if err := putTLS(t, s, config.Clone()); err != nil {
		t.Errorf("the new certificate: %v", err)
	}
}

// writeCRL writes a list of one revoked certificate.
func writeCRL(t *testing.T, file string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &x509.Certificate{
		KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}, Subject: pkix.Name{CommonName: "a"},
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{
			{SerialNumber: big.NewInt(serial), RevocationTime: time.Now()},
		},
	}, issuer, key)
	if err == nil {
		err = os.WriteFile(file, list, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Certificates of other hosts or names are not taken.
func TestServeAllowed(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	for _, tc := range []struct {
		names, hosts []string
		ok           bool
	}{
		{[]string{"somebody", "x"}, nil, true},
		{[]string{"x"}, nil, false},
		{nil, []string{"x", etcdtest.ServerName}, true},
		{nil, []string{"x"}, false},
	} {
		info := serverInfo(certs)
		info.AllowedCNs, info.AllowedHostnames = tc.names, tc.hosts
		s, _ := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyTLSPort, TLS: info})
		if err := putTLS(t, s, clientTLS(t, certs, false)); (err == nil) != tc.ok {
			t.Errorf("names %q, hosts %q: %v", tc.names, tc.hosts, err)
		}
	}
}

// Plain and TLS at one port, at a socket in the file system, and HTTP and gRPC apart.
func TestServePorts(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	socket := filepath.Join(t.TempDir(), "s")
	s, _ := serveNode(t, node.Config{}, ServeConfig{
		ClientURLs: []string{"https://127.0.0.1:0", "unix://" + socket}, TLS: serverInfo(certs),
		HTTPURLs: []string{"http://127.0.0.1:0"},
	})
	s.ports[0].plain = true // as if the same address had been given with http, too
	if err := putTLS(t, s, clientTLS(t, certs, false)); err != nil {
		t.Errorf("TLS: %v", err)
	}
	addr := s.ports[0].Addr().String()
	for _, target := range []string{"passthrough:" + addr, "unix://" + socket} {
		if _, err := dialTarget(t, target).do(t.Context(), put("a", "1"), false); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	if response, err := http.Get("http://" + addr + "/health"); err == nil {
		t.Errorf("HTTP at a port of gRPC: %s", response.Status)
	}
	if _, err := getTLS(t, s, clientTLS(t, certs, false, "http/1.1")); err == nil {
		t.Error("HTTP in TLS at a port of gRPC was answered")
	}
	web := s.ports[2].Addr().String()
	for _, a := range []asked{
		{name: "health", method: http.MethodGet, path: "/health"},
		{name: "put", method: http.MethodPost, path: "/v3/kv/put", body: `{"key":"YQ=="}`},
	} {
		if g := ask(t, "http://"+web, a); g.Status != http.StatusOK {
			t.Errorf("%s at a port of HTTP: %+v", a.name, g)
		}
	}
	if _, err := dial(t, web).do(t.Context(), put("a", "1"), false); err == nil {
		t.Error("gRPC at a port of HTTP was answered")
	}
}

func dialTarget(t *testing.T, target string) *side {
	t.Helper()
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &side{conn: conn}
}

// What can't be listened on is told, and nothing stays open.
func TestListenRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, tc := range map[string]struct {
		c    ServeConfig
		want string
		is   error
	}{
		"none": {ServeConfig{}, "no URL", nil},
		"taken": {ServeConfig{ClientURLs: []string{"http://" + taken.Addr().String()}},
			"http://127.0.0.1:", syscall.EADDRINUSE},
		"no certificate": {ServeConfig{ClientURLs: anyTLSPort}, "--cert-file", nil},
		"no certificate for metrics": {ServeConfig{ClientURLs: anyPort, MetricsURLs: anyTLSPort},
			"must be provided for metrics secure url", nil},
		"missing files": {ServeConfig{ClientURLs: anyTLSPort,
			TLS: transport.TLSInfo{CertFile: "missing", KeyFile: "missing"}}, "missing", os.ErrNotExist},
		"two uses": {ServeConfig{
			ClientURLs: []string{"http://127.0.0.1:39999"}, HTTPURLs: []string{"http://127.0.0.1:39999"},
		}, "can't have the same address", nil},
	} {
		_, err := Listen(tc.c)
		if err == nil || !strings.Contains(err.Error(), tc.want) || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// Endless calls are cut when the server stops, so that it stops at once; a connection that says nothing doesn't
// hold it either.
func TestStopCuts(t *testing.T) {
	server, n := serveNode(t, node.Config{}, ServeConfig{ClientURLs: anyPort})
	addr := server.ports[0].Addr().String()
	silent, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	s := dial(t, addr)
	watch, err := pb.NewWatchClient(s.conn).Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Send(create(&pb.WatchCreateRequest{Key: []byte("a")})); err != nil {
		t.Fatal(err)
	}
	receive(t, watch, "created", 1)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the watch ends with %v, want unavailable", err)
	}
	select {
	case <-n.Stopping():
		t.Error("the node stops with its server")
	default:
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("the port is still open")
	}
}

// A slow request is logged without what it is about.
func TestServeLogsSlow(t *testing.T) {
	var log syncBuffer
	server, _ := serveNode(t, node.Config{}, ServeConfig{
		ClientURLs: anyPort, SlowRequest: time.Nanosecond, Logger: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if _, err := dial(t, server.ports[0].Addr().String()).do(t.Context(), put("hidden", "hidden"), false); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, `"request stats"`) || strings.Contains(text, "hidden") ||
		!strings.Contains(text, `"response type":"/etcdserverpb.KV/Put"`) {
		t.Errorf("the log:\n%s", text)
	}
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
