package correct

import (
	"bytes"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// At the head of a log whose first segments were removed nothing proves the checksum that it begins
// with. A flipped bit of it looks just like one in the first 32 bits of the data behind it, the
// metadata. What tells the two apart is what is known of the metadata from elsewhere: the other segments
// repeat it, and the member's ID is among the voters of snapshot records, or gets votes.

// fitIdentity drops the candidates that make the metadata something else than it is known to be. If it is
// not known, only single bits can be told apart, by the members that the log names.
func (s *search) fitIdentity(x *found) {
	if !s.headUnproven() || len(x.patches) == 0 || x.single && len(x.patches) == 1 {
		return
	}
	if s.knownMetadata() == nil && !x.single {
		x.doubt = "the checksum at the segment's head, which nothing proves, may be wrong as well"
		return
	}
	fits := func(p patch) bool { return s.isIdentity(s.metadataWith(p)) }
	if s.knownMetadata() != nil || slices.ContainsFunc(x.patches, fits) {
		x.patches = slices.DeleteFunc(x.patches, func(p patch) bool { return !fits(p) })
	}
}

// maxIdentity is how large metadata is at most. That of etcd has 22 bytes.
const maxIdentity = 4 << 10

// isIdentity reports whether data is the metadata that other segments hold or, if there are none, names
// one of the members that the log names. Of the cluster's ID that says nothing.
func (s *search) isIdentity(data []byte) bool {
	if known := s.knownMetadata(); known != nil {
		return bytes.Equal(data, known)
	}
	if s.members == nil {
		s.members = s.memberIDs()
	}
	var m wal.Metadata
	return s.log.Dialect() == wal.Etcd && m.Unmarshal(data) == nil && s.members[m.NodeID]
}

// metadataWith returns the metadata at the damage as it is with a patch.
func (s *search) metadataWith(p patch) []byte {
	f, ok := s.frame()
	if !ok || f.DataLen > maxIdentity {
		return nil
	}
	b := make([]byte, f.DataLen)
	if _, err := (&patched{s.src, p}).ReadAt(b, f.DataOff); err != nil {
		s.err = err
	}
	return b
}

// knownMetadata returns the metadata of the first other segment that holds some, nil if none does.
func (s *search) knownMetadata() []byte {
	if !s.looked {
		s.looked, s.metadata = true, s.otherMetadata()
	}
	return s.metadata
}

func (s *search) otherMetadata() []byte {
	for i := range s.log.Segments() {
		if i == s.site.Segment {
			continue
		}
		n := 0
		for r, err := range s.log.SegmentRecords(i) {
			if n++; err != nil || n > 2 {
				break
			}
			if r.Kind == wal.KindMetadata && !r.Unchecked {
				return bytes.Clone(r.Data)
			}
		}
	}
	return nil
}

// memberIDs returns the IDs of members that the records of the log name.
func (s *search) memberIDs() map[uint64]bool {
	ids := map[uint64]bool{}
	for r, err := range s.log.Records(wal.Inspect) {
		if s.err = s.ctx.Err(); err != nil || s.err != nil {
			break
		}
		switch r.Kind {
		case wal.KindState:
			var st raftpb.HardState
			if st.Unmarshal(r.Data) == nil {
				ids[st.Vote] = true
			}
		case wal.KindSnapshot:
			var snap wal.Snapshot
			if snap.Unmarshal(r.Data) == nil && snap.ConfState != nil {
				for _, list := range [][]uint64{snap.ConfState.Voters, snap.ConfState.Learners} {
					for _, id := range list {
						ids[id] = true
					}
				}
			}
		}
	}
	return ids
}
