package restoretest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// What makes the test binary, as the command, mount a tmpfs of that many MiB over a folder of its own, or let no
// file grow beyond 32 MiB, and fill the disk as soon as the restore has begun to write.
const (
	onTmpfs  = "RAFTCTL_TEST_TMPFS" // MiB:folder
	withFill = "RAFTCTL_TEST_FILL"  // the folder
	limited  = "RAFTCTL_TEST_FSIZE" // any value
)

// prepareDisk does what these ask for.
func prepareDisk() error {
	if mib, dir, ok := strings.Cut(os.Getenv(onTmpfs), ":"); ok {
		if _, err := strconv.Atoi(mib); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+mib+"m"); err != nil {
			return fmt.Errorf("mount: %w", err)
		}
	}
	if os.Getenv(limited) != "" {
		signal.Ignore(syscall.SIGXFSZ) // the write fails then
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 32 << 20, Max: 32 << 20}); err != nil {
			return err
		}
	}
	if dir := os.Getenv(withFill); dir != "" {
		go fill(dir)
	}
	return nil
}

// fill takes all room once a restore has made its folder.
func fill(dir string) {
	for {
		if found, _ := filepath.Glob(filepath.Join(dir, "*.restoring-*", "member", "wal*")); len(found) > 0 {
			break
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "*.restoring-*", "member", "snap", "db")); len(found) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	f, err := os.Create(filepath.Join(dir, "fill"))
	for buf := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(buf)
	}
}

// sayLeft tells the parent, which doesn't see the tmpfs, what a restore left there.
func sayLeft(w io.Writer) {
	_, dir, ok := strings.Cut(os.Getenv(onTmpfs), ":")
	if !ok {
		return
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		fmt.Fprintln(w, "left:", e.Name())
	}
}

// runOnSmallDisk runs a command as a process with a tmpfs of its own in dir. Where the system gives none,
// it lets files grow to 32 MiB only.
func runOnSmallDisk(t *testing.T, mib int, dir string, fills bool, args ...string) (status int, errs string) {
	t.Helper()
	start := func(env string, attr *syscall.SysProcAttr) error {
		var out strings.Builder
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env, cmd.Stderr, cmd.SysProcAttr = append(os.Environ(), asCommand+"=1", env), &out, attr
		if fills {
			cmd.Env = append(cmd.Env, withFill+"="+dir)
		}
		err := cmd.Run()
		status, errs = cmd.ProcessState.ExitCode(), out.String()
		return err
	}
	err := start(fmt.Sprintf("%s=%d:%s", onTmpfs, mib, dir), &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || strings.HasPrefix(errs, "mount: ") {
		_ = start(limited+"=1", nil) // the status tells
	}
	return status, errs
}

// A disk that is too small, or becomes full on the way: an error, and nothing is left.
func TestRestoreOfFullDisk(t *testing.T) {
	w, s, o := startOld(t, "3.7")
	w.put("a/1", 0)
	o.save(s, w)
	w.killed(s)
	lengthen(t, o.dir, 100_000)
	unchanged(t, o.dir, filepath.Dir(o.backup))
	for name, fills := range map[string]bool{"too small": false, "fills up": true} {
		t.Run(name, func(t *testing.T) {
			dir, mib := t.TempDir(), 40
			if fills {
				mib = 400
			}
			status, errs := runOnSmallDisk(t, mib, dir, fills, "restore", o.backup, "--wal", o.dir, "--data-dir",
				filepath.Join(dir, "new"))
			full := strings.Contains(errs, "no space left on device") || strings.Contains(errs, "file too large")
			left := strings.ReplaceAll(errs, "left: fill\n", "")
			if status != ui.StatusError || !full || strings.Contains(left, "left: ") {
				t.Errorf("exit status %d: %s", status, errs)
			}
		})
	}
}
