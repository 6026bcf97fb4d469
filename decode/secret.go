package decode

import (
	"bytes"
	"slices"
)

// v2Users is the folder of the v2 store in which etcd keeps users, with their hashed passwords.
var v2Users = []byte("/2/users")

// holdsPasswords reports whether the fields of a v2 request are about a user.
func holdsPasswords(v2 []value) bool {
	path := find(v2, "path")
	return path != nil && bytes.HasPrefix(path.data, v2Users)
}

// AppendMasked appends the payload of an etcd entry with every password and token in it
// overwritten with asterisks. The sizes stay, so what could be decoded still can be. It appends
// other payloads unchanged.
func AppendMasked(dst, data []byte) []byte {
	start := len(dst)
	dst = append(dst, data...)
	own := dst[start:]
	switch {
	case msgInternal.lookup().check(own, 0):
		maskSecrets(msgInternal.lookup(), own, 0)
	case msgV2.lookup().check(own, 0):
		maskSecrets(msgV2.lookup(), own, 0)
	}
	return dst
}

func maskSecrets(m *message, b []byte, depth int) {
	users := m == msgV2.lookup() && holdsPasswords(m.collect(nil, b))
	for v := range m.known(b) {
		switch {
		case v.field.kind == kindSecret || users && v.field.kind == kindValue:
			mask(v.data)
		case v.field.kind == kindMessage && v.field.msg.lookup().secretive() && depth < maxDepth:
			maskSecrets(v.field.msg.lookup(), v.data, depth+1)
		}
	}
}

func mask(b []byte) {
	for i := range b {
		b[i] = '*'
	}
}

// secretive reports whether the message itself may hold a secret. None that does lies deeper than
// one level.
func (m *message) secretive() bool {
	return m == msgV2.lookup() ||
		slices.ContainsFunc(m.fields, func(f field) bool { return f.kind == kindSecret })
}

// secretTags are the tags, as they lie on the wire, of the requests that hold secrets:
// authenticate, auth_user_add and auth_user_change_password.
var secretTags = [...][]byte{{0xa2, 0x3f}, {0xe2, 0x44}, {0xfa, 0x44}}

// mayHoldSecret reports whether bytes that are no etcd request may be a damaged one that holds a
// secret: then nothing of them should be shown. About one in twenty payloads of 1 KiB of random
// bytes is suspected wrongly.
func mayHoldSecret(data []byte) bool {
	for _, tag := range secretTags {
		if bytes.Contains(data, tag) {
			return true
		}
	}
	return bytes.Contains(data, v2Users)
}
