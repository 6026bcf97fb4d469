package stream

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
)

// Names knows what members are called: by what events tell of it, which are entries by which members are added or
// publish their names, and answers to /members. Its zero value knows nobody.
type Names struct {
	byID    map[uint64]string
	request decode.Request
}

const (
	maxNames  = 1 << 12 // members whose names are kept
	maxNaming = 4 << 10 // bytes of an entry that is looked at
)

// Of returns what a member is called, or "".
func (n *Names) Of(id uint64) string { return n.byID[id] }

// ByName returns the member of a name.
func (n *Names) ByName(name string) (id uint64, ok bool) {
	for id, known := range n.byID {
		if known == name {
			return id, true
		}
	}
	return 0, false
}

// Set takes in what a member is called.
func (n *Names) Set(id uint64, name string) {
	if name == "" || id == 0 || len(n.byID) >= maxNames && n.byID[id] == "" {
		return
	}
	if n.byID == nil {
		n.byID = map[uint64]string{}
	}
	n.byID[id] = name
}

// Learn takes in what an event tells.
func (n *Names) Learn(e *Event) {
	switch {
	case e.Kind == KindExchange && e.Exchange.Status == 200 && strings.HasPrefix(e.Exchange.Path, "/members"):
		n.learnList(e.Exchange.Note)
	case e.Kind == KindMessage && (e.Message.Type == raftpb.MsgApp || e.Message.Type == raftpb.MsgProp):
		for i := range e.Message.Entries {
			if mayName(&e.Message.Entries[i]) {
				n.learnEntry(&e.Message.Entries[i])
			}
		}
	}
}

// learnList takes the note of an answer to /members: m1=8e9e05c52164694d m2=…
func (n *Names) learnList(note string) {
	for word := range strings.FieldsSeq(note) {
		i := strings.LastIndexByte(word, '=')
		if i < 0 {
			continue
		}
		if id, err := strconv.ParseUint(word[i+1:], 16, 64); err == nil {
			n.Set(id, word[:i])
		}
	}
}

// The field of a request by which members since 3.6 publish their names, and what those before write to.
var (
	attributesTag  = []byte{0xaa, 0x51}
	attributesPath = []byte("/attributes")
)

// mayName reports, at little cost, whether an entry may tell a name.
func mayName(e *raftpb.Entry) bool {
	if len(e.Data) > maxNaming {
		return false
	}
	return e.Type == raftpb.EntryConfChange || bytes.Contains(e.Data, attributesTag) || bytes.Contains(e.Data, attributesPath)
}

func (n *Names) learnEntry(e *raftpb.Entry) {
	if decode.Payload(&n.request, e) != nil {
		return
	}
	var m decode.Members // which takes what it is told where it doesn't know what came before
	_ = m.Restore(max(e.Index, 2)-1, nil)
	_, _ = m.Apply(max(e.Index, 2), &n.request)
	for _, member := range m.All() {
		n.Set(member.ID, member.Name)
	}
}
