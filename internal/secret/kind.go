package secret

import "bytes"

// kinds are the kinds of Kubernetes' and OpenShift's objects that are secrets.
var kinds = setOf("Secret", "TokenReview", "TokenRequest", "OAuthAccessToken", "OAuthAuthorizeToken",
	"UserOAuthAccessToken", "OAuthClient")

// Kind reports whether Kubernetes' objects of a kind, or lists of them, are secrets.
func Kind(kind []byte) bool { return kinds[string(bytes.TrimSuffix(kind, []byte("List")))] }

// HasManifest reports whether a text has the manifest of a secret of Kubernetes in it, in JSON or YAML,
// also within a string.
func HasManifest(text []byte) bool {
	word := []byte("kind")
	for {
		i := bytes.Index(text, word)
		if i < 0 {
			return false
		}
		text = text[i+len(word):]
		rest := bytes.TrimLeft(text, `\"' `+"\t\r\n")
		if value, ok := bytes.CutPrefix(rest, []byte{':'}); ok && Kind(firstWord(value)) {
			return true
		}
	}
}

// firstWord returns the first word of a value, without quotes.
func firstWord(value []byte) []byte {
	value = bytes.TrimLeft(value, `\"' `+"\t\r\n")
	n := 0
	for n < len(value) && isAlnum(value[n]) {
		n++
	}
	return value[:n]
}
