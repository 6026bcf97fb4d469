package node

import (
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"
)

func TestRequestKind(t *testing.T) {
	h := &etcdserverpb.RequestHeader{ID: 1}
	for want, r := range map[string]*etcdserverpb.InternalRaftRequest{
		"Put":                      {Header: h, Put: &etcdserverpb.PutRequest{}},
		"DeleteRange":              {Header: h, DeleteRange: &etcdserverpb.DeleteRangeRequest{}},
		"LeaseGrant":               {ID: 7, LeaseGrant: &etcdserverpb.LeaseGrantRequest{}},
		"AuthRoleRevokePermission": {Header: h, AuthRoleRevokePermission: &etcdserverpb.AuthRoleRevokePermissionRequest{}},
		"ClusterMemberAttrSet":     {Header: h, ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{}},
		"":                         {Header: h},
	} {
		if got := requestKind(r); got != want {
			t.Errorf("kind %q, want %q", got, want)
		}
	}
}
