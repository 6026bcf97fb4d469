package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// attributes are what a member publishes about itself.
type attributes struct {
	Name       string   `json:"name"`
	ClientURLs []string `json:"clientURLs"`
}

// applyAttributes applies the request by which a member of etcd 3.6 and later publishes its
// attributes.
func (m *Members) applyAttributes(r *Request) (changed bool, err error) {
	fields := r.mainFields()
	id, set := number(fields, "member_id"), find(fields, "member_attributes")
	if set == nil {
		return false, fmt.Errorf("member %x: no attributes: %w", id, ErrPanics)
	}
	if len(set.data) > maxContext {
		return false, fmt.Errorf("member %x: attributes of %d bytes: %w", id, len(set.data), ErrBeyondLimit)
	}
	var a attributes
	for v := range msgAttributes.lookup().known(set.data) {
		switch v.field.name {
		case "name":
			a.Name = string(v.data)
		case "client_urls":
			a.ClientURLs = append(a.ClientURLs, string(v.data))
		}
	}
	return m.setAttributes(id, a)
}

func (m *Members) setAttributes(id uint64, a attributes) (changed bool, err error) {
	e := m.find(id)
	switch {
	case e != nil:
	case m.wasRemoved(id):
		return false, nil // etcd passes over it, too
	case !m.partial:
		return false, fmt.Errorf("attributes of member %x, which there isn't: %w", id, ErrPanics)
	case len(m.members) >= maxMembers:
		return false, fmt.Errorf("%d members: %w", len(m.members)+1, ErrBeyondLimit)
	default:
		e = m.add(id)
	}
	e.Name, e.ClientURLs = a.Name, a.ClientURLs
	return true, nil
}

// The paths of the v2 store that the servers of etcd up to 3.5 write themselves.
var (
	v2Members        = []byte("/0/members/")
	v2Attributes     = []byte("/attributes")
	v2RaftAttributes = []byte("/raftAttributes")
	v2Version        = []byte("/0/version")
)

// applyV2Put applies a put of the v2 store to what it says about members and version. A put with a
// condition doesn't: etcd takes only plain ones for its own.
func (m *Members) applyV2Put(fields []value) (changed bool, err error) {
	if find(fields, "prev_exist") != nil || number(fields, "prev_index") != 0 || len(content(fields, "prev_value")) > 0 {
		return false, nil
	}
	path, val := content(fields, "path"), content(fields, "val")
	if bytes.Equal(path, v2Version) {
		return m.setVersion(val)
	}
	rest, ok := bytes.CutPrefix(path, v2Members)
	if !ok {
		return false, nil
	}
	if len(val) > maxContext {
		return false, fmt.Errorf("%s of %d bytes: %w", path, len(val), ErrBeyondLimit)
	}
	if hex, ok := bytes.CutSuffix(rest, v2Attributes); ok {
		return m.putAttributes(hex, val)
	}
	if hex, ok := bytes.CutSuffix(rest, v2RaftAttributes); ok {
		return m.putRaftAttributes(hex, val), nil
	}
	return false, nil
}

// putAttributes applies the request by which a member of etcd up to 3.5 publishes its attributes.
func (m *Members) putAttributes(hex, val []byte) (changed bool, err error) {
	id, ok := parseHexID(hex)
	if !ok {
		return false, nil
	}
	var a attributes
	if err := json.Unmarshal(val, &a); err != nil {
		return false, fmt.Errorf("attributes of member %x: %w: %w", id, err, ErrPanics)
	}
	return m.setAttributes(id, a)
}

// putRaftAttributes applies a put of what etcd 3.4 and earlier keep of a member's peer URLs. Their
// servers write it when they apply a membership change, and not through the log; a client of the v2
// API could.
func (m *Members) putRaftAttributes(hex, val []byte) (changed bool) {
	id, ok := parseHexID(hex)
	e := m.find(id)
	var a struct {
		PeerURLs []string `json:"peerURLs"`
	}
	if !ok || e == nil || json.Unmarshal(val, &a) != nil {
		return false
	}
	e.PeerURLs = a.PeerURLs
	return true
}

// parseHexID parses a member's ID as it stands in a path: up to 16 hex digits.
func parseHexID(hex []byte) (id uint64, ok bool) {
	for _, c := range hex {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return 0, false
		}
	}
	const digits = 16
	if len(hex) == 0 || len(hex) > digits {
		return 0, false
	}
	id, err := strconv.ParseUint(string(hex), 16, 64)
	return id, err == nil
}

// setVersion sets the version of the cluster.
func (m *Members) setVersion(ver []byte) (changed bool, err error) {
	if !isVersion(ver) {
		return false, fmt.Errorf("cluster version %q: %w", ver[:min(len(ver), summaryValue)], ErrPanics)
	}
	m.version = string(ver)
	return true, nil
}

// isVersion reports whether ver is three numbers with dots between them. What may follow in a version
// never does in one of a cluster.
func isVersion(ver []byte) bool {
	parts := bytes.Split(ver[:min(len(ver), summaryValue)], []byte{'.'})
	for _, p := range parts {
		if _, err := strconv.ParseUint(string(p), 10, 32); err != nil {
			return false
		}
	}
	return len(parts) == 3
}

// setDowngrade begins or ends a downgrade.
func (m *Members) setDowngrade(fields []value) (changed bool, err error) {
	ver := content(fields, "ver")
	if len(ver) > maxContext {
		return false, fmt.Errorf("version of %d bytes: %w", len(ver), ErrBeyondLimit)
	}
	m.lowering, m.target = number(fields, "enabled") != 0, ""
	if m.lowering {
		m.target = string(ver)
	}
	return true, nil
}
