// Package etcdtest starts real etcd servers for tests: the binaries that `make etcd` builds from
// etcd's published modules into build/. Only tests import it.
package etcdtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Versions are the minor versions of etcd that can be started, oldest first.
var Versions = []string{"3.4", "3.5", "3.6", "3.7"}

// Releases are all etcds that can be started, oldest first: Versions, each with a release of every
// group of older ones that reads logs in another way. "3.4" is 3.4.15.
var Releases = []string{"3.4.9", "3.4", "3.5.4", "3.5.6", "3.5", "3.6", "3.7"}

// bootTimeout bounds how long a server may take to become healthy. A healthy one takes a second;
// the rest is for a machine that builds something else at the same time.
const bootTimeout = 60 * time.Second

// Quick are flags that let a server without peers elect itself in a moment.
var Quick = []string{"--heartbeat-interval", "20", "--election-timeout", "100"}

// Binary returns the path of one of etcd's programs ("etcd", "etcdctl", "etcdutl") of one of
// Versions; of the other Releases there is the server only. A missing program fails the test: `make
// etcd` builds it.
func Binary(tb testing.TB, version, program string) string {
	tb.Helper()
	return built(tb, "etcd-"+version, program)
}

func built(tb testing.TB, folder, program string) string {
	tb.Helper()
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(file), "..", "..", "build", folder, program)
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("%s of etcd is needed; `make etcd` builds it: %v", program, err)
	}
	return path
}

// Looks returns how often a test looks at what a running etcd writes: otherwise, unless RAFTCTL_LOOKS,
// which `make lab` sets, says another number.
func Looks(tb testing.TB, otherwise int) int {
	tb.Helper()
	text := os.Getenv("RAFTCTL_LOOKS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		tb.Fatalf("RAFTCTL_LOOKS: %v", err)
	}
	return n
}

// Tool returns the path of one of etcd's programs that is built for all versions: "etcd-dump-db".
func Tool(tb testing.TB, program string) string {
	tb.Helper()
	return built(tb, "bin", program)
}

// Server is a running etcd of one member.
type Server struct {
	Endpoint string // host:port of the client listener

	tb      testing.TB
	version string
	certs   *Certs        // nil: it speaks plain HTTP
	auth    bool          // EnableAuth was called
	wait    time.Duration // how long it may take to become healthy; 0: bootTimeout
	by      []string      // the command that starts it; empty: it is started directly
	program []string      // in place of the release's etcd
	cmd     *exec.Cmd
	done    chan error // receives the result of Wait, once
	log     bytes.Buffer
}

// Start runs an etcd on a data directory and waits until it is healthy. The server is killed when
// the test ends, if it still runs.
func Start(tb testing.TB, version, dataDir string, args ...string) *Server {
	tb.Helper()
	s, err := TryStart(tb, version, dataDir, args...)
	if err != nil {
		tb.Fatalf("etcd %s on %s: %v\n%s", version, dataDir, err, s.Log())
	}
	return s
}

// TryStart is Start for a directory that etcd may refuse: it returns an error when the server
// ends, or isn't healthy in time. The server's log is available in any case.
func TryStart(tb testing.TB, version, dataDir string, args ...string) (*Server, error) {
	tb.Helper()
	s := &Server{Endpoint: FreeAddr(tb), tb: tb, version: version}
	return s, s.start(dataDir, args...)
}

// TryStartBy is TryStart with a command that is given the server's command line, and ends as the server if it
// succeeds.
func TryStartBy(tb testing.TB, command []string, version, dataDir string, args ...string) (*Server, error) {
	tb.Helper()
	s := &Server{Endpoint: FreeAddr(tb), tb: tb, version: version, by: command}
	return s, s.start(dataDir, args...)
}

// Launch runs an etcd on a data directory and doesn't wait: see WaitHealthy.
func Launch(tb testing.TB, version, dataDir string, args ...string) *Server {
	tb.Helper()
	s := &Server{Endpoint: FreeAddr(tb), tb: tb, version: version}
	s.launch(dataDir, args...)
	return s
}

// LaunchProgram is Launch for a program that is no etcd and takes etcd's flags. The release is that of the
// etcdctl with which it is asked.
func LaunchProgram(tb testing.TB, program []string, version, dataDir string, args ...string) *Server {
	tb.Helper()
	s := &Server{Endpoint: FreeAddr(tb), tb: tb, version: version, program: program}
	s.launch(dataDir, args...)
	return s
}

// Place is where a server is started: the host:port at which clients find it, the command that is given its command line
// and ends as the server, and the program in place of the release's etcd. The last two may be empty.
type Place struct {
	Endpoint    string
	By, Program []string
}

// LaunchIn is Launch at a place.
func LaunchIn(tb testing.TB, p Place, version, dataDir string, args ...string) *Server {
	tb.Helper()
	s := &Server{Endpoint: p.Endpoint, tb: tb, version: version, by: p.By, program: p.Program}
	s.launch(dataDir, args...)
	return s
}

// Ended reports whether the server has ended, and how.
func (s *Server) Ended() (ended bool, err error) {
	select {
	case err := <-s.done:
		s.done <- err
		return true, err
	default:
		return false, nil
	}
}

// WaitHealthy waits until a server is healthy, which in a cluster takes a leader.
func (s *Server) WaitHealthy() error { return s.waitHealthy() }

// WaitHealthyWithin is WaitHealthy for a server that has much to do before it is healthy, for which it has a time.
func (s *Server) WaitHealthyWithin(wait time.Duration) error {
	s.wait = wait
	return s.waitHealthy()
}

// StartTLS is Start for a server that speaks TLS to its clients, and wants a certificate of theirs.
func StartTLS(tb testing.TB, version, dataDir string, certs *Certs, args ...string) *Server {
	tb.Helper()
	s := &Server{Endpoint: FreeAddr(tb), tb: tb, version: version, certs: certs}
	if err := s.start(dataDir, append(certs.serverFlags(), args...)...); err != nil {
		tb.Fatalf("etcd %s on %s: %v\n%s", version, dataDir, err, s.Log())
	}
	return s
}

// URL returns the endpoint with its scheme.
func (s *Server) URL() string {
	if s.certs != nil {
		return "https://" + s.Endpoint
	}
	return "http://" + s.Endpoint
}

// start runs the server and waits until it is healthy.
func (s *Server) start(dataDir string, args ...string) error {
	s.tb.Helper()
	s.launch(dataDir, args...)
	return s.waitHealthy()
}

// launch runs the server.
func (s *Server) launch(dataDir string, args ...string) {
	s.tb.Helper()
	s.done = make(chan error, 1)
	line := append(slices.Clone(s.by), s.program...)
	if s.program == nil {
		line = append(line, Binary(s.tb, s.version, "etcd"))
	}
	line = append(line, "--data-dir", dataDir,
		"--listen-client-urls", s.URL(), "--advertise-client-urls", s.URL(),
		"--listen-peer-urls", "http://"+FreeAddr(s.tb))
	line = append(line, args...)
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	s.tb.Cleanup(s.Kill)
}

// Watch runs an etcd on a data directory and returns what it printed, and whether it ended by
// itself: before it was healthy, or within grace after that. One that runs on is killed.
func Watch(
	tb testing.TB, release, dataDir string, grace time.Duration, args ...string,
) (log string, ended bool) {
	tb.Helper()
	s, err := TryStart(tb, release, dataDir, args...)
	if err == nil {
		select {
		case end := <-s.done:
			s.done <- end
			ended = true
		case <-time.After(grace):
		}
		return s.Log(), ended
	}
	select {
	case end := <-s.done:
		s.done <- end
		ended = true
	default:
	}
	return s.Log(), ended
}

func (s *Server) waitHealthy() error {
	wait := cmp.Or(s.wait, bootTimeout)
	ctx, cancel := context.WithTimeout(s.tb.Context(), wait)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("ended before it was healthy: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("not healthy after %v", wait)
		case <-tick.C:
			if s.healthy(ctx) {
				return nil
			}
		}
	}
}

func (s *Server) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/health?exclude=NOSPACE", nil)
	if err != nil {
		return false
	}
	client := http.DefaultClient
	if s.certs != nil {
		client = s.certs.client
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// Ctl runs etcdctl of the server's version against it and returns what it printed.
func (s *Server) Ctl(args ...string) []byte {
	s.tb.Helper()
	return s.CtlIn("", args...)
}

// CtlIn is Ctl with something to read on its standard input.
func (s *Server) CtlIn(in string, args ...string) []byte {
	s.tb.Helper()
	args = append([]string{"--endpoints", s.URL()}, args...)
	if s.certs != nil {
		args = append(s.certs.ClientFlags(), args...)
	}
	if s.auth {
		args = append([]string{"--user", Root}, args...)
	}
	cmd := exec.Command(Binary(s.tb, s.version, "etcdctl"), args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		stderr := ""
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			stderr = string(exit.Stderr)
		}
		s.tb.Fatalf("etcdctl %q: %v\n%s\n%s", args, err, stderr, s.Log())
	}
	return out
}

// The users of a server with authentication, each a name and a password as etcdctl's --user takes
// them.
const (
	Root   = "root:secret of root" // may do everything
	Reader = "reader:of read"      // may read the keys that begin with ReaderPrefix
	Nobody = "nobody:of nothing"   // may do nothing

	ReaderPrefix = "/open/"
)

// EnableAuth gives the server its users and turns authentication on. Ctl then speaks as Root.
func (s *Server) EnableAuth() {
	s.tb.Helper()
	for _, user := range []string{Root, Reader, Nobody} {
		s.Ctl("user", "add", user)
	}
	s.Ctl("role", "add", "open")
	s.Ctl("role", "grant-permission", "--prefix", "open", "read", ReaderPrefix)
	s.Ctl("user", "grant-role", "reader", "open")
	s.Ctl("user", "grant-role", "root", "root")
	s.Ctl("auth", "enable")
	s.auth = true
}

// Resume lets a paused server go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatal(err)
	}
}

// PID returns the process's ID.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop ends the server as an operator does, with SIGTERM.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the server as a power cut does, with SIGKILL. It does nothing on one that has ended.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(sig syscall.Signal) {
	_ = s.cmd.Process.Signal(sig) // fails only when the process has ended
	s.done <- <-s.done
}

// Log returns what the server printed. Call it only after the server has ended.
func (s *Server) Log() string {
	s.Kill()
	return s.log.String()
}

// PeakKiB returns the most memory that the server had in use until now, in KiB.
func (s *Server) PeakKiB() (peak int) {
	s.tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.tb.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(after, &peak); err != nil {
		s.tb.Fatal(err)
	}
	return peak
}
