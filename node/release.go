package node

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/coreos/go-semver/semver"

	"github.com/raftctl/raftctl/raftpb"
)

// servers are what members that stand for a release say their versions are: the last of each that this one
// was compared with.
var servers = map[string]string{"3.5": "3.5.35", "3.6": "3.6.16", "3.7": "3.7.3"}

// Version returns the version of etcd that the member says it is, such as "3.7.3".
func (n *Node) Version() string { return servers[n.cfg.As] }

// release returns the release that the member stands for, as a version.
func (n *Node) release() semver.Version { return releaseVersion(n.cfg.As) }

func releaseVersion(release string) semver.Version {
	v, err := semver.NewVersion(release + ".0")
	if err != nil {
		panic("bug: no release: " + release) // Config.check lets only Releases pass
	}
	return *v
}

// chooseRelease settles which release the member stands for, unless it was told: that of its database, and of
// its cluster. One that is earlier than these is refused: it would not know what it finds.
func (n *Node) chooseRelease() error {
	found := n.foundVersion()
	if found == nil || found.LessThan(releaseVersion(Releases[0])) { // a new cluster is of 3.0 until all its members are heard of
		n.cfg.As = cmp.Or(n.cfg.As, n.releaseOfLog())
		return nil
	}
	least := Releases[0]
	for _, r := range Releases {
		if !found.LessThan(releaseVersion(r)) {
			least = r
		}
	}
	n.cfg.As = cmp.Or(n.cfg.As, least)
	if slices.Index(Releases, n.cfg.As) < slices.Index(Releases, least) {
		return n.tooEarly(least)
	}
	return nil
}

// foundVersion returns the later of the versions of the cluster and of the database; nil if neither has one.
func (n *Node) foundVersion() *semver.Version {
	found := n.store.Cluster().Version()
	if stored := n.store.StorageVersion(); stored != nil && (found == nil || found.LessThan(*stored)) {
		found = stored
	}
	return found
}

// releaseOfLog is what a member stands for that knows of no versions yet: by how its log is encoded, the
// latest if there is none.
func (n *Node) releaseOfLog() string {
	if n.wal.Flavor() == raftpb.FlavorPbgo || n.wal.Last() == 0 {
		return Releases[len(Releases)-1]
	}
	return Releases[0]
}

func (n *Node) tooEarly(least string) error {
	if !slices.Contains(Releases, least) {
		return fmt.Errorf("the cluster has version %s, and the latest that this member can stand for is %s",
			least, Releases[len(Releases)-1])
	}
	return &HelpError{
		Err:  fmt.Errorf("the cluster or its database has version %s, and this member stands for %s", least, n.cfg.As),
		Help: "start it with --as " + least,
	}
}

// checkClusterVersion stops a member that stands for an earlier release than its cluster has gone to. One that
// catches up may meet a version that is no more.
func (n *Node) checkClusterVersion() {
	release := n.release()
	if v := n.store.Cluster().Version(); v == nil || !release.LessThan(*v) || n.Read(n.ctx) != nil {
		return
	}
	if v := n.store.Cluster().Version(); release.LessThan(*v) {
		n.fail(n.tooEarly(fmt.Sprintf("%d.%d", v.Major, v.Minor)))
	}
}
