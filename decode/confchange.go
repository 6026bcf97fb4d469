package decode

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
)

// confChange is a membership change, of either kind.
type confChange struct {
	v1     raftpb.ConfChange
	v2     raftpb.ConfChangeV2
	member *member // what the context holds; nil if it isn't a member
}

// member is what etcd writes into the context of a membership change, as JSON.
type member struct {
	ID         uint64   `json:"id"`
	PeerURLs   []string `json:"peerURLs"`
	IsLearner  bool     `json:"isLearner"`
	Name       string   `json:"name"`
	ClientURLs []string `json:"clientURLs"`
	IsPromote  bool     `json:"isPromote"`
}

// parseMember reads a context. It fails for what is not, or not only, a member.
func parseMember(context []byte) *member {
	d := json.NewDecoder(bytes.NewReader(context))
	d.DisallowUnknownFields()
	m := new(member)
	if len(context) == 0 || d.Decode(m) != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		return nil
	}
	return m
}

// ConfChange returns the membership change that the request is, nil if it is none or malformed. Its
// bytes are valid as long as the entry's data is.
func (r *Request) ConfChange() raftpb.ConfChangeI {
	switch {
	case r.change == nil:
		return nil
	case r.Op == OpConfChange:
		return r.change.v1
	}
	return r.change.v2
}

func (r *Request) readConfChange() error {
	c := new(confChange)
	r.Op = OpConfChange
	if err := c.v1.UnmarshalAlias(r.data); err != nil {
		return err
	}
	c.member = parseMember(c.v1.Context)
	r.ID, r.change, r.body = c.v1.ID, c, confChangeBody{}
	return nil
}

func (r *Request) readConfChangeV2() error {
	c := new(confChange)
	r.Op = OpConfChangeV2
	if err := c.v2.UnmarshalAlias(r.data); err != nil {
		return err
	}
	c.member = parseMember(c.v2.Context)
	r.change, r.body = c, confChangeV2Body{}
	return nil
}

// confChangeBody shows a change of one member.
type confChangeBody struct{}

func (confChangeBody) appendSummary(dst []byte, r *Request, _ *Style) []byte {
	c := &r.change.v1
	dst = appendChange(dst, raftpb.ConfChangeSingle{Type: c.Type, NodeID: c.NodeID}, r.change.member)
	return appendContextWords(dst, r.change, c.Context)
}

func (confChangeBody) appendJSON(dst []byte, r *Request, _ *Style) []byte {
	c := &r.change.v1
	dst = append(jsontext.AppendName(dst, "conf_change"), '{')
	if c.ID != 0 {
		dst = appendOrigin(jsontext.AppendID(jsontext.AppendName(dst, "id"), c.ID), c.ID)
	}
	dst = appendChangeJSON(dst, raftpb.ConfChangeSingle{Type: c.Type, NodeID: c.NodeID})
	return append(appendContext(dst, r.change, c.Context), '}')
}

// confChangeV2Body shows a change of any number of members.
type confChangeV2Body struct{}

func (confChangeV2Body) appendSummary(dst []byte, r *Request, _ *Style) []byte {
	c := &r.change.v2
	if c.LeaveJoint() {
		dst = append(dst, "leave joint configuration"...)
	}
	for i, single := range c.Changes {
		if i == summaryList {
			dst = appendMore(dst, len(c.Changes)-i)
			break
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendChange(dst, single, nil)
	}
	if autoLeave, joint := c.EnterJoint(); joint && autoLeave {
		dst = append(dst, " through a joint configuration"...)
	} else if joint {
		dst = append(dst, " through a joint configuration that is left explicitly"...)
	}
	return appendContextWords(dst, r.change, c.Context)
}

func (confChangeV2Body) appendJSON(dst []byte, r *Request, _ *Style) []byte {
	c := &r.change.v2
	dst = append(jsontext.AppendName(dst, "conf_change_v2"), '{')
	dst = appendNamed(jsontext.AppendName(dst, "transition"), transitionNames[:], int32(c.Transition))
	dst = append(jsontext.AppendName(dst, "changes"), '[')
	for _, single := range c.Changes {
		dst = append(jsontext.AppendComma(dst), '{')
		dst = append(appendChangeJSON(dst, single), '}')
	}
	return append(appendContext(append(dst, ']'), r.change, c.Context), '}')
}

// The names of changes and transitions in JSON: those of raft.proto in snake case, without what
// they begin with.
var (
	changeNames = [...]string{
		raftpb.ConfChangeAddNode:        "add_node",
		raftpb.ConfChangeRemoveNode:     "remove_node",
		raftpb.ConfChangeUpdateNode:     "update_node",
		raftpb.ConfChangeAddLearnerNode: "add_learner_node",
	}
	transitionNames = [...]string{
		raftpb.ConfChangeTransitionAuto:          "auto",
		raftpb.ConfChangeTransitionJointImplicit: "joint_implicit",
		raftpb.ConfChangeTransitionJointExplicit: "joint_explicit",
	}
	changeWords = [...]string{
		raftpb.ConfChangeAddNode:        "add voter",
		raftpb.ConfChangeRemoveNode:     "remove",
		raftpb.ConfChangeUpdateNode:     "update",
		raftpb.ConfChangeAddLearnerNode: "add learner",
	}
)

// appendNamed appends the name of an enum's value, or its number if it has none.
func appendNamed(dst []byte, names []string, v int32) []byte {
	return appendEnum(dst, &field{enum: names}, uint64(uint32(v)))
}

// appendChange appends one step for people. A learner that becomes a voter is added as one, and
// only the context tells.
func appendChange(dst []byte, c raftpb.ConfChangeSingle, m *member) []byte {
	if c.Type == raftpb.ConfChangeAddNode && m != nil && m.IsPromote {
		return appendHexWord(append(dst, "promote"...), c.NodeID)
	}
	dst = appendEnumWord(dst, &field{enum: changeWords[:]}, uint64(uint32(c.Type)))
	return appendHexWord(dst, c.NodeID)
}

func appendChangeJSON(dst []byte, c raftpb.ConfChangeSingle) []byte {
	dst = appendNamed(jsontext.AppendName(dst, "type"), changeNames[:], int32(c.Type))
	return jsontext.AppendID(jsontext.AppendName(dst, "node_id"), c.NodeID)
}

// appendContextWords appends what a context adds for people: name and addresses of the member. An
// ID in it that is not the change's is pointed out: etcd stops when it comes to such a change.
func appendContextWords(dst []byte, c *confChange, context []byte) []byte {
	m := c.member
	if m == nil {
		if len(context) == 0 {
			return dst
		}
		return appendWord(append(dst, " context "...), context, summaryValue)
	}
	if m.Name != "" {
		dst = appendWord(append(dst, ' '), []byte(m.Name), summaryKey)
	}
	for _, url := range m.PeerURLs {
		dst = appendWord(append(dst, ' '), []byte(url), summaryKey)
	}
	if m.ID != c.v1.NodeID && c.v2.Changes == nil {
		dst = appendHexWord(append(dst, " context names"...), m.ID)
	}
	return dst
}

// appendContext appends the member in a context, or the context as it is where it isn't a member.
func appendContext(dst []byte, c *confChange, context []byte) []byte {
	m := c.member
	if m == nil {
		if len(context) == 0 {
			return dst
		}
		return jsontext.AppendBytes(dst, "context", context)
	}
	dst = append(jsontext.AppendName(dst, "member"), '{')
	dst = jsontext.AppendID(jsontext.AppendName(dst, "id"), m.ID)
	if m.Name != "" {
		dst = jsontext.AppendString(jsontext.AppendName(dst, "name"), m.Name)
	}
	dst = appendStrings(dst, "peer_urls", m.PeerURLs)
	dst = appendStrings(dst, "client_urls", m.ClientURLs)
	if m.IsLearner {
		dst = append(jsontext.AppendName(dst, "is_learner"), "true"...)
	}
	if m.IsPromote {
		dst = append(jsontext.AppendName(dst, "is_promote"), "true"...)
	}
	return append(dst, '}')
}

func appendStrings(dst []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(jsontext.AppendName(dst, name), '[')
	for _, s := range list {
		dst = jsontext.AppendString(jsontext.AppendComma(dst), s)
	}
	return append(dst, ']')
}
