package perf

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// benchProcess runs a command on a log, or another data set, once an iteration, its output thrown away,
// and reports the largest memory that a run of it took. Status 1, a difference found, is no failure.
func benchProcess(b *testing.B, l bigLog, name string, args ...string) {
	b.Helper()
	benchProcessAfter(b, l, func() {}, name, args...)
}

// benchProcessAfter is benchProcess for a command that needs something done before each run.
func benchProcessAfter(b *testing.B, l bigLog, before func(), name string, args ...string) {
	b.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	l.warm(b)
	b.SetBytes(l.size)
	peak := 0
	for b.Loop() {
		b.StopTimer()
		before()
		b.StartTimer()
		cmd := exec.Command(name, args...)
		cmd.Stdout = null
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		p, err := watchPeak(cmd.Process.Pid, done)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
			err = nil
		}
		if err != nil {
			b.Fatalf("%s %q: %v", name, args, err)
		}
		peak = max(peak, p)
	}
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}

// watchPeak returns the most memory that a process had in use, in KiB, and how it ended. It asks while
// the process runs: what the system tells afterwards is never less than what its parent had.
func watchPeak(pid int, done <-chan error) (peak int, err error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return peak, err
		case <-tick.C:
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				continue // it has just ended
			}
			_, after, _ := strings.Cut(string(status), "VmHWM:")
			kib := 0
			if _, err := fmt.Sscan(after, &kib); err == nil {
				peak = kib
			}
		}
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
