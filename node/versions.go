package node

import (
	"context"
	"sync"
	"time"

	"github.com/coreos/go-semver/semver"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"
	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/pkg/v3/notify"
	etcdversion "go.etcd.io/etcd/server/v3/etcdserver/version"
)

// versionInterval is how often versions are compared; it is etcd's.
const versionInterval = 4 * time.Second

// notDecided is what a member says of a cluster that has no version yet.
const notDecided = "not_decided"

// versions keep the version of the cluster, and the form of the database with it.
type versions struct {
	n       *Node
	due     chan struct{} // the leader has committed in its term: it may set the version
	changed *notify.Notifier
	monitor *etcdversion.Monitor
	manager *etcdversion.Manager
}

func newVersions(n *Node) *versions {
	v := &versions{n: n, due: make(chan struct{}, 1), changed: notify.NewNotifier()}
	lg := zapLogger(n.log)
	v.monitor, v.manager = etcdversion.NewMonitor(lg, v), etcdversion.NewManager(lg, v)
	return v
}

// keepClusterVersion has the leader raise the version of the cluster to the least of its members', or
// lower it to the target of a downgrade.
func (n *Node) keepClusterVersion() {
	for n.pause(versionInterval, n.versions.due) {
		if !n.standing.leads() {
			continue
		}
		if err := n.versions.monitor.UpdateClusterVersionIfNeeded(); err != nil {
			n.log.Error("the version of the cluster stays", "error", err)
		}
	}
}

// keepStorageVersion gives the database the form of the cluster's version.
func (n *Node) keepStorageVersion() {
	for n.pause(versionInterval, n.versions.changed.Receive()) {
		n.checkClusterVersion()
		if !n.release().LessThan(version.V3_6) {
			if n.store.DetectedVersion() == nil { // what tells it comes with the database's first transaction
				_ = n.Commit(n.ctx) // of an error the applier tells
			}
			n.versions.monitor.UpdateStorageVersionIfNeeded()
		}
	}
}

// endDowngrade has the leader end a downgrade when all members run the release that was aimed at.
func (n *Node) endDowngrade() {
	for n.cfg.DowngradeCheckInterval > 0 && n.pause(n.cfg.DowngradeCheckInterval, nil) {
		if n.standing.leads() {
			n.versions.monitor.CancelDowngradeIfNeeded()
		}
	}
}

// pause waits for some time, or for a sign, and reports whether the member goes on.
func (n *Node) pause(d time.Duration, sign <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-sign:
	case <-n.ctx.Done():
	}
	return n.ctx.Err() == nil
}

var _ etcdversion.Server = (*versions)(nil)

// GetClusterVersion implements etcdversion.Server.
func (v *versions) GetClusterVersion() *semver.Version { return v.n.store.Cluster().Version() }

// GetDowngradeInfo implements etcdversion.Server.
func (v *versions) GetDowngradeInfo() *etcdversion.DowngradeInfo {
	return v.n.store.Cluster().DowngradeInfo()
}

// GetStorageVersion implements etcdversion.Server.
func (v *versions) GetStorageVersion() *semver.Version { return v.n.store.DetectedVersion() }

// GetMembersVersions implements etcdversion.Server. It asks all members at once; of those that don't answer
// the value is nil.
func (v *versions) GetMembersVersions() map[string]*version.Versions {
	var mu sync.Mutex
	var all sync.WaitGroup
	found := map[string]*version.Versions{}
	ctx, cancel := context.WithTimeout(v.n.ctx, v.n.RequestTimeout())
	defer cancel()
	for _, m := range v.n.store.Cluster().Members() {
		all.Go(func() {
			var of *version.Versions
			if uint64(m.ID) == v.n.standing.id {
				own := v.n.Versions()
				of = &own
			} else {
				var err error
				if of, err = getVersions(ctx, v.n.transport.Client(), m.PeerURLs); err != nil {
					v.n.log.Warn("the version of a member isn't known", "member", m.ID.String(), "error", err)
					of = nil
				}
			}
			mu.Lock()
			defer mu.Unlock()
			found[m.ID.String()] = of
		})
	}
	all.Wait()
	return found
}

// Versions returns what the member says its versions are: its own, its cluster's and its database's.
func (n *Node) Versions() version.Versions {
	v := version.Versions{Server: n.Version(), Cluster: notDecided, Storage: "unknown"}
	if cv := n.store.Cluster().Version(); cv != nil {
		v.Cluster = cv.String()
	}
	if sv := n.store.DetectedVersion(); sv != nil {
		v.Storage = sv.String()
	}
	return v
}

// UpdateClusterVersion implements etcdversion.Server.
func (v *versions) UpdateClusterVersion(to string) {
	err := v.propose(v.n.ctx, &etcdserverpb.InternalRaftRequest{
		ClusterVersionSet: &membershippb.ClusterVersionSetRequest{Ver: to},
	})
	if err != nil && v.n.ctx.Err() == nil {
		v.n.log.Warn("the version of the cluster stays", "want", to, "error", err)
	}
}

// DowngradeEnable implements etcdversion.Server.
func (v *versions) DowngradeEnable(ctx context.Context, target *semver.Version) error {
	return v.propose(ctx, &etcdserverpb.InternalRaftRequest{
		DowngradeInfoSet: &membershippb.DowngradeInfoSetRequest{Enabled: true, Ver: target.String()},
	})
}

// DowngradeCancel implements etcdversion.Server.
func (v *versions) DowngradeCancel(ctx context.Context) error {
	return v.propose(ctx, &etcdserverpb.InternalRaftRequest{
		DowngradeInfoSet: &membershippb.DowngradeInfoSetRequest{},
	})
}

func (v *versions) propose(ctx context.Context, r *etcdserverpb.InternalRaftRequest) error {
	got, err := v.n.Propose(ctx, r)
	if err != nil {
		return err
	}
	return got.Err
}

// LinearizableReadNotify implements etcdversion.Server.
func (v *versions) LinearizableReadNotify(ctx context.Context) error { return v.n.Read(ctx) }

// UpdateStorageVersion implements etcdversion.Server. An earlier release can't read all that the log has:
// before the database gets its form, a snapshot is recorded behind that.
func (v *versions) UpdateStorageVersion(to semver.Version) error {
	if now := v.n.store.DetectedVersion(); now != nil && to.LessThan(*now) {
		if err := v.n.recordNow(v.n.ctx); err != nil {
			return err
		}
	}
	return v.n.store.Migrate(to)
}

// recordNow records a snapshot of what is applied now. What goes wrong ends the member, as when the applier meets it.
func (n *Node) recordNow(ctx context.Context) error {
	return n.onApplier(ctx, func() error {
		a := n.applier
		err := a.saved(true)
		if err == nil && n.store.Applied() != a.onDisk {
			if err = a.save(n.store.Applied()); err == nil {
				err = a.saved(true)
			}
		}
		if err != nil {
			n.fail(err)
		}
		return err
	})
}
