package bolt_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"
)

// referenceVar makes the test binary a process that runs bbolt's own check on the files that it is
// told of. bbolt panics on some damage, and reads beyond the mapping on other, which ends the process.
const referenceVar = "BOLT_TEST_REFERENCE"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(referenceVar) != "":
		serveReference()
	case os.Getenv(writerVar) != "":
		writeForEver(os.Getenv(writerVar))
	default:
		os.Exit(m.Run())
	}
}

func serveReference() {
	debug.SetPanicOnFault(true)
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		if err := out.Encode(bboltCheck(in.Text())); err != nil {
			return
		}
	}
}

// bboltCheck returns what bbolt's check says.
func bboltCheck(path string) (said []string) {
	defer func() {
		if r := recover(); r != nil {
			said = append(said, fmt.Sprint("panic: ", r))
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return []string{"open: " + err.Error()}
	}
	defer func() { _ = db.Close() }()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			if said = append(said, err.Error()); len(said) == 10_000 {
				return nil // the check's goroutine is left behind
			}
		}
		return nil
	})
	if err != nil {
		said = append(said, err.Error())
	}
	return said
}

// reference is a process that runs bbolt's check.
type reference struct {
	tb  testing.TB
	dir string
	cmd *exec.Cmd
	in  *os.File
	out *json.Decoder
}

func newReference(tb testing.TB) *reference {
	r := &reference{tb: tb, dir: tb.TempDir()}
	tb.Cleanup(r.stop)
	return r
}

func (r *reference) start() {
	r.cmd = exec.Command(os.Args[0])
	r.cmd.Env = append(os.Environ(), referenceVar+"=1")
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		r.tb.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		r.tb.Fatal(err)
	}
	r.cmd.Stdin, r.in, r.out = read, write, json.NewDecoder(stdout)
	if err := r.cmd.Start(); err != nil {
		r.tb.Fatal(err)
	}
	_ = read.Close()
}

func (r *reference) stop() {
	if r.cmd != nil {
		_ = r.in.Close()
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

// check returns what bbolt's check says about a database. It is "crash" where that ends the process,
// or doesn't end: also a process that hasn't looked at anything before, of which a goroutine might
// still run.
func (r *reference) check(raw []byte) (said []string) {
	if said = r.ask(raw); slices.Equal(said, []string{"crash"}) {
		said = r.ask(raw)
	}
	return said
}

func (r *reference) ask(raw []byte) (said []string) {
	path := filepath.Join(r.dir, "db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		r.tb.Fatal(err)
	}
	if r.cmd == nil {
		r.start()
	}
	stuck := time.AfterFunc(20*time.Second, func() { _ = r.cmd.Process.Kill() })
	defer stuck.Stop()
	_, err := fmt.Fprintln(r.in, path)
	if err == nil {
		err = r.out.Decode(&said)
	}
	if err != nil {
		r.stop()
		return []string{"crash"}
	}
	return said
}
