package snapshot

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may nest: as deep as encoding/json, and so etcd, lets
// them.
const maxDepth = 10000

// jsonScanner reads JSON in one pass. Text without escapes that it returns shares memory with what
// is read. Every error is a *[StoreError].
type jsonScanner struct {
	text  string
	off   int
	depth int
}

func (p *jsonScanner) fail(off int, format string, args ...any) error {
	return &StoreError{Off: int64(off), Err: fmt.Errorf(format, args...)}
}

// found is the error for what lies at off, where something else is wanted.
func (p *jsonScanner) found(want string) error {
	if p.off >= len(p.text) {
		return p.fail(len(p.text), "the data ends, want %s", want)
	}
	return p.fail(p.off, "found %q, want %s", p.text[p.off], want)
}

func (p *jsonScanner) space() {
	for p.off < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.off]) >= 0 {
		p.off++
	}
}

// peek returns the first byte of what comes next, 0 at the end.
func (p *jsonScanner) peek() byte {
	if p.space(); p.off < len(p.text) {
		return p.text[p.off]
	}
	return 0
}

func (p *jsonScanner) expect(c byte) error {
	if p.peek() != c {
		return p.found(fmt.Sprintf("%q", c))
	}
	p.off++
	return nil
}

func (p *jsonScanner) isNull() bool { return p.peek() == 'n' }

// list reads what lies between two brackets: elements, with a comma between two.
func (p *jsonScanner) list(open, end byte, element func() error) error {
	if err := p.expect(open); err != nil {
		return err
	}
	if p.depth++; p.depth > maxDepth {
		return p.fail(p.off-1, "more than %d levels", maxDepth)
	}
	if p.peek() != end {
		for {
			if err := element(); err != nil {
				return err
			}
			if p.peek() != ',' {
				break
			}
			p.off++
		}
	}
	p.depth--
	return p.expect(end)
}

// object reads an object, or null. Visit is called at each value, and must read it.
func (p *jsonScanner) object(visit func(name string) error) error {
	if p.isNull() {
		return p.skip()
	}
	return p.list('{', '}', func() error {
		var name string
		if p.peek() != '"' {
			return p.found("a name")
		}
		if err := p.string(&name); err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		return visit(name)
	})
}

// skip reads any value.
func (p *jsonScanner) skip() error {
	switch p.peek() {
	case '{':
		return p.object(func(string) error { return p.skip() })
	case '[':
		return p.list('[', ']', p.skip)
	case '"':
		_, err := p.quoted()
		return err
	case 'n':
		return p.literal("null")
	case 't':
		return p.literal("true")
	case 'f':
		return p.literal("false")
	}
	return p.number(func(string) error { return nil })
}

// raw reads any value and returns its text.
func (p *jsonScanner) raw() (string, error) {
	p.space()
	off := p.off
	err := p.skip()
	return p.text[off:p.off], err
}

func (p *jsonScanner) literal(word string) error {
	if !strings.HasPrefix(p.text[p.off:], word) {
		return p.found(word)
	}
	p.off += len(word)
	return nil
}

// number reads a number, or null, and hands its text on.
func (p *jsonScanner) number(parse func(text string) error) error {
	if p.isNull() {
		return p.literal("null")
	}
	off := p.off
	for p.off < len(p.text) && strings.IndexByte("+-0123456789.eE", p.text[p.off]) >= 0 {
		p.off++
	}
	if p.off == off {
		return p.found("a number")
	}
	text := p.text[off:p.off]
	if !json.Valid([]byte(text)) {
		return p.fail(off, "%q is no number", text)
	}
	if err := parse(text); err != nil {
		return p.fail(off, "%w", err)
	}
	return nil
}

// string reads a string, or null, which changes nothing.
func (p *jsonScanner) string(to *string) error {
	if p.isNull() {
		return p.literal("null")
	}
	off := p.off
	plain, err := p.quoted()
	if err != nil {
		return err
	}
	text := p.text[off:p.off]
	if plain && utf8.ValidString(text) {
		*to = text[1 : len(text)-1]
		return nil
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return p.fail(off, "%w", err)
	}
	return nil
}

// quoted passes over a string. Plain is one without escapes.
func (p *jsonScanner) quoted() (plain bool, err error) {
	if p.peek() != '"' {
		return false, p.found("a string")
	}
	p.off++
	for plain = true; ; p.off++ {
		switch {
		case p.off >= len(p.text) || p.text[p.off] < ' ':
			return false, p.found("the rest of a string")
		case p.text[p.off] == '"':
			p.off++
			return plain, nil
		case p.text[p.off] == '\\':
			plain = false
			if err := p.escape(); err != nil {
				return false, err
			}
		}
	}
}

const hexDigits = "0123456789abcdefABCDEF"

// escape passes over an escape but for its last byte.
func (p *jsonScanner) escape() error {
	if p.off++; p.off >= len(p.text) || strings.IndexByte(`"\/bfnrtu`, p.text[p.off]) < 0 {
		return p.found("an escape")
	}
	if p.text[p.off] != 'u' {
		return nil
	}
	for range 4 {
		if p.off++; p.off >= len(p.text) || strings.IndexByte(hexDigits, p.text[p.off]) < 0 {
			return p.found("a hex digit")
		}
	}
	return nil
}
