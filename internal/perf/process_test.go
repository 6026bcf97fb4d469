package perf

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"
)

// benchProcess runs a command once an iteration, its output thrown away, and reports the largest
// memory that a run of it took.
func benchProcess(b *testing.B, size int64, name string, args ...string) {
	b.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	b.SetBytes(size)
	forgetPeak(b)
	peak := int64(0)
	for b.Loop() {
		cmd := exec.Command(name, args...)
		cmd.Stdout = null
		if err := cmd.Run(); err != nil {
			b.Fatalf("%s %q: %v", name, args, err)
		}
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = max(peak, u.Maxrss) // KiB
		}
	}
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}

// forgetPeak makes the most memory that this process had what it has now. A child starts out with
// its parent's peak, so what is reported is never less than that.
func forgetPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// built returns the path of a program below build/, which the Makefile makes.
func built(tb testing.TB, path string) string {
	tb.Helper()
	name := filepath.Join(buildDir(), path)
	if _, err := os.Stat(name); err != nil {
		tb.Fatalf("`make build etcd` makes it: %v", err)
	}
	return name
}
