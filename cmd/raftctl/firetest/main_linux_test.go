package firetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// within tells the test binary that it runs in its own namespaces, and where it may put its files.
const within = "RAFTCTL_TEST_WITHIN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(within); dir != "" {
		if err := furnish(); err != nil {
			fmt.Fprintln(os.Stderr, "the namespaces:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	status, err := runWithin()
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests take root, for namespaces and mounts:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

// runWithin runs this test binary in namespaces of its own. All processes in them end with it.
func runWithin() (status int, err error) {
	dir, err := os.MkdirTemp("", "firetest")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	runtime.LockOSThread() // the child dies with the thread
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), within+"="+dir, "TMPDIR="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	err = cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// furnish makes mounts private, and mounts what tells of the namespaces' own processes and networks.
func furnish() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", "/run/netns", "tmpfs", 0, ""); err != nil {
		return err
	}
	return run("ip", "link", "set", "lo", "up")
}

// run runs a program of the system.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %q: %w: %s", name, args, err, out)
	}
	return nil
}

// must fails the test for an error.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

var built = sync.OnceValues(func() (string, error) {
	return etcdtest.BuildRaftctl(filepath.Clean(os.Getenv(within)))
})

// program returns the path of raftctl.
func program(tb testing.TB) string {
	tb.Helper()
	path, err := built()
	must(tb, err)
	return path
}
