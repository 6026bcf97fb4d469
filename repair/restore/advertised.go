package restore

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

// resolveTimeout is how long etcd's tools wait for host names.
const resolveTimeout = 30 * time.Second

// CheckAdvertised checks, as etcdutl does, that the URLs of --initial-advertise-peer-urls are those that
// the cluster has for the member: the same words, or the same addresses once host names are resolved.
func (c *Cluster) CheckAdvertised(ctx context.Context, name, advertised string) error {
	m := c.Member(name)
	if m == nil {
		return fmt.Errorf("--name %s is not in --initial-cluster %s", name, c.Initial())
	}
	list, err := types.NewURLs(strings.Split(advertised, ","))
	if err != nil {
		return fmt.Errorf("--initial-advertise-peer-urls: %w", err)
	}
	urls := list.StringSlice()
	slices.Sort(urls)
	if slices.Equal(urls, m.PeerURLs) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	var addresses [2][]string
	for i, side := range [][]string{urls, m.PeerURLs} {
		if addresses[i], err = resolveAll(ctx, side); err != nil {
			break
		}
	}
	if err == nil && slices.Equal(addresses[0], addresses[1]) {
		return nil
	}
	differ := fmt.Errorf("--initial-advertise-peer-urls %s, and --initial-cluster has %s for %s",
		strings.Join(urls, ","), strings.Join(m.PeerURLs, ","), name)
	if err != nil {
		return fmt.Errorf("%w; these may be the same: %w", differ, err)
	}
	return differ
}

// resolveAll returns URLs with addresses in the place of host names, sorted.
func resolveAll(ctx context.Context, urls []string) ([]string, error) {
	var list []string
	for _, u := range urls {
		r, err := resolve(ctx, u)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	slices.Sort(list)
	return list, nil
}

func resolve(ctx context.Context, text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "unix" || u.Scheme == "unixs" {
		return text, err
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		return "", err
	}
	if net.ParseIP(host) != nil {
		return text, nil
	}
	addresses, err := net.DefaultResolver.LookupIP(ctx, "ip4", host)
	if err != nil || len(addresses) == 0 {
		addresses, err = net.DefaultResolver.LookupIP(ctx, "ip", host)
	}
	if err != nil {
		return "", err
	}
	u.Host = net.JoinHostPort(addresses[0].String(), port)
	return u.String(), nil
}
