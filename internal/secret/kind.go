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
	return hasKind(text, "Secret") || hasKind(text, "OAuth")
}

// hasKind looks for the kinds that have a word in them. What stands around it is looked at only then.
func hasKind(text []byte, word string) bool {
	const maxKind = 32
	for off := 0; ; off += len(word) {
		i := bytes.Index(text[off:], []byte(word))
		if i < 0 {
			return false
		}
		off += i
		lo, hi := off, off+len(word)
		for lo > 0 && isAlnum(text[lo-1]) && off-lo < len("User") {
			lo--
		}
		for hi < min(len(text), off+maxKind) && isAlnum(text[hi]) {
			hi++
		}
		if Kind(text[lo:hi]) && isKindLabel(text[:lo]) {
			return true
		}
	}
}

// isKindLabel reports whether a text ends with the label of a kind: kind: or "kind":".
func isKindLabel(text []byte) bool {
	const maxLabel = 64
	const around = `\"' ` + "\t\r\n"
	text = bytes.TrimRight(text[max(0, len(text)-maxLabel):], around)
	text, ok := bytes.CutSuffix(text, []byte{':'})
	return ok && bytes.HasSuffix(bytes.TrimRight(text, around), []byte("kind"))
}
