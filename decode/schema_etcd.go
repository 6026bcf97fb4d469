package decode

// messageID names a message in the table of messages. The indirection lets messages contain
// each other.
type messageID uint8

const (
	msgInternal messageID = iota
	msgHeader
	msgRange
	msgPut
	msgDeleteRange
	msgTxn
	msgCompare
	msgRequestOp
	msgCompaction
	msgLeaseGrant
	msgLeaseRevoke
	msgLeaseCheckpoints
	msgLeaseCheckpoint
	msgAlarm
	msgAuthEnable
	msgAuthDisable
	msgAuthStatus
	msgAuthenticate
	msgUserAdd
	msgUserAddOptions
	msgUserDelete
	msgUserGet
	msgUserPassword
	msgUserGrant
	msgUserRevoke
	msgUserList
	msgRoleList
	msgRoleAdd
	msgRoleDelete
	msgRoleGet
	msgRoleGrant
	msgPermission
	msgRoleRevoke
	msgClusterVersion
	msgMemberAttr
	msgAttributes
	msgDowngradeInfo
	msgDowngradeTest
	msgV2
)

// lookup returns the table of a message.
func (id messageID) lookup() *message { return &messages[id] }

var (
	sortOrders     = []string{"NONE", "ASCEND", "DESCEND"}
	sortTargets    = []string{"KEY", "VERSION", "CREATE", "MOD", "VALUE"}
	compareResults = []string{"EQUAL", "GREATER", "LESS", "NOT_EQUAL"}
	compareTargets = []string{"VERSION", "CREATE", "MOD", "VALUE", "LEASE"}
	alarmActions   = []string{"GET", "ACTIVATE", "DEACTIVATE"}
	alarmTypes     = []string{"NONE", "NOSPACE", "CORRUPT"}
	permTypes      = []string{"READ", "WRITE", "READWRITE"}
)

// messages holds what etcd 3.4 to 3.7 puts into entries. A field's name is etcd's, in snake case.
// Field 2 of the first message is the one that 3.7 has retired.
var messages = [...]message{
	msgInternal: {name: "etcdserverpb.InternalRaftRequest", fields: []field{
		{num: 100, name: "header", kind: kindMessage, msg: msgHeader},
		{num: 1, name: "id", kind: kindRequestID},
		{num: 2, name: "v2", kind: kindMessage, msg: msgV2},
		{num: 3, name: "range", kind: kindMessage, msg: msgRange},
		{num: 4, name: "put", kind: kindMessage, msg: msgPut},
		{num: 5, name: "delete_range", kind: kindMessage, msg: msgDeleteRange},
		{num: 6, name: "txn", kind: kindMessage, msg: msgTxn},
		{num: 7, name: "compaction", kind: kindMessage, msg: msgCompaction},
		{num: 8, name: "lease_grant", kind: kindMessage, msg: msgLeaseGrant},
		{num: 9, name: "lease_revoke", kind: kindMessage, msg: msgLeaseRevoke},
		{num: 10, name: "alarm", kind: kindMessage, msg: msgAlarm},
		{num: 11, name: "lease_checkpoint", kind: kindMessage, msg: msgLeaseCheckpoints},
		{num: 1000, name: "auth_enable", kind: kindMessage, msg: msgAuthEnable},
		{num: 1011, name: "auth_disable", kind: kindMessage, msg: msgAuthDisable},
		{num: 1012, name: "authenticate", kind: kindMessage, msg: msgAuthenticate},
		{num: 1013, name: "auth_status", kind: kindMessage, msg: msgAuthStatus},
		{num: 1100, name: "auth_user_add", kind: kindMessage, msg: msgUserAdd},
		{num: 1101, name: "auth_user_delete", kind: kindMessage, msg: msgUserDelete},
		{num: 1102, name: "auth_user_get", kind: kindMessage, msg: msgUserGet},
		{num: 1103, name: "auth_user_change_password", kind: kindMessage, msg: msgUserPassword},
		{num: 1104, name: "auth_user_grant_role", kind: kindMessage, msg: msgUserGrant},
		{num: 1105, name: "auth_user_revoke_role", kind: kindMessage, msg: msgUserRevoke},
		{num: 1106, name: "auth_user_list", kind: kindMessage, msg: msgUserList},
		{num: 1107, name: "auth_role_list", kind: kindMessage, msg: msgRoleList},
		{num: 1200, name: "auth_role_add", kind: kindMessage, msg: msgRoleAdd},
		{num: 1201, name: "auth_role_delete", kind: kindMessage, msg: msgRoleDelete},
		{num: 1202, name: "auth_role_get", kind: kindMessage, msg: msgRoleGet},
		{num: 1203, name: "auth_role_grant_permission", kind: kindMessage, msg: msgRoleGrant},
		{num: 1204, name: "auth_role_revoke_permission", kind: kindMessage, msg: msgRoleRevoke},
		{num: 1300, name: "cluster_version_set", kind: kindMessage, msg: msgClusterVersion},
		{num: 1301, name: "cluster_member_attr_set", kind: kindMessage, msg: msgMemberAttr},
		{num: 1302, name: "downgrade_info_set", kind: kindMessage, msg: msgDowngradeInfo},
		{num: 9900, name: "downgrade_version_test", kind: kindMessage, msg: msgDowngradeTest},
	}},
	msgHeader: {name: "etcdserverpb.RequestHeader", fields: []field{
		{num: 1, name: "id", kind: kindRequestID},
		{num: 2, name: "username", kind: kindString},
		{num: 3, name: "auth_revision", kind: kindUint},
	}},
	msgRange: {name: "etcdserverpb.RangeRequest", fields: []field{
		{num: 1, name: "key", kind: kindBytes},
		{num: 2, name: "range_end", kind: kindBytes},
		{num: 3, name: "limit", kind: kindInt},
		{num: 4, name: "revision", kind: kindInt},
		{num: 5, name: "sort_order", kind: kindEnum, enum: sortOrders},
		{num: 6, name: "sort_target", kind: kindEnum, enum: sortTargets},
		{num: 7, name: "serializable", kind: kindBool},
		{num: 8, name: "keys_only", kind: kindBool},
		{num: 9, name: "count_only", kind: kindBool},
		{num: 10, name: "min_mod_revision", kind: kindInt},
		{num: 11, name: "max_mod_revision", kind: kindInt},
		{num: 12, name: "min_create_revision", kind: kindInt},
		{num: 13, name: "max_create_revision", kind: kindInt},
	}},
	msgPut: {name: "etcdserverpb.PutRequest", fields: []field{
		{num: 1, name: "key", kind: kindBytes},
		{num: 2, name: "value", kind: kindValue},
		{num: 3, name: "lease", kind: kindID},
		{num: 4, name: "prev_kv", kind: kindBool},
		{num: 5, name: "ignore_value", kind: kindBool},
		{num: 6, name: "ignore_lease", kind: kindBool},
	}},
	msgDeleteRange: {name: "etcdserverpb.DeleteRangeRequest", fields: []field{
		{num: 1, name: "key", kind: kindBytes},
		{num: 2, name: "range_end", kind: kindBytes},
		{num: 3, name: "prev_kv", kind: kindBool},
	}},
	msgTxn: {name: "etcdserverpb.TxnRequest", fields: []field{
		{num: 1, name: "compare", kind: kindMessage, msg: msgCompare, flag: repeated},
		{num: 2, name: "success", kind: kindMessage, msg: msgRequestOp, flag: repeated},
		{num: 3, name: "failure", kind: kindMessage, msg: msgRequestOp, flag: repeated},
	}},
	msgCompare: {name: "etcdserverpb.Compare", fields: []field{
		{num: 1, name: "result", kind: kindEnum, enum: compareResults, flag: shown},
		{num: 2, name: "target", kind: kindEnum, enum: compareTargets, flag: shown},
		{num: 3, name: "key", kind: kindBytes},
		{num: 4, name: "version", kind: kindInt, one: 1},
		{num: 5, name: "create_revision", kind: kindInt, one: 1},
		{num: 6, name: "mod_revision", kind: kindInt, one: 1},
		{num: 7, name: "value", kind: kindValue, one: 1},
		{num: 8, name: "lease", kind: kindID, one: 1},
		{num: 64, name: "range_end", kind: kindBytes},
	}},
	msgRequestOp: {name: "etcdserverpb.RequestOp", fields: []field{
		{num: 1, name: "request_range", kind: kindMessage, msg: msgRange, one: 1},
		{num: 2, name: "request_put", kind: kindMessage, msg: msgPut, one: 1},
		{num: 3, name: "request_delete_range", kind: kindMessage, msg: msgDeleteRange, one: 1},
		{num: 4, name: "request_txn", kind: kindMessage, msg: msgTxn, one: 1},
	}},
	msgCompaction: {name: "etcdserverpb.CompactionRequest", fields: []field{
		{num: 1, name: "revision", kind: kindInt},
		{num: 2, name: "physical", kind: kindBool},
	}},
	msgLeaseGrant: {name: "etcdserverpb.LeaseGrantRequest", fields: []field{
		{num: 1, name: "ttl", kind: kindInt},
		{num: 2, name: "id", kind: kindID},
	}},
	msgLeaseRevoke: {name: "etcdserverpb.LeaseRevokeRequest", fields: []field{
		{num: 1, name: "id", kind: kindID},
	}},
	msgLeaseCheckpoints: {name: "etcdserverpb.LeaseCheckpointRequest", fields: []field{
		{num: 1, name: "checkpoints", kind: kindMessage, msg: msgLeaseCheckpoint, flag: repeated},
	}},
	msgLeaseCheckpoint: {name: "etcdserverpb.LeaseCheckpoint", fields: []field{
		{num: 1, name: "id", kind: kindID},
		{num: 2, name: "remaining_ttl", kind: kindInt},
	}},
	msgAlarm: {name: "etcdserverpb.AlarmRequest", fields: []field{
		{num: 1, name: "action", kind: kindEnum, enum: alarmActions, flag: shown},
		{num: 2, name: "member_id", kind: kindID},
		{num: 3, name: "alarm", kind: kindEnum, enum: alarmTypes},
	}},
	msgAuthEnable:  {name: "etcdserverpb.AuthEnableRequest"},
	msgAuthDisable: {name: "etcdserverpb.AuthDisableRequest"},
	msgAuthStatus:  {name: "etcdserverpb.AuthStatusRequest"},
	msgAuthenticate: {name: "etcdserverpb.InternalAuthenticateRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
		{num: 2, name: "password", kind: kindSecret},
		{num: 3, name: "simple_token", kind: kindSecret},
	}},
	msgUserAdd: {name: "etcdserverpb.AuthUserAddRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
		{num: 2, name: "password", kind: kindSecret},
		{num: 3, name: "options", kind: kindMessage, msg: msgUserAddOptions},
		{num: 4, name: "hashed_password", kind: kindSecret},
	}},
	msgUserAddOptions: {name: "authpb.UserAddOptions", fields: []field{
		{num: 1, name: "no_password", kind: kindBool},
	}},
	msgUserDelete: {name: "etcdserverpb.AuthUserDeleteRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
	}},
	msgUserGet: {name: "etcdserverpb.AuthUserGetRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
	}},
	msgUserPassword: {name: "etcdserverpb.AuthUserChangePasswordRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
		{num: 2, name: "password", kind: kindSecret},
		{num: 3, name: "hashed_password", kind: kindSecret},
	}},
	msgUserGrant: {name: "etcdserverpb.AuthUserGrantRoleRequest", fields: []field{
		{num: 1, name: "user", kind: kindString},
		{num: 2, name: "role", kind: kindString},
	}},
	msgUserRevoke: {name: "etcdserverpb.AuthUserRevokeRoleRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
		{num: 2, name: "role", kind: kindString},
	}},
	msgUserList: {name: "etcdserverpb.AuthUserListRequest"},
	msgRoleList: {name: "etcdserverpb.AuthRoleListRequest"},
	msgRoleAdd: {name: "etcdserverpb.AuthRoleAddRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
	}},
	msgRoleDelete: {name: "etcdserverpb.AuthRoleDeleteRequest", fields: []field{
		{num: 1, name: "role", kind: kindString},
	}},
	msgRoleGet: {name: "etcdserverpb.AuthRoleGetRequest", fields: []field{
		{num: 1, name: "role", kind: kindString},
	}},
	msgRoleGrant: {name: "etcdserverpb.AuthRoleGrantPermissionRequest", fields: []field{
		{num: 1, name: "name", kind: kindString},
		{num: 2, name: "perm", kind: kindMessage, msg: msgPermission},
	}},
	msgPermission: {name: "authpb.Permission", fields: []field{
		{num: 1, name: "perm_type", kind: kindEnum, enum: permTypes, flag: shown},
		{num: 2, name: "key", kind: kindBytes},
		{num: 3, name: "range_end", kind: kindBytes},
	}},
	msgRoleRevoke: {name: "etcdserverpb.AuthRoleRevokePermissionRequest", fields: []field{
		{num: 1, name: "role", kind: kindString},
		{num: 2, name: "key", kind: kindBytes},
		{num: 3, name: "range_end", kind: kindBytes},
	}},
	msgClusterVersion: {name: "membershippb.ClusterVersionSetRequest", fields: []field{
		{num: 1, name: "ver", kind: kindString},
	}},
	msgMemberAttr: {name: "membershippb.ClusterMemberAttrSetRequest", fields: []field{
		{num: 1, name: "member_id", kind: kindID},
		{num: 2, name: "member_attributes", kind: kindMessage, msg: msgAttributes},
	}},
	msgAttributes: {name: "membershippb.Attributes", fields: []field{
		{num: 1, name: "name", kind: kindString},
		{num: 2, name: "client_urls", kind: kindString, flag: repeated},
	}},
	msgDowngradeInfo: {name: "membershippb.DowngradeInfoSetRequest", fields: []field{
		{num: 1, name: "enabled", kind: kindBool, flag: shown},
		{num: 2, name: "ver", kind: kindString},
	}},
	msgDowngradeTest: {name: "etcdserverpb.DowngradeVersionTestRequest", fields: []field{
		{num: 1, name: "ver", kind: kindString},
	}},
	msgV2: {name: "etcdserverpb.Request", fields: []field{
		{num: 1, name: "id", kind: kindRequestID},
		{num: 2, name: "method", kind: kindString},
		{num: 3, name: "path", kind: kindString},
		{num: 4, name: "val", kind: kindValue},
		{num: 5, name: "dir", kind: kindBool},
		{num: 6, name: "prev_value", kind: kindValue},
		{num: 7, name: "prev_index", kind: kindUint},
		{num: 8, name: "prev_exist", kind: kindBool},
		{num: 9, name: "expiration", kind: kindInt},
		{num: 10, name: "wait", kind: kindBool},
		{num: 11, name: "since", kind: kindUint},
		{num: 12, name: "recursive", kind: kindBool},
		{num: 13, name: "sorted", kind: kindBool},
		{num: 14, name: "quorum", kind: kindBool},
		{num: 15, name: "time", kind: kindInt},
		{num: 16, name: "stream", kind: kindBool},
		{num: 17, name: "refresh", kind: kindBool},
	}},
}
