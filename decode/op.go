package decode

import "slices"

// Op names what an entry asks for, as the JSON contract spells it: see [Ops]. Decoders of other
// programs' payloads have words of their own: resp names Redis commands in lower case.
type Op string

// Operations that a caller may want to tell apart.
const (
	OpPut             Op = "put"
	OpRange           Op = "range"
	OpDeleteRange     Op = "delete_range"
	OpTxn             Op = "txn"
	OpCompaction      Op = "compaction"
	OpLeaseGrant      Op = "lease_grant"
	OpLeaseRevoke     Op = "lease_revoke"
	OpLeaseCheckpoint Op = "lease_checkpoint"
	OpAlarm           Op = "alarm"
	OpConfChange      Op = "conf_change"
	OpConfChangeV2    Op = "conf_change_v2"
	OpCompare         Op = "compare" // a condition within a transaction; no Request has it
	OpEmpty           Op = "empty"   // no payload: the first entry of a leader, or a refused change
	OpJSON            Op = "json"    // a payload that is JSON
	OpText            Op = "text"    // a payload that is text
	OpHex             Op = "hex"     // a payload shown as hex because the caller said so
	OpRaw             Op = "raw"     // a payload shown as it is because the caller said so
	OpUnknown         Op = "unknown" // a payload that the decoder can't read
)

// Those that follow the membership.
const (
	opVersionSet    Op = "cluster_version_set"
	opAttributesSet Op = "cluster_member_attr_set"
	opDowngradeSet  Op = "downgrade_info_set"
	opDowngradeTest Op = "downgrade_version_test"
	opV2Put         Op = "v2_put"
	opV2Post        Op = "v2_post"
	opV2Delete      Op = "v2_delete"
	opV2Sync        Op = "v2_sync"
	opV2None        Op = "v2_none"
)

// v2Ops holds the operations of the v2 store with their methods. The empty method does nothing.
var v2Ops = [...]struct {
	method string
	op     Op
}{
	{"PUT", opV2Put}, {"POST", opV2Post}, {"DELETE", opV2Delete}, {"GET", "v2_get"}, {"QGET", "v2_qget"},
	{"SYNC", opV2Sync}, {"", opV2None},
}

// v2Op returns the operation of a method; ok is false for one that etcd refuses.
func v2Op(method []byte) (op Op, ok bool) {
	for _, v := range v2Ops {
		if v.method == string(method) {
			return v.op, true
		}
	}
	return OpUnknown, false
}

// Ops returns every operation that the decoder named etcd knows, for whoever lists them or checks
// what a user asked for. The order is stable: etcd's requests by the number of their field in
// InternalRaftRequest, from range and put to downgrade_version_test, and compare, which stands
// within a transaction only; the requests of the v2 store, v2_ and the method in lower case;
// membership changes; and what has no request of etcd: empty, json, text, unknown.
func Ops() []Op { return slices.Clone(allOps) }

var allOps = listOps()

func listOps() []Op {
	var ops []Op
	fields := slices.Clone(messages[msgInternal].fields)
	slices.SortFunc(fields, func(a, b field) int { return int(a.num) - int(b.num) })
	for _, f := range fields {
		if f.kind == kindMessage && f.msg != msgHeader && f.msg != msgV2 {
			ops = append(ops, Op(f.name))
		}
	}
	ops = append(ops, OpCompare)
	for _, v := range v2Ops {
		ops = append(ops, v.op)
	}
	return append(ops, OpConfChange, OpConfChangeV2, OpEmpty, OpJSON, OpText, OpUnknown)
}

// writes reports whether an access of this operation changes or deletes keys.
func (op Op) writes() bool {
	switch op {
	case OpPut, OpDeleteRange, opV2Put, opV2Post, opV2Delete:
		return true
	}
	return false
}
