package secret

import "bytes"

// words are what the names of secrets have in them, in lower case and without signs in between.
var words = [...]string{
	"password", "passwd", "passphrase", "passcode", "passwort", "pwd", "secret", "token",
	"credential", "creds", "cookie", "authorization", "jwt", "mnemonic",
	"apikey", "privatekey", "privkey", "accesskey", "secretkey", "sharedkey", "accountkey", "encryptionkey",
	"decryptionkey", "signingkey", "masterkey", "sshkey", "hmackey", "authkey", "sessionkey",
	"licensekey", "clientkey", "serverkey", "tlskey", "rsakey", "aeskey", "cipherkey", "deploykey",
	"rootkey", "wrappingkey", "storagekey", "consumerkey", "passkey",
}

// ends are secrets only where the name of a field ends with them, and not with what unlike has.
var ends = [...]struct {
	word   string
	unlike []string
	key    bool // keys too
}{
	{"pass", []string{"bypass", "compass", "surpass", "trespass", "overpass", "underpass"}, true},
	{"psk", nil, true},
	{"auth", []string{"oauth"}, false},
	{"otp", nil, false},
	{"cred", []string{"sacred"}, false},
}

// harmless are what may follow a word in the name of a thing that is about a secret and is none: a
// password's policy, the file that a token lies in.
var harmless = setOf(
	"name", "names", "ref", "refs", "reference", "references", "file", "files", "filename", "path", "paths",
	"dir", "directory", "type", "types", "kind", "ttl", "expiry", "expires", "expiresat", "expiresin",
	"expiration", "expirationseconds", "expirationtime", "lifetime", "timeout", "duration", "maxage",
	"seconds", "minutes", "hours", "days", "period", "interval", "policy", "policies", "enabled", "disabled",
	"required", "rotation", "length", "minlength", "maxlength", "size", "count", "limit", "limits", "version",
	"algorithm", "alg", "format", "mode", "modes", "method", "methods", "url", "uri", "endpoint", "server",
	"issuer", "audience", "audiences", "provider", "providers", "providerclass", "store", "stores", "manager",
	"service", "controller", "operator", "review", "reviews", "request", "requests", "less", "reset", "resetat",
	"changed", "changedat", "lastchanged", "lastupdated", "updatedat", "createdat", "rotatedat", "namespace",
	"selector", "template", "class", "usage", "used", "scope", "scopes", "issuedat", "lookup", "prompt", "label",
)

// unlike are the beginnings of words that a word is only part of: secretary, tokenizer.
var unlike = [...]string{"ary", "ariat", "iz", "is"}

// counts precede the word token where tokens are counted.
var counts = [...]string{"max", "min", "num", "total", "count", "prompt", "completion", "input", "output"}

func setOf(list ...string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}

// maxName is how many letters and digits of a name are looked at, from its end.
const maxName = 96

// letters is a name in lower case, without signs.
type letters struct {
	buf [maxName]byte
	n   int
}

func (l *letters) set(name []byte) []byte {
	if len(name) > 2*maxName {
		name = name[len(name)-2*maxName:]
	}
	l.n = 0
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		} else if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			continue
		}
		if l.n == maxName {
			copy(l.buf[:], l.buf[1:])
			l.n--
		}
		l.buf[l.n] = c
		l.n++
	}
	return l.buf[:l.n]
}

// Name reports whether a field of that name holds a secret: DB_PASSWORD, clientSecret, x-api-key, but
// not passwordPolicy or secretName. Case doesn't count, nor do signs.
func Name(name []byte) bool {
	if !theHunter.suspects(name) {
		return false
	}
	var l letters
	return isName(l.set(name), false)
}

// isName reports whether a name in letters is that of a secret, as the name of a field or of a key.
func isName(name []byte, key bool) bool {
	if word, tail := lastWord(name); word != "" {
		return !harmless[string(tail)]
	}
	for i := range ends {
		if e := &ends[i]; bytes.HasSuffix(name, []byte(e.word)) {
			return (e.key || !key) && !hasAnySuffix(name, e.unlike)
		}
	}
	return false
}

func hasAnySuffix(name []byte, list []string) bool {
	for _, s := range list {
		if bytes.HasSuffix(name, []byte(s)) {
			return true
		}
	}
	return false
}

func hasAnyPrefix(name []byte, list []string) bool {
	for _, s := range list {
		if bytes.HasPrefix(name, []byte(s)) {
			return true
		}
	}
	return false
}

// byLetter has the words that begin with a letter.
var byLetter = func() (list ['z' + 1][]string) {
	for _, w := range words {
		list[w[0]] = append(list[w[0]], w)
	}
	return list
}()

// lastWord returns the last of the words that a name has, the longer of two that end alike, and what
// follows it, a plural's s not counted; an empty word if it has none.
func lastWord(name []byte) (word string, tail []byte) {
	end := 0
	for i, c := range name {
		for _, w := range byLetter[c] {
			rest, ok := bytes.CutPrefix(name[i:], []byte(w))
			if ok && !hasAnyPrefix(rest, unlike[:]) && (w != "token" || !hasAnyPrefix(name, counts[:])) {
				if i+len(w) > end {
					word, end = w, i+len(w)
				}
			}
		}
	}
	return word, bytes.TrimPrefix(name[end:], []byte("s"))
}
