package walcmd

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/raftpb"
)

// memberStat is a member as of the last committed entry.
type memberStat struct {
	ID       string   `json:"id"`
	Role     string   `json:"role"` // voter or learner
	Name     string   `json:"name,omitempty"`
	PeerURLs []string `json:"peer_urls,omitempty"`
}

// membership follows the changes of the membership through a log. Names and addresses are known only
// of members whose addition the log still holds.
type membership map[uint64]*memberStat

const (
	roleVoter   = "voter"
	roleLearner = "learner"
)

// restore sets the membership to that of a snapshot, keeping what is known of its members.
func (m membership) restore(c *raftpb.ConfState) {
	for id := range m {
		if !slices.Contains(c.Voters, id) && !slices.Contains(c.Learners, id) {
			delete(m, id)
		}
	}
	for _, id := range c.Voters {
		m.member(id).Role = roleVoter
	}
	for _, id := range c.Learners {
		m.member(id).Role = roleLearner
	}
}

func (m membership) member(id uint64) *memberStat {
	if m[id] == nil {
		m[id] = &memberStat{ID: hexID(id)}
	}
	return m[id]
}

// apply follows a committed entry: a change of the membership, or of a member's name.
func (m membership) apply(r *where.Row) {
	switch {
	case r.Entry.Type == raftpb.EntryConfChange:
		var c raftpb.ConfChange
		if c.Unmarshal(r.Entry.Data) == nil {
			m.change(c.Type, c.NodeID, c.Context)
		}
	case r.Entry.Type == raftpb.EntryConfChangeV2:
		var c raftpb.ConfChangeV2
		if c.Unmarshal(r.Entry.Data) == nil {
			for _, one := range c.Changes {
				m.change(one.Type, one.NodeID, nil)
			}
		}
	case r.Request().Op == "cluster_member_attr_set":
		m.setName(r.Request().AppendJSON(nil, r.Style))
	case r.Request().Op == "v2_put":
		m.setNameV2(r.Entry.Data, string(r.Request().Key))
	}
}

func (m membership) change(t raftpb.ConfChangeType, id uint64, context []byte) {
	if id == 0 { // refused by etcd
		return
	}
	if t == raftpb.ConfChangeRemoveNode {
		delete(m, id)
		return
	}
	member := m.member(id)
	var attrs struct {
		Name     string   `json:"name"`
		PeerURLs []string `json:"peerURLs"`
	}
	if json.Unmarshal(context, &attrs) == nil {
		member.Name = cmp.Or(attrs.Name, member.Name)
		if len(attrs.PeerURLs) > 0 {
			member.PeerURLs = attrs.PeerURLs
		}
	}
	switch t {
	case raftpb.ConfChangeAddNode:
		member.Role = roleVoter
	case raftpb.ConfChangeAddLearnerNode:
		member.Role = roleLearner
	}
}

// setName takes over a member's name from the JSON of the request that sets it.
func (m membership) setName(request []byte) {
	var r struct {
		Set struct {
			MemberID   string `json:"member_id"`
			Attributes struct {
				Name string `json:"name"`
			} `json:"member_attributes"`
		} `json:"cluster_member_attr_set"`
	}
	if json.Unmarshal(request, &r) != nil {
		return
	}
	if id, err := strconv.ParseUint(r.Set.MemberID, 16, 64); err == nil && m[id] != nil {
		m[id].Name = cmp.Or(r.Set.Attributes.Name, m[id].Name)
	}
}

// setNameV2 does the same for the v2 request of etcd 3.4 and 3.5, whose key names the member.
func (m membership) setNameV2(data []byte, key string) {
	hex, ok := strings.CutPrefix(key, "/0/members/")
	hex, isAttributes := strings.CutSuffix(hex, "/attributes")
	if !ok || !isAttributes {
		return
	}
	id, err := strconv.ParseUint(hex, 16, 64)
	_, value, found := strings.Cut(string(data), `{"name":"`)
	name, _, closed := strings.Cut(value, `"`)
	if err == nil && found && closed && m[id] != nil {
		m[id].Name = cmp.Or(name, m[id].Name)
	}
}

func (m membership) list() []memberStat {
	out := []memberStat{}
	for _, member := range m {
		out = append(out, *member)
	}
	slices.SortFunc(out, func(a, b memberStat) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return out
}
