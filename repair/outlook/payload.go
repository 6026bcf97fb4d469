package outlook

import (
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/etcdwire"
)

// request is a normal entry's payload as one of etcd's decoders sees it, so far as it can end a
// server.
type request struct {
	fault string  // the decoder's error; empty if it takes the payload
	named bool    // it has an ID of its own, or a header
	since version // the first release that knows what it asks for; never, if none does
	v2    *v2Request

	version  string // of cluster_version_set
	setsVer  bool
	member   uint64 // of cluster_member_attr_set
	setsAttr bool
}

// v2Request is a request of the v2 store.
type v2Request struct{ method, path, value string }

// The fields of an InternalRaftRequest that are told apart.
const (
	fieldID            protowire.Number = 1
	fieldV2            protowire.Number = 2
	fieldHeader        protowire.Number = 100
	fieldAuthStatus    protowire.Number = 1013
	fieldVersion       protowire.Number = 1300
	fieldAttr          protowire.Number = 1301
	fieldDowngrade     protowire.Number = 1302
	fieldDowngradeTest protowire.Number = 9900
)

// never is a version that no release reaches.
var never = version{math.MaxInt, 0}

// askedSince returns the first release that applies a request of a kind, by its field number.
func askedSince(num protowire.Number) version {
	switch num {
	case fieldID, fieldV2, fieldHeader:
		return never
	case fieldAuthStatus, fieldVersion, fieldAttr, fieldDowngrade:
		return version{3, 5}
	case fieldDowngradeTest:
		return version{3, 6}
	}
	return version{3, 4}
}

// readRequest reads a payload as etcd does: as an InternalRaftRequest, and if it is none, releases
// up to 3.6 take it for a request of the v2 store.
func readRequest(data []byte, d etcdwire.Decoder) (r request) {
	internal, v2 := decode.WireMessages(d)
	var inner []byte
	r.since = never
	fault := internal.Each(data, d, func(v etcdwire.Value) {
		if s := askedSince(v.Num); s.less(r.since) {
			r.since = s
		}
		switch v.Num {
		case fieldID:
			r.named = r.named || v.N != 0
		case fieldHeader:
			r.named = true
		case fieldV2:
			inner = v.Data
		case fieldVersion:
			r.setsVer, r.version = true, text(&versionMessage, v.Data, 1)
		case fieldAttr:
			r.setsAttr, r.member = true, number(&attrMessage, v.Data, 1)
		}
	})
	switch {
	case fault == nil && inner == nil:
		return r
	case fault != nil && d == etcdwire.Google:
		return request{fault: fault.Text}
	case fault != nil:
		inner = data
	}
	r = request{v2: new(v2Request)}
	fault = v2.Each(inner, d, func(v etcdwire.Value) {
		switch v.Num {
		case 2:
			r.v2.method = string(v.Data)
		case 3:
			r.v2.path = string(v.Data)
		case 4:
			r.v2.value = string(v.Data)
		}
	})
	if fault != nil {
		return request{fault: fault.Text}
	}
	return r
}

// The parts of an InternalRaftRequest that are looked into.
var (
	versionMessage = etcdwire.Message{Fields: []etcdwire.Field{{Num: 1, Type: protowire.BytesType}}}
	attrMessage    = etcdwire.Message{Fields: []etcdwire.Field{{Num: 1}}}
)

// number returns field num of a message that was decoded before, 0 if it has none.
func number(m *etcdwire.Message, b []byte, num protowire.Number) (n uint64) {
	m.Each(b, etcdwire.Google, func(v etcdwire.Value) {
		if v.Num == num {
			n = v.N
		}
	})
	return n
}

// text returns field num of a message that was decoded before, as text.
func text(m *etcdwire.Message, b []byte, num protowire.Number) (s string) {
	m.Each(b, etcdwire.Google, func(v etcdwire.Value) {
		if v.Num == num {
			s = string(v.Data)
		}
	})
	return s
}

// The v2 requests that etcd itself makes, and that 3.6 still takes.
const (
	methodPut      = "PUT"
	membersPrefix  = "/0/members/"
	attrSuffix     = "/attributes"
	clusterVersion = "/0/version"
)

// attrOf returns the member whose attributes the request sets.
func (r *v2Request) attrOf() (member string, ok bool) {
	rest, ok := strings.CutPrefix(r.path, membersPrefix)
	member, isAttr := strings.CutSuffix(rest, attrSuffix)
	return member, ok && isAttr && r.method == methodPut && isHexID(member)
}

// versionSet returns the cluster version that the request sets.
func (r *v2Request) versionSet() (version string, ok bool) {
	return r.value, r.method == methodPut && r.path == clusterVersion
}

func isHexID(s string) bool {
	const digits = "0123456789abcdefABCDEF"
	return len(s) > 0 && len(s) <= 16 && strings.Trim(s, digits) == ""
}

// containsVerb reports whether words have a place for a detail.
func containsVerb(words string) bool { return strings.Contains(words, "%s") }
