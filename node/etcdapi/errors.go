package etcdapi

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/etcdserver/version"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raft"
)

// statuses says what a client is told of an error. Retrying clients go by the codes.
var statuses = []struct{ err, status error }{
	// the member and its cluster
	{etcderrors.ErrStopped, rpctypes.ErrGRPCStopped},
	{node.ErrStopped, rpctypes.ErrGRPCStopped}, // clients then ask another member
	{kv.ErrFailed, rpctypes.ErrGRPCStopped},
	{etcderrors.ErrNoLeader, rpctypes.ErrGRPCNoLeader},
	{etcderrors.ErrNotLeader, rpctypes.ErrGRPCNotLeader},
	{etcderrors.ErrLeaderChanged, rpctypes.ErrGRPCLeaderChanged},
	{etcderrors.ErrBadLeaderTransferee, rpctypes.ErrGRPCBadLeaderTransferee},
	{etcderrors.ErrUnhealthy, rpctypes.ErrGRPCUnhealthy},
	{etcderrors.ErrCorrupt, rpctypes.ErrGRPCCorrupt},
	{raft.ErrProposalDropped, status.Error(codes.Unknown, "raft proposal dropped")}, // etcd has no status for it
	{etcderrors.ErrTooManyRequests, rpctypes.ErrTooManyRequests},
	{etcderrors.ErrCanceled, rpctypes.ErrGRPCCanceled},
	{etcderrors.ErrTimeout, rpctypes.ErrGRPCTimeout},
	{etcderrors.ErrTimeoutDueToLeaderFail, rpctypes.ErrGRPCTimeoutDueToLeaderFail},
	{etcderrors.ErrTimeoutDueToConnectionLost, rpctypes.ErrGRPCTimeoutDueToConnectionLost},
	{etcderrors.ErrTimeoutWaitAppliedIndex, rpctypes.ErrGRPCTimeoutWaitAppliedIndex},

	// keys
	{etcderrors.ErrKeyNotFound, rpctypes.ErrGRPCKeyNotFound},
	{etcderrors.ErrRequestTooLarge, rpctypes.ErrGRPCRequestTooLarge},
	{etcderrors.ErrNoSpace, rpctypes.ErrGRPCNoSpace},
	{mvcc.ErrCompacted, rpctypes.ErrGRPCCompacted},
	{mvcc.ErrFutureRev, rpctypes.ErrGRPCFutureRev},

	// leases
	{lease.ErrLeaseNotFound, rpctypes.ErrGRPCLeaseNotFound},
	{lease.ErrLeaseExists, rpctypes.ErrGRPCLeaseExist},
	{lease.ErrLeaseTTLTooLarge, rpctypes.ErrGRPCLeaseTTLTooLarge},

	// membership
	{membership.ErrIDRemoved, rpctypes.ErrGRPCMemberNotFound},
	{membership.ErrIDNotFound, rpctypes.ErrGRPCMemberNotFound},
	{membership.ErrIDExists, rpctypes.ErrGRPCMemberExist},
	{membership.ErrPeerURLexists, rpctypes.ErrGRPCPeerURLExist},
	{membership.ErrMemberNotLearner, rpctypes.ErrGRPCMemberNotLearner},
	{membership.ErrTooManyLearners, rpctypes.ErrGRPCTooManyLearners},
	{etcderrors.ErrLearnerNotReady, rpctypes.ErrGRPCLearnerNotReady},
	{etcderrors.ErrNotEnoughStartedMembers, rpctypes.ErrMemberNotEnoughStarted}, // no status there: code Unknown

	// versions
	{etcderrors.ErrClusterVersionUnavailable, rpctypes.ErrGRPCClusterVersionUnavailable},
	{etcderrors.ErrWrongDowngradeVersionFormat, rpctypes.ErrGRPCWrongDowngradeVersionFormat},
	{version.ErrInvalidDowngradeTargetVersion, rpctypes.ErrGRPCInvalidDowngradeTargetVersion},
	{version.ErrDowngradeInProcess, rpctypes.ErrGRPCDowngradeInProcess},
	{version.ErrNoInflightDowngrade, rpctypes.ErrGRPCNoInflightDowngrade},

	// users and roles
	{auth.ErrRootUserNotExist, rpctypes.ErrGRPCRootUserNotExist},
	{auth.ErrRootRoleNotExist, rpctypes.ErrGRPCRootRoleNotExist},
	{auth.ErrUserAlreadyExist, rpctypes.ErrGRPCUserAlreadyExist},
	{auth.ErrUserEmpty, rpctypes.ErrGRPCUserEmpty},
	{auth.ErrUserNotFound, rpctypes.ErrGRPCUserNotFound},
	{auth.ErrRoleAlreadyExist, rpctypes.ErrGRPCRoleAlreadyExist},
	{auth.ErrRoleNotFound, rpctypes.ErrGRPCRoleNotFound},
	{auth.ErrRoleEmpty, rpctypes.ErrGRPCRoleEmpty},
	{auth.ErrRoleNotGranted, rpctypes.ErrGRPCRoleNotGranted},
	{auth.ErrAuthFailed, rpctypes.ErrGRPCAuthFailed},
	{auth.ErrAuthNotEnabled, rpctypes.ErrGRPCAuthNotEnabled},
	{auth.ErrAuthOldRevision, rpctypes.ErrGRPCAuthOldRevision},
	{auth.ErrPermissionNotGiven, rpctypes.ErrGRPCPermissionNotGiven},
	{auth.ErrPermissionDenied, rpctypes.ErrGRPCPermissionDenied},
	{auth.ErrPermissionNotGranted, rpctypes.ErrGRPCPermissionNotGranted},
	{auth.ErrInvalidAuthToken, rpctypes.ErrGRPCInvalidAuthToken},
	{auth.ErrInvalidAuthMgmt, rpctypes.ErrGRPCInvalidAuthMgmt},
}

// statusOf returns what a client is told of an error. The errors of a context stay what they are: gRPC has
// codes for them.
func statusOf(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if s, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		return s
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return status.Error(codes.Unknown, err.Error())
}
