package secret

import (
	"bytes"
	"encoding/base64"
)

// at returns the byte at an offset, 0 if there is none.
func (s *scanner) at(i int) byte {
	if i < 0 || i >= len(s.text) {
		return 0
	}
	return s.text[i]
}

// unfinished reports whether an end is that of a text of which more would follow.
func (s *scanner) unfinished(end int) bool { return end == len(s.text) && !s.whole }

// jwt hides a JSON web token, or any other JSON object in base64.
func (s *scanner) jwt(start int) {
	const minSize = 12
	if len(s.text)-start >= minSize && isText(s.text[start:start+minSize]) ||
		len(s.text)-start < minSize && s.unfinished(s.runEnd(start)) {
		s.hide(start, s.runEnd(start))
	}
}

// isText reports whether base64 stands for printable text. Random bytes hardly ever do.
func isText(word []byte) bool {
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(word, "-_") {
		encoding = base64.RawURLEncoding
	}
	text, err := encoding.AppendDecode(nil, word)
	if err != nil {
		return false
	}
	for _, c := range text {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// pem hides a private key in PEM.
func (s *scanner) pem(start int) {
	const maxLabel = 64
	begin := bytes.TrimSuffix(s.text[:start], []byte(" "))
	lo := len(bytes.TrimRight(begin, "-"))
	if lo == len(begin) {
		return
	}
	label := s.text[start:min(len(s.text), start+maxLabel)]
	i := bytes.IndexByte(label, '-')
	switch {
	case i < 0 && s.unfinished(start+len(label)):
		s.hide(lo, len(s.text))
	case i >= 0 && bytes.Contains(label[:i], []byte("PRIVATE")):
		s.hide(lo, s.pemEnd(start+i))
	}
}

// pemEnd returns where a block ends whose first line ends at an offset: with the text if nothing tells.
func (s *scanner) pemEnd(i int) int {
	const dashes = "-----"
	end := bytes.Index(s.text[i:], []byte("-END "))
	if end < 0 {
		return len(s.text)
	}
	i += end + len("-END ")
	if end = bytes.Index(s.text[i:], []byte(dashes)); end < 0 {
		return len(s.text)
	}
	return i + end + len(dashes)
}

// hashes are the names that crypt and its successors begin a hash with.
var hashes = setOf("1", "2", "2a", "2b", "2x", "2y", "5", "6", "7", "8", "9", "y", "gy", "sha1", "md5", "apr1",
	"argon2", "argon2i", "argon2d", "argon2id", "scrypt", "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256",
	"pbkdf2-sha512", "bcrypt-sha256", "P", "H", "S")

// hash hides the hash of a password: $2a$10$…
func (s *scanner) hash(start int) {
	const maxID, minSize = 16, 8
	id := s.text[start+1 : min(len(s.text), start+1+maxID)]
	i := bytes.IndexByte(id, '$')
	if i < 0 {
		return
	}
	if !hashes[string(id[:i])] {
		return
	}
	from := start + 1 + i + 1
	end := from
	for end < len(s.text) {
		if next := s.runEnd(end); next > end {
			end = next
		} else if c := s.text[end]; c == '$' || c == ',' {
			end++
		} else {
			break
		}
	}
	if end-from >= minSize || s.unfinished(end) {
		s.hide(start, end)
	}
}

// scheme hides what proves who someone is in HTTP: Bearer and a token, Basic and a password in base64.
func (s *scanner) scheme(start int) {
	rest := s.text[start:]
	var word string
	for _, w := range [...]string{"bearer", "basic"} {
		if len(rest) > len(w) && bytes.EqualFold(rest[:len(w)], []byte(w)) && rest[len(w)] == ' ' {
			word = w
		}
	}
	if word == "" {
		return
	}
	lo := s.blanks(start + len(word))
	end := s.runEnd(lo)
	if word == "bearer" && isBearer(s.text[lo:end]) || word == "basic" && isBasic(s.text[lo:end]) ||
		end > lo && s.unfinished(end) {
		s.hide(lo, end)
	}
}

// isBearer reports whether a word is a token, and not one of a sentence about them.
func isBearer(word []byte) bool {
	const minSize = 4
	switch string(bytes.ToLower(bytes.TrimRight(word, "."))) {
	case "token", "tokens", "auth", "authentication", "authorization", "realm", "scheme", "format":
		return false
	}
	return len(word) >= minSize
}

// isBasic reports whether a word is a name and a password in base64.
func isBasic(word []byte) bool {
	word = bytes.TrimRight(word, "=")
	text, err := base64.RawStdEncoding.AppendDecode(nil, word)
	return err == nil && bytes.IndexByte(text, ':') >= 0
}
