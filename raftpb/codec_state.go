package raftpb

var hardStateSchema = &schema{"HardState", []field{
	{"term", wireVarint}, {"vote", wireVarint}, {"commit", wireVarint},
}}

const (
	tagHardStateTerm   = 1<<3 | wireVarint
	tagHardStateVote   = 2<<3 | wireVarint
	tagHardStateCommit = 3<<3 | wireVarint
)

// The wire form of a hard state. In FlavorPbgo an empty one is no bytes at all.
//
//	+----+------+----+------+----+--------+
//	| 08 | term | 10 | vote | 18 | commit |
//	+----+------+----+------+----+--------+

// Size returns the number of bytes that AppendTo appends.
func (s *HardState) Size(f Flavor) int {
	if f != FlavorGogo && s.IsEmpty() {
		return 0
	}
	return sizeUint(s.Term, true) + sizeUint(s.Vote, true) + sizeUint(s.Commit, true)
}

// AppendTo appends the state's encoding to b.
func (s *HardState) AppendTo(b []byte, f Flavor) []byte {
	if f != FlavorGogo && s.IsEmpty() {
		return b
	}
	b = appendUint(b, tagHardStateTerm, s.Term, true)
	b = appendUint(b, tagHardStateVote, s.Vote, true)
	return appendUint(b, tagHardStateCommit, s.Commit, true)
}

// Marshal returns the state's encoding.
func (s *HardState) Marshal(f Flavor) []byte { return s.AppendTo(make([]byte, 0, s.Size(f)), f) }

// Unmarshal sets *s to the state that b encodes. The error is a *DecodeError.
func (s *HardState) Unmarshal(b []byte) error { return s.decode(b, false) }

// UnmarshalAlias is Unmarshal: a state has no bytes to share.
func (s *HardState) UnmarshalAlias(b []byte) error { return s.Unmarshal(b) }

// UnmarshalStrict is Unmarshal that refuses fields which a state doesn't have. It is for bytes whose
// type is in doubt: an entry with data would otherwise pass for a state.
func (s *HardState) UnmarshalStrict(b []byte) error { return s.decode(b, true) }

func (s *HardState) decode(b []byte, strict bool) error {
	*s = HardState{}
	r := reader{buf: b, schema: hardStateSchema, strict: strict}
	for r.next() {
		switch r.tag {
		case tagHardStateTerm:
			s.Term = r.varint()
		case tagHardStateVote:
			s.Vote = r.varint()
		case tagHardStateCommit:
			s.Commit = r.varint()
		default:
			r.skip()
		}
	}
	return r.err
}

var confStateSchema = &schema{"ConfState", []field{
	{"voters", wireVarint}, {"learners", wireVarint}, {"voters_outgoing", wireVarint},
	{"learners_next", wireVarint}, {"auto_leave", wireVarint},
}}

const (
	tagConfStateVoters         = 1<<3 | wireVarint
	tagConfStateLearners       = 2<<3 | wireVarint
	tagConfStateVotersOutgoing = 3<<3 | wireVarint
	tagConfStateLearnersNext   = 4<<3 | wireVarint
	tagConfStateAutoLeave      = 5<<3 | wireVarint

	packed = wireVarint ^ wireBytes // turns the tag of a single element into that of a packed list
)

// The wire form of a membership, the same in both flavours: each list as one field an element.
//
//	+----+----+-----+----+----+-----+----+----+-----+----+----+-----+----+------------+
//	| 08 | ID | ... | 10 | ID | ... | 18 | ID | ... | 20 | ID | ... | 28 | auto_leave |
//	+----+----+-----+----+----+-----+----+----+-----+----+----+-----+----+------------+
//	  voters          learners        voters_outgoing learners_next

// Size returns the number of bytes that AppendTo appends.
func (s *ConfState) Size(_ Flavor) int {
	return sizeList(s.Voters) +
		sizeList(s.Learners) +
		sizeList(s.VotersOutgoing) +
		sizeList(s.LearnersNext) +
		2
}

// AppendTo appends the membership's encoding to b.
func (s *ConfState) AppendTo(b []byte, _ Flavor) []byte {
	b = appendList(b, tagConfStateVoters, s.Voters)
	b = appendList(b, tagConfStateLearners, s.Learners)
	b = appendList(b, tagConfStateVotersOutgoing, s.VotersOutgoing)
	b = appendList(b, tagConfStateLearnersNext, s.LearnersNext)
	return appendUint(b, tagConfStateAutoLeave, boolToUint(s.AutoLeave), true)
}

// Marshal returns the membership's encoding.
func (s *ConfState) Marshal(f Flavor) []byte { return s.AppendTo(make([]byte, 0, s.Size(f)), f) }

// Unmarshal sets *s to the membership that b encodes. The error is a *DecodeError.
func (s *ConfState) Unmarshal(b []byte) error {
	*s = ConfState{}
	return s.merge(b, 0)
}

// UnmarshalAlias is Unmarshal: a membership has no bytes to share.
func (s *ConfState) UnmarshalAlias(b []byte) error { return s.Unmarshal(b) }

func (s *ConfState) merge(b []byte, base int) error {
	r := reader{buf: b, base: base, schema: confStateSchema}
	for r.next() {
		switch r.tag {
		case tagConfStateVoters, tagConfStateVoters ^ packed:
			s.Voters = r.uint64s(s.Voters)
		case tagConfStateLearners, tagConfStateLearners ^ packed:
			s.Learners = r.uint64s(s.Learners)
		case tagConfStateVotersOutgoing, tagConfStateVotersOutgoing ^ packed:
			s.VotersOutgoing = r.uint64s(s.VotersOutgoing)
		case tagConfStateLearnersNext, tagConfStateLearnersNext ^ packed:
			s.LearnersNext = r.uint64s(s.LearnersNext)
		case tagConfStateAutoLeave:
			s.AutoLeave = r.varint() != 0
		default:
			r.skip()
		}
	}
	return r.err
}

var (
	snapshotMetadataSchema = &schema{"SnapshotMetadata", []field{
		{"conf_state", wireBytes}, {"index", wireVarint}, {"term", wireVarint},
	}}
	snapshotSchema = &schema{"Snapshot", []field{{"data", wireBytes}, {"metadata", wireBytes}}}
)

const (
	tagMetadataConfState = 1<<3 | wireBytes
	tagMetadataIndex     = 2<<3 | wireVarint
	tagMetadataTerm      = 3<<3 | wireVarint

	tagSnapshotData     = 1<<3 | wireBytes
	tagSnapshotMetadata = 2<<3 | wireBytes
)

// The wire form of a snapshot's metadata, the same in both flavours.
//
//	+----+-----+-----------+----+-------+----+------+
//	| 0a | len | ConfState | 10 | index | 18 | term |
//	+----+-----+-----------+----+-------+----+------+

// Size returns the number of bytes that AppendTo appends.
func (m *SnapshotMetadata) Size(f Flavor) int {
	return sizeLen(m.ConfState.Size(f)) + sizeUint(m.Index, true) + sizeUint(m.Term, true)
}

// AppendTo appends the metadata's encoding to b.
func (m *SnapshotMetadata) AppendTo(b []byte, f Flavor) []byte {
	b = appendLen(b, tagMetadataConfState, m.ConfState.Size(f))
	b = m.ConfState.AppendTo(b, f)
	b = appendUint(b, tagMetadataIndex, m.Index, true)
	return appendUint(b, tagMetadataTerm, m.Term, true)
}

// Marshal returns the metadata's encoding.
func (m *SnapshotMetadata) Marshal(f Flavor) []byte {
	return m.AppendTo(make([]byte, 0, m.Size(f)), f)
}

// Unmarshal sets *m to the metadata that b encodes. The error is a *DecodeError.
func (m *SnapshotMetadata) Unmarshal(b []byte) error {
	*m = SnapshotMetadata{}
	return m.merge(b, 0)
}

// UnmarshalAlias is Unmarshal: metadata has no bytes to share.
func (m *SnapshotMetadata) UnmarshalAlias(b []byte) error { return m.Unmarshal(b) }

func (m *SnapshotMetadata) merge(b []byte, base int) error {
	r := reader{buf: b, base: base, schema: snapshotMetadataSchema}
	for r.next() {
		switch r.tag {
		case tagMetadataConfState:
			value := r.bytes()
			r.nested(m.ConfState.merge(value, r.start(value)))
		case tagMetadataIndex:
			m.Index = r.varint()
		case tagMetadataTerm:
			m.Term = r.varint()
		default:
			r.skip()
		}
	}
	return r.err
}

// The wire form of a snapshot, the same in both flavours. Nil Data is left out.
//
//	+----+-----+------+----+-----+------------------+
//	| 0a | len | Data | 12 | len | SnapshotMetadata |
//	+----+-----+------+----+-----+------------------+

// Size returns the number of bytes that AppendTo appends.
func (s *Snapshot) Size(f Flavor) int { return sizeBytes(s.Data) + sizeLen(s.Metadata.Size(f)) }

// AppendTo appends the snapshot's encoding to b.
func (s *Snapshot) AppendTo(b []byte, f Flavor) []byte {
	b = appendBytes(b, tagSnapshotData, s.Data)
	b = appendLen(b, tagSnapshotMetadata, s.Metadata.Size(f))
	return s.Metadata.AppendTo(b, f)
}

// Marshal returns the snapshot's encoding.
func (s *Snapshot) Marshal(f Flavor) []byte { return s.AppendTo(make([]byte, 0, s.Size(f)), f) }

// Unmarshal sets *s to the snapshot that b encodes. The error is a *DecodeError.
func (s *Snapshot) Unmarshal(b []byte) error {
	err := s.UnmarshalAlias(b)
	s.Data = clone(s.Data)
	return err
}

// UnmarshalAlias is Unmarshal with Data pointing into b.
func (s *Snapshot) UnmarshalAlias(b []byte) error {
	*s = Snapshot{}
	return s.merge(b, 0)
}

func (s *Snapshot) merge(b []byte, base int) error {
	r := reader{buf: b, base: base, schema: snapshotSchema}
	for r.next() {
		switch r.tag {
		case tagSnapshotData:
			s.Data = r.bytes()
		case tagSnapshotMetadata:
			value := r.bytes()
			r.nested(s.Metadata.merge(value, r.start(value)))
		default:
			r.skip()
		}
	}
	return r.err
}
