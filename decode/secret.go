package decode

import "bytes"

// v2Users is the folder of the v2 store in which etcd keeps users, with their hashed passwords.
var v2Users = []byte("/2/users")

// holdsPasswords reports whether the fields of a v2 request are about a user.
func holdsPasswords(v2 []value) bool {
	path := find(v2, "path")
	return path != nil && bytes.HasPrefix(path.data, v2Users)
}

// AppendMasked appends the payload of an entry with every secret in it overwritten with asterisks:
// passwords and tokens in etcd's requests, and what [AppendValue] would leave out of the values in them
// or, where the payload is no request of etcd, out of the payload. The sizes stay, so what could be
// decoded still can be.
func AppendMasked(dst, data []byte) []byte { return appendMasked(dst, requestOf(data), data) }

// Masked returns the payload as [AppendMasked] appends it: data itself if it holds no secret, so that a
// large payload is not copied, and else a masked copy, in buf if that is large enough.
func Masked(buf, data []byte) []byte {
	m := requestOf(data)
	if !holdsSecret(m, data) {
		return data
	}
	return appendMasked(buf[:0], m, data)
}

// appendMasked is AppendMasked of a payload that is that message of etcd, or none if it is nil.
func appendMasked(dst []byte, m *message, data []byte) []byte {
	start := len(dst)
	dst = append(dst, data...)
	_ = eachSecret(m, dst[start:], func(secret []byte) bool {
		mask(secret)
		return true
	})
	return dst
}

// holdsSecret reports whether appendMasked would mask anything.
func holdsSecret(m *message, data []byte) bool {
	return !eachSecret(m, data, func([]byte) bool { return false })
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

// eachSecret calls do with every secret in a payload, until that returns false, which it reports.
func eachSecret(m *message, data []byte, do func(secret []byte) bool) bool {
	if m == nil {
		return stored{value: data}.eachSecret(do)
	}
	return m.eachSecret(within{data: data, key: lastKey(m, data)}, do)
}

// within is a message at some depth, and the key that its values stand under.
type within struct {
	data, key []byte
	depth     int
}

func (m *message) eachSecret(in within, do func(secret []byte) bool) bool {
	users := m == msgV2.lookup() && holdsPasswords(m.collect(nil, in.data))
	var keys keysOfParts
	for v := range m.known(in.data) {
		ok := true
		switch {
		case v.field.kind == kindSecret || users && v.field.kind == kindValue:
			ok = do(v.data)
		case v.field.kind == kindValue:
			ok = stored{in.key, v.data}.eachSecret(do)
		case v.field.kind != kindMessage || !v.field.msg.lookup().secretive:
		case in.depth == maxDepth: // nobody looks further
			ok = do(v.data)
		default:
			next := within{v.data, keys.of(m, in.data, &v), in.depth + 1}
			ok = v.field.msg.lookup().eachSecret(next, do)
		}
		if !ok {
			return false
		}
	}
	return true
}

// keysOfParts remembers the keys of fields that are messages, since those may come in parts.
type keysOfParts [2]struct {
	field *field
	key   []byte
}

// of returns the key in a message that a field of message m is.
func (k *keysOfParts) of(m *message, data []byte, v *value) []byte {
	if v.field.flag&repeated != 0 {
		return lastKey(v.field.msg.lookup(), v.data)
	}
	for i := range k {
		switch k[i].field {
		case v.field:
			return k[i].key
		case nil:
			k[i].field = v.field
			for part := range m.known(data) {
				if part.field != v.field {
					continue
				}
				if key := lastKey(v.field.msg.lookup(), part.data); key != nil {
					k[i].key = key
				}
			}
			return k[i].key
		}
	}
	return lastKey(v.field.msg.lookup(), v.data)
}

// lastKey returns the key, or the path, that a message has last; nil if it has none.
func lastKey(m *message, data []byte) (key []byte) {
	for v := range m.known(data) {
		if v.field.name == "key" || v.field.name == "path" {
			key = v.data
		}
	}
	return key
}

func mask(b []byte) {
	for i := range b {
		b[i] = '*'
	}
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
