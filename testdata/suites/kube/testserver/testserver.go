// Package testserver stands in for k8s.io/apiserver/pkg/storage/etcd3/testserver, by `go test -overlay`: the tests
// of Kubernetes' storage layer then talk to processes of `raftctl node run`.
package testserver

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.etcd.io/etcd/server/v3/embed"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
)

// startTimeout bounds how long a member may take to serve, on a machine that does other things too.
const startTimeout = 60 * time.Second

// programVariable names the environment variable with the path of raftctl.
const programVariable = "RAFTCTL"

// NewTestConfig returns the settings of a member of a test, which may change them.
func NewTestConfig(tb testing.TB) *embed.Config {
	tb.Helper()
	cfg := embed.NewConfig()
	cfg.Dir = tb.TempDir()
	cfg.UnsafeNoFsync = true // as the server that this one stands in for: some tests wait 100 ms, and not longer
	client, peer := freeURL(tb), freeURL(tb)
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	return cfg
}

// RunEtcd starts a member, with settings of NewTestConfig, or with these as they are if cfg is nil. It returns a
// client of it. Both end with the test.
func RunEtcd(tb testing.TB, cfg *embed.Config) *kubernetes.Client {
	tb.Helper()
	if cfg == nil {
		cfg = NewTestConfig(tb)
	}
	start(tb, cfg)
	client, err := kubernetes.New(clientv3.Config{
		Endpoints: []string{cfg.AdvertiseClientUrls[0].String()}, DialTimeout: startTimeout,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() }) // tests close it too
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	if _, err := client.Client.Get(ctx, "served"); err != nil {
		tb.Fatal(err)
	}
	// Some tests count what a client is asked for.
	requests := storagetesting.NewKubernetesRecorder(client.Kubernetes)
	client.KV, client.Kubernetes = storagetesting.NewKVRecorder(client.KV, requests), requests
	return client
}

// freeURL returns a URL of this machine where nobody listens.
func freeURL(tb testing.TB) url.URL {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}
}

// start starts a member and waits until it serves. What it logged is shown if the test fails.
func start(tb testing.TB, cfg *embed.Config) {
	tb.Helper()
	ready := &watcher{text: []byte("ready to serve client requests"), seen: make(chan struct{})}
	cmd := exec.Command(os.Getenv(programVariable), flags(cfg)...)
	cmd.Stderr = ready
	if err := cmd.Start(); err != nil {
		tb.Fatalf("%s=%q: %v", programVariable, os.Getenv(programVariable), err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tb.Cleanup(func() { stop(tb, cmd, done, ready) })
	select {
	case <-ready.seen:
	case err := <-done:
		done <- err
		tb.Fatalf("it ended: %v", err)
	case <-time.After(startTimeout):
		tb.Fatalf("it does not serve after %v", startTimeout)
	}
}

// flags returns what the tests set, as a command line.
func flags(cfg *embed.Config) []string {
	client, peer := cfg.ListenClientUrls[0].String(), cfg.ListenPeerUrls[0].String()
	return []string{
		"node", "run", "--name", cfg.Name, "--data-dir", filepath.Join(cfg.Dir, "member.raftctl"),
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
		"--initial-cluster", cfg.Name + "=" + peer,
		"--watch-progress-notify-interval", cfg.WatchProgressNotifyInterval.String(),
		"--unsafe-no-fsync=" + strconv.FormatBool(cfg.UnsafeNoFsync),
	}
}

// stop ends a member in order. It must have run until now.
func stop(tb testing.TB, cmd *exec.Cmd, done chan error, log *watcher) {
	err := cmd.Process.Signal(syscall.SIGTERM)
	select {
	case ended := <-done:
		err = errors.Join(err, ended)
	case <-time.After(startTimeout):
		err = errors.Join(errors.New("SIGTERM does not stop it"), cmd.Process.Kill())
	}
	if err != nil {
		tb.Errorf("stopping it: %v", err)
	}
	if tb.Failed() {
		tb.Logf("its log:\n%s", log.log.String())
	}
}

// watcher keeps what is written, and tells when a text is in it.
type watcher struct {
	text []byte
	seen chan struct{}

	mu   sync.Mutex
	log  bytes.Buffer
	once sync.Once
}

// Write implements io.Writer.
func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.log.Write(p)
	if bytes.Contains(w.log.Bytes(), w.text) {
		w.once.Do(func() { close(w.seen) })
	}
	return n, err
}
