package decode

// Object is what a value that Kubernetes stored says about itself.
type Object struct{ APIVersion, Kind, Namespace, Name []byte }

// Kubernetes tells what a value stored by Kubernetes is; ok is false for any other value, and for one
// that is encrypted. The fields alias the value.
func Kubernetes(value []byte) (o Object, ok bool) {
	p, ok := parseObject(value)
	if !ok || p.encryption != nil {
		return Object{}, false
	}
	return Object{p.apiVersion, p.kind, p.namespace, p.name}, true
}
