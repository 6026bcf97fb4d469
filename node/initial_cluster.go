package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/pkg/v3/netutil"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

// resolveTimeout bounds the look-ups of the names in URLs that are to be the same; it is etcd's.
const resolveTimeout = 30 * time.Second

// initialCluster returns the members that a new cluster begins with, or that one has with which a member
// joins it. Their IDs follow from their URLs and the cluster's token, as in etcd.
func (c *Config) initialCluster(ctx context.Context, lg *zap.Logger) (*membership.RaftCluster, error) {
	urls, err := types.NewURLsMap(c.InitialCluster)
	if err != nil {
		return nil, fmt.Errorf("initial cluster %q: %w", c.InitialCluster, err)
	}
	if _, ok := urls[c.Name]; !ok {
		return nil, fmt.Errorf("couldn't find local name %q in the initial cluster configuration", c.Name)
	}
	if !c.Join { // which URLs are its own, the cluster knows
		if err := c.checkAdvertised(ctx, lg, urls[c.Name]); err != nil {
			return nil, err
		}
	}
	if all := urls.URLs(); len(all) != len(slices.Compact(all)) { // they are sorted
		return nil, fmt.Errorf("initial cluster %s has duplicate url", c.InitialCluster)
	}
	return membership.NewClusterFromURLsMap(lg, c.InitialClusterToken, urls, membership.WithMaxLearners(c.MaxLearners))
}

// checkAdvertised refuses a member that tells others to find it elsewhere than the initial cluster says. Names
// and addresses may stand for each other.
func (c *Config) checkAdvertised(ctx context.Context, lg *zap.Logger, initial types.URLs) error {
	parsed, err := types.NewURLs(c.AdvertisePeerURLs)
	if err != nil {
		return fmt.Errorf("advertised peer URLs: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	advertised, named := parsed.StringSlice(), initial.StringSlice()
	same, err := netutil.URLStringsEqual(ctx, lg, advertised, named)
	if same {
		return nil
	}
	if only := without(named, advertised); len(only) > 0 {
		return fmt.Errorf("--initial-cluster has %s=%s but missing from --initial-advertise-peer-urls=%s (%w)",
			c.Name, strings.Join(only, ","+c.Name+"="), strings.Join(advertised, ","), err)
	}
	if only := without(advertised, named); len(only) > 0 {
		return fmt.Errorf("--initial-advertise-peer-urls has %s but missing from --initial-cluster=%s",
			strings.Join(only, ","), c.InitialCluster)
	}
	return fmt.Errorf("advertised peer URLs %v and those of the initial cluster: %w", advertised, err)
}

// without returns the URLs that the others don't have.
func without(urls, others []string) []string {
	return slices.DeleteFunc(slices.Clone(urls), func(u string) bool { return slices.Contains(others, u) })
}
