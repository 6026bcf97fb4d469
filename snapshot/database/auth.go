package database

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
)

// Auth is who may do what.
type Auth struct {
	Enabled  bool
	Revision uint64 // counts the changes of users and roles
	Users    []User // by name
	Roles    []Role // by name
}

// User is a user of etcd. Its password isn't read.
type User struct {
	Name       string
	Roles      []string
	NoPassword bool // it can only be authenticated by a certificate
}

// Role is a set of permissions.
type Role struct {
	Name        string
	Permissions []Permission
}

// Permission allows something with the keys from Key on that are less than RangeEnd, or with Key alone
// if that is empty. A RangeEnd of one zero byte is no bound.
type Permission struct {
	Type          PermissionType
	Key, RangeEnd []byte
}

// PermissionType says what is allowed.
type PermissionType uint8

// The types, with etcd's numbers.
const (
	PermissionRead PermissionType = iota
	PermissionWrite
	PermissionReadWrite
)

var permissionNames = [...]string{"read", "write", "readwrite"}

// String returns the type's name.
func (t PermissionType) String() string {
	if int(t) < len(permissionNames) {
		return permissionNames[t]
	}
	return fmt.Sprintf("permission %d", uint8(t))
}

// Auth reads the buckets auth, authUsers and authRoles. The error joins all items that can't be read;
// what the others say is there all the same.
func (db *DB) Auth() (*Auth, error) {
	a := new(Auth)
	return a, errors.Join(
		db.readItems(bucketAuth, a.set),
		db.readItems(bucketUsers, a.addUser),
		db.readItems(bucketRoles, a.addRole))
}

func (a *Auth) set(key string, value []byte) (err error) {
	switch key {
	case authEnabled:
		if len(value) != 1 || value[0] > 1 {
			return fmt.Errorf("%.40q, want one byte, 0 or 1", value)
		}
		a.Enabled = value[0] == 1
	case authRevision:
		a.Revision, err = parseUint64(value)
	}
	return err
}

// The fields of etcd's authpb.User, authpb.Role and authpb.Permission.
const (
	userName, userRoles, userOptions    = 1, 3, 4
	optionNoPassword                    = 1
	roleName, rolePermission            = 1, 2
	permissionType, permissionKey, rEnd = 1, 2, 3
)

func (a *Auth) addUser(key string, value []byte) error {
	var u User
	err := wirefield.Each(value, func(f wirefield.Field) error {
		switch f.Num {
		case userName:
			u.Name = string(f.Bytes)
			return f.Want(protowire.BytesType)
		case userRoles:
			u.Roles = append(u.Roles, string(f.Bytes))
			return f.Want(protowire.BytesType)
		case userOptions:
			if err := f.Want(protowire.BytesType); err != nil {
				return err
			}
			return wirefield.Each(f.Bytes, func(o wirefield.Field) error {
				u.NoPassword = u.NoPassword || o.Num == optionNoPassword && o.Uint != 0
				return nil
			})
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case u.Name != key:
		return fmt.Errorf("it describes user %.80q", u.Name)
	case len(a.Users) == maxListed:
		return errTooMany
	}
	a.Users = append(a.Users, u)
	return nil
}

func (a *Auth) addRole(key string, value []byte) error {
	var r Role
	err := wirefield.Each(value, func(f wirefield.Field) error {
		switch f.Num {
		case roleName:
			r.Name = string(f.Bytes)
			return f.Want(protowire.BytesType)
		case rolePermission:
			if err := f.Want(protowire.BytesType); err != nil {
				return err
			}
			p, err := parsePermission(f.Bytes)
			r.Permissions = append(r.Permissions, p)
			return err
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case r.Name != key:
		return fmt.Errorf("it describes role %.80q", r.Name)
	case len(a.Roles) == maxListed:
		return errTooMany
	}
	a.Roles = append(a.Roles, r)
	return nil
}

func parsePermission(b []byte) (p Permission, err error) {
	err = wirefield.Each(b, func(f wirefield.Field) error {
		switch f.Num {
		case permissionType:
			if f.Uint > math.MaxUint8 {
				return fmt.Errorf("type %d of a permission", f.Uint)
			}
			p.Type = PermissionType(f.Uint)
			return f.Want(protowire.VarintType)
		case permissionKey:
			p.Key = append([]byte{}, f.Bytes...)
			return f.Want(protowire.BytesType)
		case rEnd:
			p.RangeEnd = append([]byte{}, f.Bytes...)
			return f.Want(protowire.BytesType)
		}
		return nil
	})
	return p, err
}
