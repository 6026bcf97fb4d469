package walcmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a running command: what is written is its input, what is read its output.
type process struct {
	io.WriteCloser
	out    io.ReadCloser
	cmd    *exec.Cmd
	stderr tail
	ended  atomic.Bool // it has closed its output or its input
}

// lastWords is how long a process that has closed its output may take to end.
const lastWords = time.Second

// startProcess runs a command line by the shell.
func startProcess(command string) (io.ReadWriteCloser, error) {
	p := &process{cmd: exec.Command("sh", "-c", command)}
	var err error
	if p.WriteCloser, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = lastWords // children of the command may hold its output open
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) Read(b []byte) (int, error) {
	n, err := p.out.Read(b)
	if err != nil {
		p.ended.Store(true)
	}
	return n, err
}

// errNoReader is returned when the command takes no more input. A broken pipe to it is not the one to
// whoever reads our output, which ends a command quietly.
var errNoReader = errors.New("the command reads no more")

func (p *process) Write(b []byte) (int, error) {
	n, err := p.WriteCloser.Write(b)
	if err == nil {
		return n, nil
	}
	p.ended.Store(true)
	if errors.Is(err, syscall.EPIPE) {
		err = errNoReader
	}
	return n, err
}

// Close ends the command. If it had ended by itself, the error tells its status and the end of what
// it wrote to its error output.
func (p *process) Close() error {
	ended := p.ended.Load()
	_ = p.WriteCloser.Close() // the command may have closed it
	if !ended {
		_ = p.cmd.Process.Kill() // it may have ended
		_ = p.cmd.Wait()         // which then says that it was killed
		return nil
	}
	kill := time.AfterFunc(lastWords, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	err := p.cmd.Wait()
	if err == nil {
		err = errors.New("exit status 0")
	}
	if said := p.stderr.text(); len(said) > 0 {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// tail is a writer that keeps the end of what is written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

// tailSize is how much is kept.
const tailSize = 1 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b[max(0, len(b)-tailSize):]...)
	t.buf = t.buf[max(0, len(t.buf)-tailSize):]
	return len(b), nil
}

func (t *tail) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.TrimSpace(t.buf)
}
