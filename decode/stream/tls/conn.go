package tls

import (
	"encoding/binary"
	"errors"
)

// The ends of a connection, as directions: what the client sends, and what the server does.
const (
	client = 0
	server = 1
)

// The types of records.
const (
	typeChange    = 20 // change of the cipher
	typeAlert     = 21
	typeHandshake = 22
	typeData      = 23
)

const (
	headSize  = 5
	maxRecord = 16384 + 2048 // of what follows the head
	version12 = 0x0303
	version13 = 0x0304

	// maxSkipped is how many records may be missing before the next one that can be read.
	maxSkipped = 1 << 12
)

// The reasons why a connection can't be read.
var (
	errShort   = errors.New("the record is too short")
	errNoKeys  = errors.New("the key log has no secrets of the session")
	errSuite   = errors.New("a cipher suite that isn't read")
	errVersion = errors.New("a version of TLS that isn't read")
	errOpen    = errors.New("a record can't be opened with the session's secrets")
	errRecord  = errors.New("no record of TLS")
)

// Conn reads a connection.
type Conn struct {
	keys   *Keys
	emit   func(dir int, plain []byte)
	dirs   [2]direction
	client int // which direction the client's is
	began  bool

	clientRandom, serverRandom []byte
	secrets                    *secrets
	suite                      suite
	version                    uint16
	err                        error
}

// direction is what is known of one.
type direction struct {
	buf     []byte // a record that isn't whole
	opener  *opener
	pending *opener // of TLS 1.2, from the change of the cipher on
	hello   []byte  // what there is of a message of the handshake
	done    bool    // the handshake is
	lost    bool    // records are missing before what comes next
}

// NewConn returns a reader of a connection whose directions are told as 0 and 1. What it reads goes to emit, and is valid until that
// returns.
func (k *Keys) NewConn(emit func(dir int, plain []byte)) *Conn { return &Conn{keys: k, emit: emit} }

// Data takes bytes of a direction, in their order. The error says why the connection can't be read, and stays.
func (c *Conn) Data(dir int, b []byte) error {
	d := &c.dirs[dir]
	d.buf = append(d.buf, b...)
	for c.err == nil && len(d.buf) >= headSize {
		size := int(binary.BigEndian.Uint16(d.buf[3:]))
		if !isHead(d.buf) || size > maxRecord {
			if !d.lost {
				c.err = errRecord
				break
			}
			d.buf = d.buf[1:]
			continue
		}
		if len(d.buf) < headSize+size {
			break
		}
		record := d.buf[:headSize+size]
		if err := c.record(dir, record); err != nil {
			if !d.lost {
				c.err = err
				break
			}
			d.buf = d.buf[1:] // no record begins there
			continue
		}
		d.lost = false
		d.buf = d.buf[len(record):]
	}
	if len(d.buf) == 0 || cap(d.buf) > 4*maxRecord {
		d.buf = append([]byte(nil), d.buf...)
	}
	return c.err
}

// Lost takes in that bytes are missing in a direction.
func (c *Conn) Lost(dir int) {
	d := &c.dirs[dir]
	d.lost, d.buf = true, nil
	if !d.done {
		c.err = errors.New("part of the handshake is missing")
	}
}

func isHead(b []byte) bool { return b[0] >= typeChange && b[0] <= typeData && b[1] == 3 && b[2] <= 4 }

// record takes a record.
func (c *Conn) record(dir int, record []byte) error {
	d := &c.dirs[dir]
	typ, body := record[0], record[headSize:]
	if typ == typeChange {
		if d.pending != nil {
			d.opener, d.pending = d.pending, nil
		}
		return nil
	}
	if d.opener != nil && (c.version == version12 || typ == typeData) {
		plain, err := d.open(record)
		if err != nil {
			return errOpen
		}
		if body = plain; c.version == version13 {
			if typ, body = inner(plain); typ == 0 {
				return errRecord
			}
		}
	} else if d.opener == nil && typ == typeData {
		return errNoKeys
	}
	switch typ {
	case typeData:
		d.done = true
		c.emit(dir, body)
	case typeHandshake:
		return c.handshake(dir, body)
	}
	return nil
}

// open opens a record. Behind missing ones its number isn't known.
func (d *direction) open(record []byte) ([]byte, error) {
	first := d.opener.seq
	for {
		plain, err := d.opener.open(record)
		if err == nil {
			return plain, nil
		}
		if d.opener.seq++; !d.lost || d.opener.seq-first > maxSkipped {
			d.opener.seq = first
			return nil, err
		}
	}
}

// inner returns the type and the content of an open record of TLS 1.3, behind which there may be zeros.
func inner(plain []byte) (typ byte, body []byte) {
	for n := len(plain) - 1; n >= 0; n-- {
		if plain[n] != 0 {
			return plain[n], plain[:n]
		}
	}
	return 0, nil
}
