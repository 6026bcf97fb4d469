package stream

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/decode"
)

const (
	maxAsked = 1 << 10  // commands of a connection whose answers are awaited
	maxResp  = 16 << 20 // bytes of a command or an answer that are looked at

	statusAnswer = 200 // stands for an answer of RESP, which has no numbers
	statusError  = 500 // for one that is an error
)

// RespConn makes events of a connection between a client and a server that speak RESP, as Redis does. Commands and
// answers are exchanges on ChannelClient: the method is the command's name, the path its first argument, the note how
// many there are, or what the answer is. An answer has status 200, an error 500. Values are never told.
//
// What is lost or is no RESP is a gap, behind which nothing more is told of that direction.
type RespConn struct {
	plain
	scan  [2]decode.RespScanner
	asked []Exchange // commands without answer, the oldest first
}

// OpenResp returns a new connection on which RESP is spoken. Direction 0 is from the client.
func (d *Decoder) OpenResp(id uint64) *RespConn {
	return &RespConn{plain: plain{d: d, id: id, channel: ChannelClient, unit: "value"}}
}

// Data takes bytes that follow those of the last call for that direction.
func (c *RespConn) Data(dir Direction, b []byte, at Seen) {
	s := &c.sides[dir]
	if s.lost || c.d.stopped {
		return
	}
	s.buf = append(s.buf, b...)
	off := 0
	for off < len(s.buf) && !s.lost {
		n, err := c.next(dir, s.buf[off:])
		switch {
		case err != nil:
			c.give(dir, at, int64(len(s.buf)-off), err.Error())
			return
		case n == 0 && len(s.buf)-off > maxResp:
			c.give(dir, at, int64(len(s.buf)-off), fmt.Sprintf("a value of more than %d bytes", maxResp))
			return
		case n == 0:
			s.buf = s.buf[:copy(s.buf, s.buf[off:])]
			c.account(dir, at)
			return
		}
		c.tell(dir, s.buf[off:off+n], at)
		off += n
	}
	if s.buf = s.buf[:0]; cap(s.buf) > maxKept {
		s.buf = nil
	}
	c.account(dir, at)
}

// next returns the length of the command or answer that b begins with, or 0 if more bytes belong to it.
func (c *RespConn) next(dir Direction, b []byte) (n int, err error) {
	if dir == 0 && b[0] != '*' { // a line, as people type it
		return bytes.IndexByte(b, '\n') + 1, nil
	}
	return c.scan[dir].Scan(b)
}

var errNoName = errors.New("no command: its name is no word")

// tell emits a command or an answer.
func (c *RespConn) tell(dir Direction, b []byte, at Seen) {
	var x Exchange
	if dir == 0 {
		name, key, args, err := decode.RespCommand(b)
		if err == nil && !isName(name) {
			err = errNoName
		}
		if err != nil {
			c.give(0, at, int64(len(b)), err.Error())
			return
		}
		x = Exchange{Method: name, Path: string(key), Note: argumentsNote(args)}
		if len(c.asked) < maxAsked {
			c.asked = append(c.asked, x)
		}
	} else {
		if len(c.asked) > 0 {
			x, c.asked = c.asked[0], c.asked[1:]
		}
		x.Status, x.Note = statusAnswer, answerNote(b)
		if b[0] == '-' || b[0] == '!' {
			x.Status = statusError
		}
	}
	e := c.event(KindExchange, dir, int64(len(b)), at)
	c.d.exchange = x
	e.Exchange = &c.d.exchange
	c.d.send(e)
}

func argumentsNote(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// answerNote says what an answer is, without what it holds, which may be anybody's secret: the text of an error
// alone is told.
func answerNote(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	switch b[0] {
	case '+':
		return string(line[1:])
	case '-':
		return string(line[1:])
	case ':':
		return "number " + string(line[1:])
	case '$', '=', '!':
		if string(line[1:]) == "-1" {
			return "nothing"
		}
		return "string of " + string(line[1:]) + " bytes"
	case '*', '~', '>', '%':
		return string(line[1:]) + " elements"
	case '_':
		return "nothing"
	}
	return string(line)
}
