package decode

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// kind tells how a field's wire bytes are read, and how its value is shown.
type kind uint8

const (
	kindUint      kind = iota // uint64: a count or a revision
	kindInt                   // int64: likewise
	kindBool                  // true unless the varint is 0
	kindEnum                  // int32 with names
	kindID                    // 64 bits that name something, shown as hex
	kindRequestID             // kindID made by a server's ID generator: see Origin
	kindString                // UTF-8 by contract, though old encoders don't check it
	kindSecret                // kindString that is a password or a token
	kindBytes                 // a key
	kindValue                 // bytes that the user stored
	kindMessage
)

// wireType returns the only wire type that a field of the kind may have. None of the messages here
// has a list of scalars, so nothing is ever packed.
func (k kind) wireType() protowire.Type {
	if k >= kindString {
		return protowire.BytesType
	}
	return protowire.VarintType
}

// field describes one field of a message.
type field struct {
	num  protowire.Number
	name string // in snake case, as the JSON contract spells it
	kind kind
	flag flag
	one  uint8     // the oneof that the field belongs to, numbered from 1 within its message
	msg  messageID // of kindMessage
	enum []string  // of kindEnum: names by value
}

type flag uint8

const (
	repeated flag = 1 << iota
	shown         // an enum or bool whose zero says something: shown even if absent
)

// message describes one message.
type message struct {
	name     string // full name in etcd's schema
	fields   []field
	low      [16]*field // the fields with numbers below 16
	defaults []*field   // the fields that are shown even if absent

	secretive bool // it has a field that may hold a secret, or a message in it has
}

// Fills in what follows from the fields.
func init() {
	for i := range messages {
		m := &messages[i]
		for j := range m.fields {
			f := &m.fields[j]
			if int(f.num) < len(m.low) {
				m.low[f.num] = f
			}
			if f.flag&shown != 0 {
				m.defaults = append(m.defaults, f)
			}
		}
	}
	for found := true; found; { // messages contain each other
		found = false
		for i := range messages {
			if m := &messages[i]; !m.secretive && slices.ContainsFunc(m.fields, mayBeSecret) {
				m.secretive, found = true, true
			}
		}
	}
}

func mayBeSecret(f field) bool {
	return f.kind == kindSecret || f.kind == kindValue || f.kind == kindMessage && f.msg.lookup().secretive
}

// find returns the field with the number, or nil.
func (m *message) find(num protowire.Number) *field {
	if int(num) < len(m.low) {
		return m.low[num]
	}
	for i := range m.fields {
		if m.fields[i].num == num {
			return &m.fields[i]
		}
	}
	return nil
}

// named returns the field with the name, or nil.
func (m *message) named(name string) *field {
	for i := range m.fields {
		if m.fields[i].name == name {
			return &m.fields[i]
		}
	}
	return nil
}
