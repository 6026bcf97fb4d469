package decode

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
)

// execDecoder hands payloads to a process, one after the other: a line of hex goes in, a line comes
// out. A line of the form STATUS|DATA, as etcd-dump-logs wants it, is taken apart.
type execDecoder struct {
	process     io.ReadWriteCloser
	lines       <-chan execLine
	done        chan struct{} // closed by Close: nobody takes lines any more
	timeout     time.Duration
	showSecrets bool
	answered    int
	broken      error // why the process can't be used any more
	out         []byte
}

type execLine struct {
	text []byte
	err  error
}

const (
	execTimeout = 10 * time.Second
	// execLineSize bounds an answer. The largest payload that etcd takes by default is 1.5 MiB; an
	// answer may spell each byte of it in several characters.
	execLineSize = 16 << 20
)

var (
	errNoProcesses = errors.New("there is no way to start processes")
	// ErrDecoderTimeout is returned when the process of an exec decoder does not answer.
	ErrDecoderTimeout = errors.New("no answer")
	// ErrDecoderEnded is returned when the process of an exec decoder has ended.
	ErrDecoderEnded = errors.New("process has ended")
	// ErrDecoderOutOfStep is returned when the process of an exec decoder has written more lines
	// than it was given.
	ErrDecoderOutOfStep = errors.New("more answers than questions")
)

func newExec(command string, env Env) (payloadDecoder, error) {
	if env.Start == nil {
		return nil, errNoProcesses
	}
	process, err := env.Start(command)
	if err != nil {
		return nil, err
	}
	timeout := env.Timeout
	if timeout == 0 {
		timeout = execTimeout
	}
	lines := make(chan execLine)
	d := &execDecoder{
		process: process, lines: lines, done: make(chan struct{}),
		timeout: timeout, showSecrets: env.ShowSecrets,
	}
	go readLines(process, lines, d.done)
	return d, nil
}

// readLines sends what the process writes, line by line, until it ends or nobody listens.
func readLines(r io.Reader, lines chan<- execLine, done <-chan struct{}) {
	b := bufio.NewReader(r)
	for {
		text, err := readLine(b)
		select {
		case lines <- execLine{text, err}:
		case <-done:
			return
		}
		if err != nil {
			return
		}
	}
}

func readLine(b *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := b.ReadSlice('\n')
		if len(line)+len(part) > execLineSize {
			return nil, fmt.Errorf("answer of more than %d bytes", execLineSize)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case len(line) > 0 && errors.Is(err, io.EOF):
			return line, nil // the next call meets the end again
		case errors.Is(err, io.EOF):
			return nil, ErrDecoderEnded
		default:
			return nil, err
		}
	}
}

// payload returns an error that is no PayloadError once the process is of no use; the payload is
// then shown as bytes.
func (d *execDecoder) payload(r *Request, e *raftpb.Entry) error {
	data := r.open(e.Data, d.showSecrets)
	r.body = opaque{}
	if d.broken != nil {
		return d.broken
	}
	line, err := d.ask(data)
	if err != nil {
		if end := d.process.Close(); end != nil { // tells how it ended
			err = fmt.Errorf("%w: %w", err, end)
		}
		d.broken = fmt.Errorf("decoder exec: entry %s, after %d answers: %w", e.ID(), d.answered, err)
		return d.broken
	}
	d.answered++
	r.Op, r.body = "exec", newExecBody(line)
	return nil
}

// ask writes a line and reads one. The process may write before it has read everything, so both go
// on at once.
func (d *execDecoder) ask(data []byte) ([]byte, error) {
	select {
	case l := <-d.lines:
		if l.err != nil {
			return nil, l.err
		}
		return nil, ErrDecoderOutOfStep
	default:
	}
	d.out = append(hex.AppendEncode(d.out[:0], data), '\n')
	written := make(chan error, 1)
	go func() {
		_, err := d.process.Write(d.out)
		written <- err
	}()
	return d.await(written)
}

func (d *execDecoder) await(written <-chan error) ([]byte, error) {
	timer := time.NewTimer(d.timeout)
	defer timer.Stop()
	var line []byte
	for lines := d.lines; lines != nil || written != nil; {
		select {
		case l := <-lines:
			if l.err != nil {
				return nil, l.err
			}
			line, lines = l.text, nil
		case err := <-written:
			if errors.Is(err, syscall.EPIPE) {
				return nil, ErrDecoderEnded // which the other side may tell later
			}
			if err != nil {
				return nil, fmt.Errorf("write: %w", err)
			}
			written = nil
		case <-timer.C:
			return nil, fmt.Errorf("%w within %v", ErrDecoderTimeout, d.timeout)
		}
	}
	return line, nil
}

// Close ends the process.
func (d *execDecoder) Close() error {
	select {
	case <-d.done:
		return nil
	default:
	}
	close(d.done)
	if d.broken != nil {
		return nil // ended, and reported
	}
	d.broken = ErrDecoderEnded
	return d.process.Close()
}

// execBody shows an answer.
type execBody struct{ status, text []byte }

// newExecBody takes STATUS|DATA apart. A status is a word; without one all of the line is data.
func newExecBody(line []byte) *execBody {
	const maxStatus = 32
	status, text, ok := bytes.Cut(line, []byte{'|'})
	status = bytes.TrimSpace(status)
	if !ok || len(status) == 0 || len(status) > maxStatus || !isStatus(status) {
		return &execBody{text: line}
	}
	return &execBody{status, bytes.TrimSpace(text)}
}

func isStatus(word []byte) bool {
	for _, c := range word {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func (b *execBody) appendSummary(dst []byte, _ *Request, s *Style) []byte {
	dst = append(dst, "exec"...)
	if b.status != nil {
		dst = append(append(dst, ' '), b.status...)
	}
	switch s.Values {
	case ValuesNone:
		return appendSize(append(dst, ' '), len(b.text))
	case ValuesFull:
		return appendVisible(append(dst, ' '), b.shown(-1, s), -1)
	}
	return appendVisible(append(dst, ' '), b.shown(judgedCompact, s), 2*summaryValue)
}

// shown returns the first bytes of the answer without the secrets in them; all of it if limit is below 0.
func (b *execBody) shown(limit int, s *Style) []byte {
	e := stored{value: b.text}.expose(nil, limit, s)
	if e.all {
		return []byte(redacted)
	}
	return e.text
}

func (b *execBody) appendJSON(dst []byte, _ *Request, s *Style) []byte {
	if b.status != nil {
		dst = jsontext.AppendString(jsontext.AppendName(dst, "status"), b.status)
	}
	whole := s.Values == ValuesFull || s.Values == ValuesShort && len(b.text) <= jsonWhole
	if whole && isJSON(b.text) && utf8.Valid(b.text) && json.Valid(b.text) {
		return appendJSONOf(dst, "json", b.text, s)
	}
	return appendValueJSON(dst, "text", stored{value: b.text}, s)
}
