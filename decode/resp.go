package decode

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/internal/secret"
	"github.com/raftctl/raftctl/raftpb"
)

// respDecoder reads Redis commands as clients send them: an array of bulk strings, or several of
// them one after the other.
//
//	*2\r\n $3\r\nGET\r\n $3\r\nkey\r\n
type respDecoder struct{ showSecrets bool }

func newResp(_ string, env Env) (payloadDecoder, error) { return respDecoder{env.ShowSecrets}, nil }

func (d respDecoder) payload(r *Request, e *raftpb.Entry) error {
	data := r.open(e.Data, d.showSecrets)
	if err := checkResp(data); err != nil {
		r.body = opaque{}
		return &PayloadError{Entry: e.ID(), Reason: "not RESP", Err: err}
	}
	c, _, _ := parseCommand(data)
	name := c.name()
	r.Op, r.body = respOp(name), respBody{}
	if !isSecretive(name) {
		r.Key = c.arg(1)
	}
	return nil
}

var (
	errRespLength = errors.New("no length in the form of RESP")
	errRespEnd    = errors.New("longer than the payload")
	errRespEmpty  = errors.New("array without elements")
)

// command is one array of bulk strings.
type command struct {
	n    int    // elements
	body []byte // the elements as they lie
}

func checkResp(data []byte) error {
	for off := 0; off < len(data); {
		_, n, err := parseCommand(data[off:])
		if err != nil {
			return fmt.Errorf("offset %d: %w", off, err)
		}
		off += n
	}
	return nil
}

// parseCommand reads the command at the beginning of b, and returns the number of its bytes.
func parseCommand(b []byte) (c command, size int, err error) {
	n, off, err := parseLength(b, '*')
	if err != nil {
		return command{}, 0, err
	}
	if n == 0 {
		return command{}, 0, errRespEmpty
	}
	start := off
	for range n {
		_, next, err := parseBulk(b, off)
		if err != nil {
			return command{}, 0, err
		}
		off = next
	}
	return command{n, b[start:off]}, off, nil
}

// parseBulk reads the bulk string at an offset, and returns the offset behind it.
func parseBulk(b []byte, off int) (s []byte, next int, err error) {
	size, n, err := parseLength(b[off:], '$')
	if err != nil {
		return nil, 0, err
	}
	off += n
	if size > len(b)-off-len("\r\n") {
		return nil, 0, errRespEnd
	}
	end := off + size
	if b[end] != '\r' || b[end+1] != '\n' {
		return nil, 0, errRespLength
	}
	return b[off:end], end + len("\r\n"), nil
}

// parseLength reads a type byte, a decimal number and a line end. The number is at most the number
// of bytes that follow.
func parseLength(b []byte, typ byte) (n, size int, err error) {
	const maxLine = 32
	end := bytes.Index(b[:min(len(b), maxLine)], []byte("\r\n"))
	if end < 2 || b[0] != typ || b[1] < '0' || b[1] > '9' {
		return 0, 0, errRespLength
	}
	v, err := strconv.ParseUint(string(b[1:end]), 10, 31)
	if err != nil {
		return 0, 0, errRespLength
	}
	if size = end + len("\r\n"); int(v) > len(b)-size {
		return 0, 0, errRespEnd
	}
	return int(v), size, nil
}

// args yields the elements with their numbers.
func (c command) args() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for i, off := 0, 0; i < c.n; i++ {
			s, next, err := parseBulk(c.body, off)
			if err != nil || !yield(i, s) {
				return
			}
			off = next
		}
	}
}

// arg returns an element, nil if there is none.
func (c command) arg(want int) []byte {
	for i, s := range c.args() {
		if i == want {
			return s
		}
	}
	return nil
}

// name returns the command's name in upper case.
func (c command) name() string { return string(bytes.ToUpper(c.arg(0))) }

// respOp returns the operation of a command: its name in lower case if that is a word.
func respOp(name string) Op {
	const maxName = 32
	for _, c := range []byte(name) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return "resp"
		}
	}
	if name == "" || len(name) > maxName {
		return "resp"
	}
	return Op(bytes.ToLower([]byte(name)))
}

// isSecretive reports whether a command may have a password among its arguments, or among those of
// the command within it.
func isSecretive(name string) bool {
	switch name {
	case "AUTH", "HELLO", "ACL", "CONFIG", "MIGRATE", "EVAL", "EVALSHA", "FCALL":
		return true
	}
	return false
}

// secretArg reports whether an argument of a command is hidden: all that follow the first word of a
// command that sets or presents passwords, since their order is free.
func secretArg(name string, i int) bool {
	switch name {
	case "AUTH", "HELLO":
		return i > 0
	case "ACL", "CONFIG", "MIGRATE":
		return i > 1
	}
	return false
}

// settingOf returns what an argument stands under: the one before if that is the name of a secret, as
// HSET has it, else the key of the command.
func settingOf(key, before []byte) []byte {
	if secret.Name(before) {
		return before
	}
	return key
}

// respBody shows commands.
type respBody struct{}

func (respBody) appendSummary(dst []byte, r *Request, s *Style) []byte {
	c, size, _ := parseCommand(r.data)
	dst = append(dst, r.Op...)
	name, hidden := c.name(), false
	var key, before []byte
	for i, arg := range c.args() {
		v := stored{settingOf(key, before), arg}
		switch before = arg; {
		case i == 0:
		case secretArg(name, i) && !s.ShowSecrets:
			hidden = true
		case i > 1:
			dst = appendArgument(append(dst, ' '), v, s)
		default:
			key = arg
			dst = appendWord(append(dst, ' '), arg, summaryKey)
		}
	}
	if hidden {
		dst = append(append(dst, ' '), redacted...)
	}
	if size < len(r.data) {
		dst = appendSize(append(dst, ", and more commands in "...), len(r.data)-size)
	}
	return dst
}

func (respBody) appendJSON(dst []byte, r *Request, s *Style) []byte {
	dst = append(jsontext.AppendName(dst, "commands"), '[')
	for data := r.data; len(data) > 0; {
		c, n, err := parseCommand(data)
		if err != nil {
			break // can't be: they were checked
		}
		data = data[n:]
		dst = appendCommandJSON(jsontext.AppendComma(dst), c, s)
	}
	return append(dst, ']')
}

func appendCommandJSON(dst []byte, c command, s *Style) []byte {
	name := c.name()
	dst = append(jsontext.AppendName(append(dst, '{'), "args"), '[')
	var key, before []byte
	for i, arg := range c.args() {
		dst = append(jsontext.AppendComma(dst), '{')
		v := stored{settingOf(key, before), arg}
		switch before = arg; {
		case secretArg(name, i) && !s.ShowSecrets:
			dst = jsontext.AppendString(jsontext.AppendName(dst, "arg"), redacted)
		case i < 2:
			key = arg
			dst = jsontext.AppendBytes(dst, "arg", arg)
		default:
			dst = appendValueJSON(dst, "arg", v, s)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']', '}')
}
