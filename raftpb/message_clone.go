package raftpb

import (
	"bytes"
	"slices"
)

// Clone returns a copy of m that shares no memory with it.
func (m *Message) Clone() *Message {
	c := *m
	c.Entries = slices.Clone(m.Entries)
	for i := range c.Entries {
		c.Entries[i].Data = bytes.Clone(c.Entries[i].Data)
	}
	if m.Snapshot != nil {
		c.Snapshot = m.Snapshot.Clone()
	}
	c.Context = bytes.Clone(m.Context)
	c.Responses = slices.Clone(m.Responses)
	for i := range c.Responses {
		c.Responses[i] = *m.Responses[i].Clone()
	}
	return &c
}

// Clone returns a copy of s that shares no memory with it.
func (s *Snapshot) Clone() *Snapshot {
	c := *s
	c.Data = bytes.Clone(s.Data)
	cs := &c.Metadata.ConfState
	for _, ids := range []*[]uint64{&cs.Voters, &cs.Learners, &cs.VotersOutgoing, &cs.LearnersNext} {
		*ids = slices.Clone(*ids)
	}
	return &c
}
