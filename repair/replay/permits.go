package replay

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/snapshot/database"
)

// Refusals are what etcd may have refused puts for, which the log has all the same.
type Refusals struct {
	Full  bool           // the database had no room: a NOSPACE alarm is raised
	Users *database.Auth // in the database; nil: there are none
}

// isTaken reports whether a put is surely not refused, with the users as they are, if there is room.
func isTaken(users *database.Auth, data []byte) bool {
	var req etcdserverpb.InternalRaftRequest
	if proto.Unmarshal(data, &req) != nil || req.Put == nil || req.Put.IgnoreValue || req.Put.IgnoreLease {
		return false
	}
	if users == nil || !users.Enabled {
		return true
	}
	// etcd refuses whoever logged in before the users last changed.
	return req.Header.GetAuthRevision() == users.Revision && mayWrite(users, req.Header.GetUsername(), req.Put.Key)
}

// root is the role that may do everything.
const root = "root"

// mayWrite reports whether a user may write a key.
func mayWrite(users *database.Auth, name string, key []byte) bool {
	i := slices.IndexFunc(users.Users, func(u database.User) bool { return u.Name == name })
	if i < 0 {
		return false
	}
	for _, role := range users.Users[i].Roles {
		if role == root {
			return true
		}
		at := slices.IndexFunc(users.Roles, func(r database.Role) bool { return r.Name == role })
		if at >= 0 && slices.ContainsFunc(users.Roles[at].Permissions, func(p database.Permission) bool {
			return p.Type != database.PermissionRead && covers(p, key)
		}) {
			return true
		}
	}
	return false
}

func covers(p database.Permission, key []byte) bool {
	switch {
	case len(p.RangeEnd) == 0:
		return bytes.Equal(p.Key, key)
	case bytes.Equal(p.RangeEnd, []byte{0}):
		return bytes.Compare(key, p.Key) >= 0
	}
	return bytes.Compare(key, p.Key) >= 0 && bytes.Compare(key, p.RangeEnd) < 0
}
