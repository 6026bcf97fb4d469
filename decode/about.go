package decode

import "strings"

// AboutCluster reports whether the request is about members or versions of the cluster, or about the v2
// store, and so about nothing that clients of etcd 3 see.
func (r *Request) AboutCluster() bool {
	switch r.Op {
	case OpConfChange, OpConfChangeV2, opVersionSet, opAttributesSet, opDowngradeSet, opDowngradeTest:
		return true
	}
	return strings.HasPrefix(string(r.Op), "v2_")
}

// RevokedLease returns the ID of the lease that a lease_revoke takes back; ok is false for any other
// request.
func (r *Request) RevokedLease() (id int64, ok bool) {
	if r.Op != OpLeaseRevoke {
		return 0, false
	}
	return int64(number(r.mainFields(), "id")), true
}

// MayWrite reports whether the request may make a new revision of the keys.
func (r *Request) MayWrite() bool {
	switch r.Op {
	case OpPut, OpDeleteRange, OpTxn, OpLeaseRevoke:
		return true
	}
	return false
}
