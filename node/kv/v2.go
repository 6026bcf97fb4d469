package kv

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/internal/etcdwire"
)

// v2Request is a request of the v2 store, so far as it can be about the cluster. etcd 3.4 and 3.5 write
// the members' attributes and the cluster's version in this form, and 3.4 what v2 clients ask for.
type v2Request struct {
	id                  uint64
	method, path, value string
	onlyIf              bool // it depends on what was there before, so that no member wrote it
}

// The messages by which the two kinds of requests are told apart.
var (
	wireInternal = etcdwire.Message{Name: "InternalRaftRequest", Fields: internalFields()}
	wireV2       = etcdwire.Message{Name: "Request", Fields: v2Fields()}
)

// fieldV2 is the field of an InternalRaftRequest that up to 3.6 could hold a request of the v2 store.
const fieldV2 = 2

// internalFields are those of an InternalRaftRequest: all hold messages, but for the ID.
func internalFields() []etcdwire.Field {
	fields := []etcdwire.Field{{Num: 1, Name: "ID"}, {Num: fieldV2, Name: "V2", Type: protowire.BytesType}}
	known := (*etcdserverpb.InternalRaftRequest)(nil).ProtoReflect().Descriptor().Fields()
	for i := range known.Len() {
		if f := known.Get(i); f.Message() != nil {
			fields = append(fields, etcdwire.Field{Num: f.Number(), Name: string(f.Name()), Type: protowire.BytesType})
		}
	}
	return fields
}

// v2Fields are those of a Request: method, path, value and the value before are text, of 17 fields.
func v2Fields() (fields []etcdwire.Field) {
	for num := range protowire.Number(17) {
		f := etcdwire.Field{Num: num + 1}
		switch f.Num {
		case 2, 3, 4, 6:
			f.Type = protowire.BytesType
		}
		fields = append(fields, f)
	}
	return fields
}

// parseV2 reads a request of the v2 store; ok is false for any other. Releases up to 3.6 tell them apart by
// the wire types: what their decoder doesn't take for an InternalRaftRequest is tried as a Request.
func parseV2(data []byte) (r v2Request, ok bool) {
	var inner []byte
	fault := wireInternal.Each(data, etcdwire.Gogo, func(v etcdwire.Value) {
		if v.Num == fieldV2 {
			inner = v.Data
		}
	})
	switch {
	case fault != nil:
		inner = data
	case inner == nil:
		return r, false
	}
	fault = wireV2.Each(inner, etcdwire.Gogo, func(v etcdwire.Value) {
		switch v.Num {
		case 1:
			r.id = v.N
		case 2:
			r.method = string(v.Data)
		case 3:
			r.path = string(v.Data)
		case 4:
			r.value = string(v.Data)
		case 6: // the value before
			r.onlyIf = r.onlyIf || len(v.Data) > 0
		case 7: // the index before
			r.onlyIf = r.onlyIf || v.N > 0
		case 8: // whether it was there; absent if that doesn't matter
			r.onlyIf = true
		}
	})
	return r, fault == nil
}

// attributes is the path of a member's attributes. etcd looks for it anywhere in a path, so that a client
// of the v2 API, whose keys lie below /1, can write them too.
var attributes = regexp.MustCompile("/0/members/[[:xdigit:]]{1,16}/attributes")

// toV3 returns the request that 3.6 makes of one that the cluster's members wrote; nil for all others,
// which changed nothing but the v2 store.
func (r *v2Request) toV3() (*etcdserverpb.InternalRaftRequest, error) {
	req := &etcdserverpb.InternalRaftRequest{Header: &etcdserverpb.RequestHeader{ID: r.id}}
	if r.method != "PUT" || r.onlyIf {
		return nil, nil
	}
	if r.path == "/0/version" {
		req.ClusterVersionSet = &membershippb.ClusterVersionSetRequest{Ver: r.value}
		return req, nil
	}
	if !attributes.MatchString(r.path) {
		return nil, nil
	}
	id, err := strconv.ParseUint(path.Base(path.Dir(r.path)), 16, 64)
	if err != nil {
		return nil, fmt.Errorf("attributes at %q: no member's ID: %w", r.path, err)
	}
	var a membership.Attributes
	if err := json.Unmarshal([]byte(r.value), &a); err != nil {
		return nil, fmt.Errorf("attributes of member %x: %w", id, err)
	}
	req.ClusterMemberAttrSet = &membershippb.ClusterMemberAttrSetRequest{
		Member_ID:        id,
		MemberAttributes: &membershippb.Attributes{Name: a.Name, ClientUrls: a.ClientURLs},
	}
	return req, nil
}
