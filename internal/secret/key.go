package secret

import "bytes"

// Claim tells what a key says of the value under it.
type Claim uint8

// The claims.
const (
	NoClaim Claim = iota
	Named         // its name is that of a secret, or that of a folder above it
	Stored        // it lies in a folder that is for secrets and nothing else: /registry/secrets/…
)

// Key returns what a key says of its value. Of its last part it is enough to have the word in it,
// a folder must end with the word: /app/token/github, but not /tokenizer-model/config.
func Key(key []byte) Claim {
	if !theHunter.suspects(key) {
		return NoClaim
	}
	claim := NoClaim
	var l letters
	for len(key) > 0 {
		part, rest, folder := bytes.Cut(key, []byte{'/'})
		key = rest
		name := l.set(part)
		word, tail := lastWord(name)
		found := word != ""
		switch {
		case folder && string(name) == "authorization": // of permissions
		case found && len(tail) == 0 && isWord(name):
			return Stored
		case folder && found && len(tail) == 0, !folder && (isName(name, true) || isKeyFile(part)):
			claim = Named
		}
	}
	return claim
}

// isWord reports whether a name is one of the words, or its plural.
func isWord(name []byte) bool {
	for _, w := range words {
		if rest, ok := bytes.CutPrefix(name, []byte(w)); ok && (len(rest) == 0 || string(rest) == "s") {
			return true
		}
	}
	return false
}

// isKeyFile reports whether the last part of a key is named like a file with a private key.
func isKeyFile(name []byte) bool {
	return bytes.HasSuffix(name, []byte(".key")) || bytes.HasSuffix(name, []byte("-key.pem"))
}
