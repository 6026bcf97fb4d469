package decode

import (
	"bytes"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/internal/wirefield"
)

// Object is what a value that Kubernetes stored says about itself. The slices point into the value; of an
// object in JSON they have the strings as they are written, with their escapes.
type Object struct {
	APIVersion, Kind, Namespace, Name []byte
	Encrypted                         []byte // provider, version and key's name, where it is encrypted

	json bool // as custom resources are stored
}

// protobuf reports whether the object is stored in protobuf, as those are that the API server knows.
func (o *Object) protobuf() bool { return !o.json && o.Encrypted == nil }

var (
	kubernetesMagic     = []byte("k8s\x00")
	kubernetesEncrypted = []byte("k8s:enc:")
)

// The fields by which a Kubernetes object is recognised. The value is a runtime.Unknown, which
// wraps the object's own bytes; every object begins with its ObjectMeta.
const (
	unknownTypeMeta    = 1
	unknownRaw         = 2
	typeMetaAPIVersion = 1
	typeMetaKind       = 2
	objectMetadata     = 1
	metaName           = 1
	metaNamespace      = 3
)

// Kubernetes tells what a value is that Kubernetes stored in protobuf, in JSON or encrypted; ok is false
// for any other value. Fields that aren't there stay nil, damaged ones too.
func Kubernetes(value []byte) (o Object, ok bool) {
	if len(value) == 0 || value[0] != 'k' {
		return parseManifest(value)
	}
	if rest, ok := bytes.CutPrefix(value, kubernetesEncrypted); ok {
		return parseEncrypted(rest)
	}
	unknown, ok := bytes.CutPrefix(value, kubernetesMagic)
	if !ok {
		return Object{}, false
	}
	typeMeta := wirefield.Bytes(unknown, unknownTypeMeta)
	meta := wirefield.Bytes(wirefield.Bytes(unknown, unknownRaw), objectMetadata)
	o = Object{
		APIVersion: wirefield.Bytes(typeMeta, typeMetaAPIVersion),
		Kind:       wirefield.Bytes(typeMeta, typeMetaKind),
		Namespace:  wirefield.Bytes(meta, metaNamespace),
		Name:       wirefield.Bytes(meta, metaName),
	}
	return o, o.Kind != nil
}

// manifestSize is how much of an object in JSON is looked at for its name: lists of who manages its
// fields stand before that.
const manifestSize = 16 << 10

// parseManifest reads an object in JSON as the API server writes it: custom resources, and what other
// stores are told to keep so. Version and kind come first, in either order.
func parseManifest(value []byte) (o Object, ok bool) {
	if o.APIVersion, o.Kind, ok = manifestKind(value); !ok {
		return Object{}, false
	}
	for name, m := range jsonMembers(value[:min(len(value), manifestSize)]) {
		if string(name) == "metadata" {
			o.readMetadata(m)
			break
		}
	}
	o.json = true
	return o, true
}

// manifestKind reads what an object in JSON begins with.
func manifestKind(value []byte) (apiVersion, kind []byte, ok bool) {
	const versionIs, kindIs = `{"apiVersion":"`, `{"kind":"`
	if rest, ok := bytes.CutPrefix(value, []byte(versionIs)); ok {
		apiVersion, kind = firstTwo(rest, kindIs[1:])
	} else if rest, ok := bytes.CutPrefix(value, []byte(kindIs)); ok {
		kind, apiVersion = firstTwo(rest, versionIs[1:])
	}
	return apiVersion, kind, len(kind) > 0 && len(apiVersion) > 0
}

// firstTwo returns the rest of the string that a text begins within, and the string that follows it under
// that name; nil if it doesn't.
func firstTwo(text []byte, name string) (first, second []byte) {
	const maxWord = 256
	text = text[:min(len(text), maxWord)]
	end := bytes.IndexByte(text, '"')
	if end < 0 || !bytes.HasPrefix(text[end+1:], []byte(","+name)) {
		return nil, nil
	}
	rest := text[end+1+len(",")+len(name):]
	if n := bytes.IndexByte(rest, '"'); n > 0 {
		return text[:end], rest[:n]
	}
	return nil, nil
}

func (o *Object) readMetadata(metadata []byte) {
	for name, m := range jsonMembers(metadata) {
		switch string(name) {
		case "name":
			o.Name = jsonText(m)
		case "namespace":
			o.Namespace = jsonText(m)
		}
	}
}

// parseEncrypted reads what an encryption provider of Kubernetes puts before a value, as in
// aescbc:v1:key1: – three words, each followed by a colon.
func parseEncrypted(rest []byte) (o Object, ok bool) {
	const maxPrefix = 256 // names of keys are short
	head := rest[:min(len(rest), maxPrefix)]
	end := 0
	for range 3 {
		i := bytes.IndexByte(head[end:], ':')
		if i < 0 {
			return Object{}, false
		}
		end += i + 1
	}
	return Object{Encrypted: head[:end-1]}, true
}

// appendSummary appends the object for people: v1/Pod kube-system/etcd-0.
func (o *Object) appendSummary(dst []byte) []byte {
	if o.Encrypted != nil {
		return appendWord(append(dst, "encrypted by "...), o.Encrypted, summaryValue)
	}
	if len(o.APIVersion) > 0 {
		dst = append(appendVisible(dst, o.APIVersion, summaryValue), '/')
	}
	dst = appendVisible(dst, o.Kind, summaryValue)
	if len(o.Name) == 0 {
		return dst
	}
	dst = append(dst, ' ')
	if len(o.Namespace) > 0 {
		dst = append(appendVisible(dst, o.Namespace, summaryValue), '/')
	}
	return appendVisible(dst, o.Name, summaryKey)
}

// appendJSON appends the object as JSON.
func (o *Object) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for _, m := range [...]struct {
		name string
		data []byte
	}{
		{"api_version", o.APIVersion},
		{"kind", o.Kind},
		{"namespace", o.Namespace},
		{"name", o.Name},
		{"encryption", o.Encrypted},
	} {
		if len(m.data) > 0 {
			dst = jsontext.AppendBytes(dst, m.name, m.data)
		}
	}
	return append(dst, '}')
}
