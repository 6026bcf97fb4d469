package decode

import (
	"bytes"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/internal/wirefield"
)

// object is what a value that Kubernetes stored says about itself.
type object struct {
	apiVersion, kind, namespace, name []byte
	encryption                        []byte // provider, version and key's name, where it is encrypted
}

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

// parseObject tells what a value stored by Kubernetes in protobuf, or encrypted, is; ok is false
// for any other value. Fields that aren't there stay nil, damaged ones too.
func parseObject(value []byte) (o object, ok bool) {
	if rest, ok := bytes.CutPrefix(value, kubernetesEncrypted); ok {
		return parseEncrypted(rest)
	}
	unknown, ok := bytes.CutPrefix(value, kubernetesMagic)
	if !ok {
		return object{}, false
	}
	typeMeta := wirefield.Bytes(unknown, unknownTypeMeta)
	meta := wirefield.Bytes(wirefield.Bytes(unknown, unknownRaw), objectMetadata)
	o = object{
		apiVersion: wirefield.Bytes(typeMeta, typeMetaAPIVersion),
		kind:       wirefield.Bytes(typeMeta, typeMetaKind),
		namespace:  wirefield.Bytes(meta, metaNamespace),
		name:       wirefield.Bytes(meta, metaName),
	}
	return o, o.kind != nil
}

// parseEncrypted reads what an encryption provider of Kubernetes puts before a value, as in
// aescbc:v1:key1: – three words, each followed by a colon.
func parseEncrypted(rest []byte) (o object, ok bool) {
	const maxPrefix = 256 // names of keys are short
	head := rest[:min(len(rest), maxPrefix)]
	end := 0
	for range 3 {
		i := bytes.IndexByte(head[end:], ':')
		if i < 0 {
			return object{}, false
		}
		end += i + 1
	}
	return object{encryption: head[:end-1]}, true
}

// appendSummary appends the object for people: v1/Pod kube-system/etcd-0.
func (o *object) appendSummary(dst []byte) []byte {
	if o.encryption != nil {
		return appendWord(append(dst, "encrypted by "...), o.encryption, summaryValue)
	}
	if len(o.apiVersion) > 0 {
		dst = append(appendVisible(dst, o.apiVersion, summaryValue), '/')
	}
	dst = appendVisible(dst, o.kind, summaryValue)
	if len(o.name) == 0 {
		return dst
	}
	dst = append(dst, ' ')
	if len(o.namespace) > 0 {
		dst = append(appendVisible(dst, o.namespace, summaryValue), '/')
	}
	return appendVisible(dst, o.name, summaryKey)
}

// appendJSON appends the object as JSON.
func (o *object) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for _, m := range [...]struct {
		name string
		data []byte
	}{
		{"api_version", o.apiVersion},
		{"kind", o.kind},
		{"namespace", o.namespace},
		{"name", o.name},
		{"encryption", o.encryption},
	} {
		if len(m.data) > 0 {
			dst = jsontext.AppendBytes(dst, m.name, m.data)
		}
	}
	return append(dst, '}')
}
