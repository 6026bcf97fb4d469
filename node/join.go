package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/coreos/go-semver/semver"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// How long a member asks others before it is one; etcd has the same limits.
const (
	joinTimeout  = 10 * time.Second // for the members of a cluster
	knownTimeout = time.Second      // for whether a new member is known already
)

// join makes the empty log of a member that a running cluster has added. Which one it is, it learns from the
// others, by its URLs.
func (n *Node) join(ctx context.Context) error {
	local, err := n.cfg.initialCluster(ctx, zapLogger(n.log))
	if err != nil {
		return err
	}
	client, err := n.newClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	running, err := fetchCluster(ctx, client, otherURLs(local, n.cfg.Name), joinTimeout)
	if err != nil {
		return fmt.Errorf("cannot fetch cluster info from peer urls: %w", err)
	}
	existing := membership.NewClusterFromMembers(zapLogger(n.log), running.id, running.members)
	if err := membership.ValidateClusterAndAssignIDs(zapLogger(n.log), local, existing); err != nil {
		return fmt.Errorf("error validating peerURLs %s: %w", existing, err)
	}
	self := local.MemberByName(n.cfg.Name).ID
	if err := n.checkNew(existing.Member(self)); err != nil {
		return err
	}
	if err := n.joinAs(ctx, client, running.members, self); err != nil {
		return err
	}
	if err := membership.ValidateMaxLearnerConfig(n.cfg.MaxLearners, running.members, false); err != nil {
		return err
	}
	n.strangers = running.members
	n.log.Info("join a cluster", "cluster", running.id.String(), "member", self.String(), "members", len(running.members))
	whose := wal.Metadata{NodeID: uint64(self), ClusterID: uint64(running.id)}
	return n.createLog(whose, raftpb.HardState{}, nil)
}

// checkNew refuses to join as a member that has run before: it has acknowledged entries, which may be nowhere else,
// and as a voter it has voted, and doesn't know.
func (n *Node) checkNew(self *membership.Member) error {
	if self.Name == "" {
		return nil
	}
	return &HelpError{
		Err:  fmt.Errorf("member %s, %s, has run before, and %s is empty", self.ID, self.Name, n.cfg.DataDir),
		Help: "remove the member from the cluster and add it again, or give it the directory that it had",
	}
}

// running is a cluster as one of its members tells it.
type running struct {
	id      types.ID
	members []*membership.Member
}

// fetchCluster asks for the members of a cluster at each URL until one answers.
func fetchCluster(
	ctx context.Context, client *http.Client, urls []string, limit time.Duration,
) (*running, error) {
	errs := []error{errors.New("could not retrieve cluster information from the given URLs")}
	for _, url := range urls {
		r, err := fetchClusterAt(ctx, client, url, limit)
		if err == nil {
			return r, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func fetchClusterAt(ctx context.Context, client *http.Client, url string, limit time.Duration) (*running, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	a, err := get(ctx, client, []string{url}, membersPath)
	if err != nil {
		return nil, err
	}
	r := new(running)
	if err := json.Unmarshal(a.body, &r.members); err != nil {
		return nil, fmt.Errorf("%s%s: %w", url, membersPath, err)
	}
	if slices.Contains(r.members, nil) || len(r.members) == 0 {
		return nil, fmt.Errorf("%s%s: no members", url, membersPath)
	}
	if r.id, err = types.IDFromString(a.header.Get(clusterHeader)); err != nil {
		return nil, fmt.Errorf("%s%s: ID of the cluster: %w", url, membersPath, err)
	}
	return r, nil
}

// otherURLs returns where the other members of a cluster are found, ascending.
func otherURLs(c *membership.RaftCluster, self string) (urls []string) {
	for _, m := range c.Members() {
		if m.Name != self {
			urls = append(urls, m.PeerURLs...)
		}
	}
	slices.Sort(urls)
	return urls
}

// joinAs settles which release the member stands for, and refuses one that can't be in the cluster: that of the
// cluster or a later one, but while the cluster is being downgraded no later one.
func (n *Node) joinAs(
	ctx context.Context, client *http.Client, members []*membership.Member, self types.ID,
) error {
	others := slices.DeleteFunc(slices.Clone(members), func(m *membership.Member) bool { return m.ID == self })
	ctx, cancel := context.WithTimeout(ctx, 2*n.RequestTimeout())
	defer cancel()
	cluster, err := clusterVersion(ctx, client, others)
	if err != nil {
		return err
	}
	least := fmt.Sprintf("%d.%d", cluster.Major, cluster.Minor)
	if oldest := releaseVersion(Releases[0]); cluster.LessThan(oldest) {
		least = Releases[0]
	}
	n.cfg.As = cmp.Or(n.cfg.As, least)
	switch release := n.release(); {
	case !slices.Contains(Releases, n.cfg.As), release.LessThan(*cluster):
		return n.tooEarly(least)
	case n.cfg.As != least && isDowngrading(ctx, client, others):
		return &HelpError{
			Err:  fmt.Errorf("the cluster of version %s is being downgraded, and this member stands for %s", least, n.cfg.As),
			Help: "start it with --as " + least,
		}
	}
	return nil
}

// clusterVersion returns the latest version of the cluster that its members tell. One at least must answer. A cluster that
// has none yet will have that of its earliest member: etcd refuses to join it, and if it needs the one that joins to
// agree on a version, waits for ever.
func clusterVersion(
	ctx context.Context, client *http.Client, members []*membership.Member,
) (latest *semver.Version, err error) {
	var all sync.WaitGroup
	told := make([]*version.Versions, len(members))
	errs := make([]error, len(members))
	for i, m := range members {
		all.Go(func() { told[i], errs[i] = getVersions(ctx, client, m.PeerURLs) })
	}
	all.Wait()
	var earliest *semver.Version // of members that know of no version of the cluster
	for i, v := range told {
		if errs[i] != nil {
			continue
		}
		undecided := v.Cluster == notDecided
		if undecided {
			v.Cluster = v.Server
		}
		found, err := minor(v.Cluster)
		switch {
		case err != nil:
			errs[i] = fmt.Errorf("member %s: %w", members[i].ID, err)
		case undecided && (earliest == nil || found.LessThan(*earliest)):
			earliest = found
		case !undecided && (latest == nil || latest.LessThan(*found)):
			latest = found
		}
	}
	latest = cmp.Or(latest, earliest)
	if latest == nil {
		return nil, errors.Join(append([]error{errors.New("no member tells the version of the cluster")}, errs...)...)
	}
	return latest, nil
}

// minor returns a version without its last number.
func minor(text string) (*semver.Version, error) {
	v, err := semver.NewVersion(text)
	if err != nil {
		return nil, fmt.Errorf("version %q: %w", text, err)
	}
	return &semver.Version{Major: v.Major, Minor: v.Minor}, nil
}

// isDowngrading asks the members whether the cluster goes to an earlier release, until one answers.
func isDowngrading(ctx context.Context, client *http.Client, members []*membership.Member) bool {
	for _, m := range members {
		if a, err := get(ctx, client, m.PeerURLs, downgradePath); err == nil {
			enabled, err := strconv.ParseBool(string(a.body))
			return err == nil && enabled
		}
	}
	return false
}

// refuseKnown refuses to begin a cluster of which another member says that this one has run in it.
func (n *Node) refuseKnown(ctx context.Context, cluster *membership.RaftCluster) error {
	client, err := n.newClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	self := cluster.MemberByName(n.cfg.Name).ID
	urls := otherURLs(cluster, n.cfg.Name)
	known := make([]bool, len(urls))
	var all sync.WaitGroup
	for i, url := range urls {
		all.Go(func() {
			r, err := fetchClusterAt(ctx, client, url, knownTimeout)
			known[i] = err == nil && slices.ContainsFunc(r.members, func(m *membership.Member) bool {
				return m.ID == self && len(m.ClientURLs) > 0
			})
		})
	}
	all.Wait()
	if slices.Contains(known, true) {
		return fmt.Errorf("member %s has already been bootstrapped", self)
	}
	return nil
}
