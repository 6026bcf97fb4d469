package nodetest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// built is the path of raftctl, and what went wrong when it was built.
var built func() (string, error)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "nodetest")
	if err != nil {
		panic(err)
	}
	built = sync.OnceValues(func() (string, error) { return etcdtest.BuildRaftctl(dir) })
	status := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// program returns the path of raftctl.
func program(tb testing.TB) string {
	tb.Helper()
	path, err := built()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// whole tells whether all is to be run, as `make lab` does.
func whole() bool { return os.Getenv("RAFTCTL_SUITES") == "whole" }

// folder returns the path of a folder that the Makefile fills.
func folder(tb testing.TB, names ...string) string {
	tb.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"..", "..", "..", "build"}, names...)...))
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// startTimeout bounds how long a member may take to serve, on a machine that does other things too.
const startTimeout = 60 * time.Second

// member is a process of raftctl that runs a member.
type member struct {
	tb   testing.TB
	cmd  *exec.Cmd
	done chan error // receives the result of Wait, once

	mu  sync.Mutex
	log bytes.Buffer
}

// launch starts a member, which is stopped when the test ends. The end of its log is shown if
// the test fails.
func launch(tb testing.TB, args ...string) *member {
	tb.Helper()
	m := &member{tb: tb, done: make(chan error, 1)}
	m.cmd = exec.Command(program(tb), append([]string{"node", "run"}, args...)...)
	m.cmd.Stderr = m
	if err := m.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() { m.done <- m.cmd.Wait() }()
	tb.Cleanup(m.stop)
	return m
}

// Write implements io.Writer for the log.
func (m *member) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.Write(p)
}

func (m *member) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.String()
}

// waitServing waits until the member serves clients.
func (m *member) waitServing() {
	m.tb.Helper()
	for end := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if strings.Contains(m.said(), "ready to serve client requests") {
			return
		}
		select {
		case err := <-m.done:
			m.done <- err
			m.tb.Fatalf("it ended: %v\n%s", err, m.said())
		default:
		}
		if time.Now().After(end) {
			m.tb.Fatalf("it does not serve after %v\n%s", startTimeout, m.said())
		}
	}
}

// stop ends the member in order. It ends well, unless it was removed from its cluster, or the test fails.
func (m *member) stop() {
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended, which Wait tells
	select {
	case err := <-m.done:
		m.done <- err
		if err != nil && !strings.Contains(m.said(), "was removed from the cluster") {
			m.tb.Errorf("it ended: %v", err)
		}
	case <-time.After(startTimeout):
		m.tb.Errorf("SIGTERM does not stop it")
		_ = m.cmd.Process.Kill()
	}
	if m.tb.Failed() {
		log := m.said()
		m.tb.Logf("the end of its log:\n%s", log[max(0, len(log)-4<<10):])
	}
}
