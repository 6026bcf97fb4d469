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
	eachSecret(requestOf(own), own, 0, func(secret []byte) bool {
		mask(secret)
		return true
	})
	return dst
}

// Masked returns the payload as [AppendMasked] appends it: data itself if it holds no secret, so that a
// large payload is not copied, and else a masked copy, in buf if that is large enough.
func Masked(buf, data []byte) []byte {
	clean := eachSecret(requestOf(data), data, 0, func([]byte) bool { return false })
	if clean {
		return data
	}
	return AppendMasked(buf[:0], data)
}

// requestOf returns the message of etcd that a payload is, or nil.
func requestOf(data []byte) *message {
	for _, m := range [...]*message{msgInternal.lookup(), msgV2.lookup()} {
		if m.check(data, 0) {
			return m
		}
	}
	return nil
}

// eachSecret calls do with every password and token in a message, until that returns false, which it
// reports. A nil message has none.
func eachSecret(m *message, b []byte, depth int, do func(secret []byte) bool) bool {
	if m == nil {
		return true
	}
	users := m == msgV2.lookup() && holdsPasswords(m.collect(nil, b))
	for v := range m.known(b) {
		ok := true
		switch {
		case v.field.kind == kindSecret || users && v.field.kind == kindValue:
			ok = do(v.data)
		case v.field.kind == kindMessage && v.field.msg.lookup().secretive() && depth < maxDepth:
			ok = eachSecret(v.field.msg.lookup(), v.data, depth+1, do)
		}
		if !ok {
			return false
		}
	}
	return true
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
