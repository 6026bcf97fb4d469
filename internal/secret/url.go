package secret

import "bytes"

// url hides the password in an address: scheme://user:password@host. Characters that a password
// should have been escaped for may stand in it.
func (s *scanner) url(start int) {
	const maxSize = 512
	from := start + len("://")
	end := s.addressEnd(from, min(len(s.text), from+maxSize))
	run := s.text[from:end]
	at := bytes.LastIndexByte(run, '@')
	user := run
	if at >= 0 {
		user = run[:at]
	}
	colon := bytes.IndexByte(user, ':')
	path := bytes.IndexAny(user, "/?#[")
	switch {
	case colon < 0:
		s.userOnly(from, at, path)
	case path >= 0 && path < colon || isPort(user[colon+1:]):
	case at >= 0 || s.unfinished(end):
		s.hide(from+colon+1, from+len(user))
	}
}

// userOnly hides a user without a password if it is as long as a token.
func (s *scanner) userOnly(from, at, path int) {
	const minToken = 20
	if at >= minToken && path < 0 {
		s.hide(from, from+at)
	}
}

// addressEnd returns where an address ends that has no white space, quotes or brackets in it, at limit at
// the latest.
func (s *scanner) addressEnd(i, limit int) int {
	for i < limit && (isAddress(s.text[i]) || s.text[i] == '\\' && s.at(i+1) == '/') {
		i++
	}
	return i
}

func isAddress(c byte) bool {
	return c > ' ' && c != '"' && c != '\'' && c != '`' && c != '<' && c != '>' && c != '\\'
}

// isPort reports whether what follows a colon is a port, and then a path.
func isPort(rest []byte) bool {
	const maxDigits = 5
	i := 0
	for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
		i++
	}
	if i == 0 || i > maxDigits {
		return false
	}
	return i < len(rest) && bytes.IndexByte([]byte("/?#,"), rest[i]) >= 0
}

// address hides the password before an address as Go's database drivers write it:
// user:password@tcp(host).
func (s *scanner) address(start int) {
	const maxSize = 256
	rest := s.text[start:]
	if !bytes.HasPrefix(rest, []byte("@tcp(")) && !bytes.HasPrefix(rest, []byte("@unix(")) {
		return
	}
	lo := start
	for lo > max(s.done, start-maxSize) && isAddress(s.text[lo-1]) {
		lo--
	}
	if colon := bytes.IndexByte(s.text[lo:start], ':'); colon >= 0 {
		s.hide(lo+colon+1, start)
	}
}
