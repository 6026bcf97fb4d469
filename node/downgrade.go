package node

import (
	"context"

	"github.com/coreos/go-semver/semver"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"
)

// Downgrade tells whether the cluster can go to an earlier release, has it go there, or ends that. Errors are
// those of packages etcdserver/errors and etcdserver/version.
func (n *Node) Downgrade(
	ctx context.Context, r *etcdserverpb.DowngradeRequest,
) (*etcdserverpb.DowngradeResponse, error) {
	var err error
	switch r.Action {
	case etcdserverpb.DowngradeRequest_VALIDATE:
		err = n.downgradeTo(ctx, r.Version, n.versions.manager.DowngradeValidate)
	case etcdserverpb.DowngradeRequest_ENABLE:
		err = n.downgradeTo(ctx, r.Version, n.versions.manager.DowngradeEnable)
	case etcdserverpb.DowngradeRequest_CANCEL:
		if err = n.versions.manager.DowngradeCancel(ctx); err != nil && n.cfg.As != "3.5" {
			// etcd since 3.6 answers as if all were well, also when there is nothing to end.
			n.log.Warn("no downgrade was ended", "error", err)
			err = nil
		}
	default:
		err = errors.ErrUnknownMethod
	}
	if err != nil {
		return nil, err
	}
	now := n.store.Cluster().Version()
	if now == nil {
		return nil, errors.ErrClusterVersionUnavailable
	}
	return &etcdserverpb.DowngradeResponse{Version: version.Cluster(now.String())}, nil
}

// downgradeTo calls a function with the version that a client named, "3.6" or "3.6.0".
func (n *Node) downgradeTo(
	ctx context.Context, name string, f func(context.Context, *semver.Version) error,
) error {
	v, err := semver.NewVersion(name)
	if err != nil {
		v, err = semver.NewVersion(name + ".0")
	}
	if err != nil {
		return errors.ErrWrongDowngradeVersionFormat
	}
	if n.store.Cluster().Version() == nil {
		return errors.ErrClusterVersionUnavailable
	}
	return f(ctx, &semver.Version{Major: v.Major, Minor: v.Minor})
}
