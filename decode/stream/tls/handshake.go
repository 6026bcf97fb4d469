package tls

import (
	"bytes"
	"encoding/hex"
)

// The types of messages of a handshake.
const (
	helloClient = 1
	helloServer = 2
	finished    = 20
	keyUpdate   = 24
)

// maxHello bounds a message of a handshake: certificates are the largest.
const maxHello = 1 << 17

// retry is the random of a server that asks for another hello: RFC 8446, section 4.1.3.
var retry, _ = hex.DecodeString("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

// handshake takes messages of a handshake, which may begin and end within records.
func (c *Conn) handshake(dir int, b []byte) error {
	d := &c.dirs[dir]
	if c.version == version12 && d.done {
		return nil
	}
	d.hello = append(d.hello, b...)
	for len(d.hello) >= 4 {
		size := int(d.hello[1])<<16 | int(d.hello[2])<<8 | int(d.hello[3])
		if size > maxHello {
			if c.version == version12 && d.opener != nil { // encrypted
				d.hello = nil
				return nil
			}
			return errRecord
		}
		if len(d.hello) < 4+size {
			return nil
		}
		typ, body := d.hello[0], d.hello[4:4+size]
		d.hello = d.hello[4+size:]
		if err := c.message(dir, typ, body); err != nil {
			return err
		}
	}
	return nil
}

// message takes one message.
func (c *Conn) message(dir int, typ byte, body []byte) error {
	d := &c.dirs[dir]
	switch {
	case typ == helloClient && len(body) >= 2+randomSize:
		c.client, c.began = dir, true
		c.clientRandom = bytes.Clone(body[2 : 2+randomSize])
		if c.secrets = c.keys.byRandom[[randomSize]byte(c.clientRandom)]; c.secrets == nil {
			return errNoKeys
		}
	case typ == helloServer:
		if !c.began {
			return errNoKeys
		}
		return c.serverHello(body)
	case typ == finished:
		d.done = true
		if c.version == version13 {
			return c.useSecret(dir, &c.secrets.application)
		}
	case typ == keyUpdate && c.version == version13 && d.opener != nil:
		next, err := d.opener.next()
		if err == nil {
			d.opener = next
		}
		return err
	}
	return nil
}

// serverHello takes the version and the suite that the server has chosen.
func (c *Conn) serverHello(body []byte) error {
	if len(body) < 2+randomSize+1 {
		return errRecord
	}
	random, rest := body[2:2+randomSize], body[2+randomSize:]
	session := int(rest[0])
	if len(rest) < 1+session+3 {
		return errRecord
	}
	if bytes.Equal(random, retry) {
		return nil
	}
	c.serverRandom = bytes.Clone(random)
	rest = rest[1+session:]
	number := uint16(rest[0])<<8 | uint16(rest[1])
	c.version = uint16(body[0])<<8 | uint16(body[1])
	if v, ok := chosenVersion(rest[3:]); ok {
		c.version = v
	}
	var known bool
	if c.suite, known = suites[number]; !known {
		return errSuite
	}
	switch c.version {
	case version13:
		for dir := range c.dirs {
			if err := c.useSecret(dir, &c.secrets.handshake); err != nil {
				return err
			}
		}
		return nil
	case version12:
		return c.use12()
	}
	return errVersion
}

// chosenVersion looks for the extension that tells the version of TLS 1.3.
func chosenVersion(b []byte) (v uint16, ok bool) {
	const supportedVersions = 43
	if len(b) < 2 {
		return 0, false
	}
	for b = b[2:]; len(b) >= 4; {
		typ, size := uint16(b[0])<<8|uint16(b[1]), int(b[2])<<8|int(b[3])
		if len(b) < 4+size {
			return 0, false
		}
		if typ == supportedVersions && size == 2 {
			return uint16(b[4])<<8 | uint16(b[5]), true
		}
		b = b[4+size:]
	}
	return 0, false
}

// useSecret opens what follows in a direction with one of a pair of secrets of TLS 1.3.
func (c *Conn) useSecret(dir int, pair *[2][]byte) error {
	who := client
	if dir != c.client {
		who = server
	}
	if pair[who] == nil {
		return errNoKeys
	}
	o, err := newOpener(c.suite, pair[who])
	if err == nil {
		c.dirs[dir].opener = o
	}
	return err
}

// use12 makes ready for the changes of the cipher.
func (c *Conn) use12() error {
	if c.secrets.master == nil {
		return errNoKeys
	}
	pair, err := openers12(c.suite, c.secrets.master, c.clientRandom, c.serverRandom)
	if err != nil {
		return err
	}
	c.dirs[c.client].pending, c.dirs[1-c.client].pending = pair[client], pair[server]
	return nil
}
