package raftpb

import "slices"

var (
	confChangeSchema = &schema{"ConfChange", []field{
		{"id", wireVarint}, {"type", wireVarint}, {"node_id", wireVarint}, {"context", wireBytes},
	}}
	confChangeSingleSchema = &schema{"ConfChangeSingle", []field{
		{"type", wireVarint}, {"node_id", wireVarint},
	}}
	confChangeV2Schema = &schema{"ConfChangeV2", []field{
		{"transition", wireVarint}, {"changes", wireBytes}, {"context", wireBytes},
	}}
)

const (
	tagConfChangeID      = 1<<3 | wireVarint
	tagConfChangeType    = 2<<3 | wireVarint
	tagConfChangeNodeID  = 3<<3 | wireVarint
	tagConfChangeContext = 4<<3 | wireBytes

	tagSingleType   = 1<<3 | wireVarint
	tagSingleNodeID = 2<<3 | wireVarint

	tagV2Transition = 1<<3 | wireVarint
	tagV2Changes    = 2<<3 | wireBytes
	tagV2Context    = 3<<3 | wireBytes
)

// The wire form of a change. In FlavorPbgo a zero ID is left out; in both flavours nil Context is.
//
//	+----+----+----+------+----+--------+----+-----+---------+
//	| 08 | ID | 10 | Type | 18 | NodeID | 22 | len | Context |
//	+----+----+----+------+----+--------+----+-----+---------+

// Size returns the number of bytes that AppendTo appends.
func (c *ConfChange) Size(f Flavor) int {
	return sizeUint(c.ID, f == FlavorGogo) +
		sizeUint(uint64(c.Type), true) +
		sizeUint(c.NodeID, true) +
		sizeBytes(c.Context)
}

// AppendTo appends the change's encoding to b.
func (c *ConfChange) AppendTo(b []byte, f Flavor) []byte {
	b = appendUint(b, tagConfChangeID, c.ID, f == FlavorGogo)
	b = appendUint(b, tagConfChangeType, uint64(c.Type), true)
	b = appendUint(b, tagConfChangeNodeID, c.NodeID, true)
	return appendBytes(b, tagConfChangeContext, c.Context)
}

// Marshal returns the change's encoding.
func (c *ConfChange) Marshal(f Flavor) []byte { return c.AppendTo(make([]byte, 0, c.Size(f)), f) }

// Unmarshal sets *c to the change that b encodes. The error is a *DecodeError.
func (c *ConfChange) Unmarshal(b []byte) error {
	err := c.UnmarshalAlias(b)
	c.Context = clone(c.Context)
	return err
}

// UnmarshalAlias is Unmarshal with Context pointing into b.
func (c *ConfChange) UnmarshalAlias(b []byte) error {
	*c = ConfChange{}
	r := reader{buf: b, schema: confChangeSchema}
	for r.next() {
		switch r.tag {
		case tagConfChangeID:
			c.ID = r.varint()
		case tagConfChangeType:
			c.Type = ConfChangeType(r.varint())
		case tagConfChangeNodeID:
			c.NodeID = r.varint()
		case tagConfChangeContext:
			c.Context = r.bytes()
		default:
			r.skip()
		}
	}
	return r.err
}

// The wire form of one step of a ConfChangeV2, the same in both flavours.
//
//	+----+------+----+--------+
//	| 08 | Type | 10 | NodeID |
//	+----+------+----+--------+

// Size returns the number of bytes that AppendTo appends.
func (c *ConfChangeSingle) Size(_ Flavor) int {
	return sizeUint(uint64(c.Type), true) + sizeUint(c.NodeID, true)
}

// AppendTo appends the step's encoding to b.
func (c *ConfChangeSingle) AppendTo(b []byte, _ Flavor) []byte {
	b = appendUint(b, tagSingleType, uint64(c.Type), true)
	return appendUint(b, tagSingleNodeID, c.NodeID, true)
}

// Marshal returns the step's encoding.
func (c *ConfChangeSingle) Marshal(f Flavor) []byte {
	return c.AppendTo(make([]byte, 0, c.Size(f)), f)
}

// Unmarshal sets *c to the step that b encodes. The error is a *DecodeError.
func (c *ConfChangeSingle) Unmarshal(b []byte) error { return c.decode(b, 0) }

// UnmarshalAlias is Unmarshal: a step has no bytes to share.
func (c *ConfChangeSingle) UnmarshalAlias(b []byte) error { return c.Unmarshal(b) }

func (c *ConfChangeSingle) decode(b []byte, base int) error {
	*c = ConfChangeSingle{}
	r := reader{buf: b, base: base, schema: confChangeSingleSchema}
	for r.next() {
		switch r.tag {
		case tagSingleType:
			c.Type = ConfChangeType(r.varint())
		case tagSingleNodeID:
			c.NodeID = r.varint()
		default:
			r.skip()
		}
	}
	return r.err
}

// The wire form of a ConfChangeV2. In FlavorPbgo a zero Transition is left out, so that the change
// that leaves a joint configuration is no bytes at all; in both flavours nil Context is.
//
//	+----+------------+----+-----+------------------+-----+----+-----+---------+
//	| 08 | Transition | 12 | len | ConfChangeSingle | ... | 1a | len | Context |
//	+----+------------+----+-----+------------------+-----+----+-----+---------+

// Size returns the number of bytes that AppendTo appends.
func (c *ConfChangeV2) Size(f Flavor) int {
	n := sizeUint(uint64(c.Transition), f == FlavorGogo) + sizeBytes(c.Context)
	for i := range c.Changes {
		n += sizeLen(c.Changes[i].Size(f))
	}
	return n
}

// AppendTo appends the change's encoding to b.
func (c *ConfChangeV2) AppendTo(b []byte, f Flavor) []byte {
	b = appendUint(b, tagV2Transition, uint64(c.Transition), f == FlavorGogo)
	for i := range c.Changes {
		b = appendLen(b, tagV2Changes, c.Changes[i].Size(f))
		b = c.Changes[i].AppendTo(b, f)
	}
	return appendBytes(b, tagV2Context, c.Context)
}

// Marshal returns the change's encoding.
func (c *ConfChangeV2) Marshal(f Flavor) []byte { return c.AppendTo(make([]byte, 0, c.Size(f)), f) }

// Unmarshal sets *c to the change that b encodes. The error is a *DecodeError.
func (c *ConfChangeV2) Unmarshal(b []byte) error {
	err := c.UnmarshalAlias(b)
	c.Context = clone(c.Context)
	return err
}

// UnmarshalAlias is Unmarshal with Context pointing into b.
func (c *ConfChangeV2) UnmarshalAlias(b []byte) error {
	*c = ConfChangeV2{}
	r := reader{buf: b, schema: confChangeV2Schema}
	for r.next() {
		switch r.tag {
		case tagV2Transition:
			c.Transition = ConfChangeTransition(r.varint())
		case tagV2Changes:
			c.mergeChange(&r)
		case tagV2Context:
			c.Context = r.bytes()
		default:
			r.skip()
		}
	}
	return r.err
}

func (c *ConfChangeV2) mergeChange(r *reader) {
	if len(c.Changes) == 0 {
		c.Changes = slices.Grow(c.Changes, r.run())
	}
	value := r.bytes()
	c.Changes = append(c.Changes, ConfChangeSingle{})
	r.nested(c.Changes[len(c.Changes)-1].decode(value, r.start(value)))
}
