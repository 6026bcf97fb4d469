package decode

import (
	"bytes"

	"github.com/raftctl/raftctl/internal/secret"
)

// stored is a value with the key that it stands under; nil if it stands under none.
type stored struct{ key, value []byte }

// Limits of how much of a value is looked at for secrets, where only its beginning is shown: what is
// behind it tells whether that has the beginning of one.
const (
	judgedSummary = 256 // bytes of text
	judgedCompact = 384 // bytes of JSON, whose white space isn't shown
	judgedPrefix  = jsonValue
)

// exposed is what of a value may be shown.
type exposed struct {
	text  []byte // the value, or its beginning, without the secrets in it
	whole bool   // it isn't only the beginning
	all   bool   // the value is a secret altogether: text is nil
	first int    // where in text the first secret was left out; -1: none was
}

// expose leaves the secrets out of the first bytes of a value; of all of them if limit is below 0. o is
// the object of Kubernetes that the value is, or nil.
func (v stored) expose(o *Object, limit int, s *Style) exposed {
	e := exposed{text: v.value, whole: true, first: -1}
	if limit >= 0 && len(v.value) > limit {
		e.text, e.whole = prefix(v.value, limit), false
	}
	if s.ShowSecrets {
		return e
	}
	if v.isSecret(o) {
		return exposed{all: true}
	}
	spans := secret.Find(e.text, e.whole)
	if spans == nil {
		return e
	}
	if !isText(e.text) { // nothing tells where a secret ends in it
		return exposed{all: true}
	}
	e.first = spans[0].Lo
	e.text = secret.AppendHidden(make([]byte, 0, len(e.text)+len(spans)*len(redacted)), e.text, spans)
	return e
}

// isSecret reports whether a value is a secret altogether: by its key, or as an object of Kubernetes.
// Of those that the API server stores in protobuf the kind says all, and those in JSON may be called what
// they like, so long as they don't lie in a folder for secrets.
func (v stored) isSecret(o *Object) bool {
	if o != nil && o.protobuf() {
		return secret.Kind(o.Kind)
	}
	switch secret.Key(v.key) {
	case secret.Stored:
		return true
	case secret.Named:
		if o == nil || o.Encrypted != nil {
			return true
		}
	}
	return secret.HasManifest(v.value) || hasObject(v.value)
}

// hasObject reports whether bytes may have in them an object in protobuf that is a secret: one that is
// damaged, or not all that there is.
func hasObject(data []byte) bool {
	if bytes.IndexByte(data, 0) < 0 || !bytes.Contains(data, kubernetesMagic) {
		return false
	}
	return bytes.Contains(data, []byte("Secret")) || bytes.Contains(data, []byte("OAuth"))
}

// eachSecret calls do with every secret in a value, until that returns false, which it reports.
func (v stored) eachSecret(do func(secret []byte) bool) bool {
	if len(v.value) == 0 {
		return true
	}
	var object *Object
	if o, ok := Kubernetes(v.value); ok {
		object = &o
	}
	if v.isSecret(object) {
		return do(v.value)
	}
	spans := secret.Find(v.value, true)
	if spans != nil && !isText(v.value) {
		return do(v.value)
	}
	for _, span := range spans {
		if !do(v.value[span.Lo:span.Hi]) {
			return false
		}
	}
	return true
}

// exposeJSON is expose for valid JSON, all of which is shown: what it returns is valid too.
func exposeJSON(text []byte, s *Style) (shown []byte, hidden bool) {
	e := stored{value: text}.expose(nil, -1, s)
	switch {
	case !e.all && e.first < 0:
		return text, false
	case e.all || !validJSON(e.text):
		return []byte(`"` + redacted + `"`), true
	}
	return e.text, true
}

// withheld reports whether bytes that nothing is known about are not shown: they have a secret in them,
// or may be a damaged request that stores one.
func withheld(data []byte, s *Style) bool {
	if s.ShowSecrets {
		return false
	}
	return hasObject(data) || mayHoldSecret(data) || bytes.Contains(data, []byte("/secrets/")) ||
		secret.HasManifest(data) || secret.Find(data, false) != nil
}
