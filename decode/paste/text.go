package paste

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Form is how bytes were written down.
type Form string

// The forms.
const (
	FormHex    Form = "hex"
	FormDump   Form = "hex dump" // of hexdump -C, xxd or od -tx1
	FormBase64 Form = "base64"
	FormQuoted Form = "quoted text" // a string of Go or C with escapes
	FormRaw    Form = "bytes"
)

// ErrForm is returned for what is none of the forms.
var ErrForm = errors.New("neither hex nor base64, nor a dump or quoted text")

// Reading is one way to read what was pasted.
type Reading struct {
	Form  Form
	Bytes []byte
}

// Read returns the ways to read what was pasted, the most likely one first: text that is hex may be base64 as
// well. The error is ErrForm if there is none.
func Read(pasted []byte) ([]Reading, error) {
	var all []Reading
	add := func(f Form, b []byte, ok bool) {
		if ok && len(b) > 0 {
			all = append(all, Reading{f, b})
		}
	}
	if !utf8.Valid(pasted) || bytes.ContainsAny(pasted, "\x00\x01\x02\x03\x04\x05\x06\x07\x08") {
		return []Reading{{FormRaw, pasted}}, nil
	}
	text := strings.TrimSpace(string(pasted))
	b, ok := quoted(text)
	add(FormQuoted, b, ok)
	b, ok = dumped(text)
	add(FormDump, b, ok)
	b, ok = fromHex(text)
	add(FormHex, b, ok)
	b, ok = fromBase64(text)
	add(FormBase64, b, ok)
	if hasHTTP(pasted) {
		add(FormRaw, pasted, true)
	}
	if len(all) == 0 {
		return nil, ErrForm
	}
	return all, nil
}

var hexNoise = strings.NewReplacer("[]byte", "", "0x", "", "0X", "", `\x`, "", " ", "", "\n", "", "\r", "", "\t", "", ":", "", ",", "", "{", "", "}", "",
	"[", "", "]", "")

func fromHex(text string) ([]byte, bool) {
	b, err := hex.DecodeString(hexNoise.Replace(text))
	return b, err == nil
}

// dumpLine is a line of hexdump -C, xxd or od: an offset, bytes singly or in pairs, perhaps the text.
var dumpLine = regexp.MustCompile(`^([0-9a-fA-F]{5,16}):?((?:[ \t]+[0-9a-fA-F]{2,8})*)(?:[ \t]{2,}.*|[ \t]+[|>].*)?$`)

func dumped(text string) (b []byte, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		m := dumpLine.FindStringSubmatch(line)
		if m == nil {
			return nil, false
		}
		part, err := hex.DecodeString(strings.Join(strings.Fields(m[2]), ""))
		if err != nil {
			return nil, false
		}
		b = append(b, part...)
	}
	return b, len(b) > 0
}

func fromBase64(text string) ([]byte, bool) {
	text = strings.Join(strings.Fields(text), "")
	if strings.HasPrefix(text, "0x") {
		return nil, false
	}
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(strings.Trim(text, `"'`)), "=")
	b, err := base64.RawStdEncoding.DecodeString(text)
	return b, err == nil
}

// quoted reads a string as Go, C and most logs write it: in quotes, or bare with escapes.
func quoted(text string) ([]byte, bool) {
	if !strings.Contains(text, `\`) {
		return nil, false
	}
	if !strings.HasPrefix(text, `"`) {
		text = `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
	}
	s, err := strconv.Unquote(text)
	return []byte(s), err == nil
}

// hasHTTP reports whether bytes begin as a request or response between members does.
func hasHTTP(b []byte) bool {
	for _, begin := range []string{"GET /", "POST /", "HTTP/1.1 "} {
		if bytes.HasPrefix(b, []byte(begin)) {
			return true
		}
	}
	return false
}
