package node_test

import (
	"errors"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/version"
	etcdversion "go.etcd.io/etcd/server/v3/etcdserver/version"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/node"
)

// TestReleaseOfDirectory starts a member on directories of etcds without saying what it stands for.
func TestReleaseOfDirectory(t *testing.T) {
	for _, name := range []string{
		"c36-restored-bumped", "c36-quota-1n-clean", "chain-1n-after34", "chain-1n-after35", "chain-1n-after36",
		"chain-1n-after37",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := node.Config{DataDir: copied(t, corpus.Dir(t, name)), ListenPeerURLs: []string{freeURL(t)}}
			n := start(t, cfg)
			want := releaseOf(name)
			if got := n.Config().As; got != want {
				t.Errorf("stands for %s, want %s", got, want)
			}
			stop(t, n)
			if want == node.Releases[0] {
				return
			}
			cfg.As = node.Releases[0]
			_, err := node.Start(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), "start it with --as "+want) {
				t.Errorf("as %s: %v, want a refusal that names %s", cfg.As, err, want)
			}
		})
	}
}

// TestVersions begins a cluster as each release: its version and the form of its database follow, and a real
// etcd of the release starts on it.
func TestVersions(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			cfg := node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, As: release}
			n := start(t, cfg)
			put(t, n, "a", "1")
			want := version.Versions{Server: n.Version(), Cluster: release + ".0", Storage: release + ".0"}
			if !strings.HasPrefix(want.Server, release+".") {
				t.Errorf("its version is %s, want one of %s", want.Server, release)
			}
			if release == "3.5" {
				want.Storage = "3.5.0" // by its fields: 3.5 doesn't write it
			}
			eventually(t, "all versions", func() bool { return n.Versions() == want })
			stop(t, n)
			s, _ := startEtcd(t, release, cfg.DataDir)
			if got := string(s.Ctl("get", "a", "--print-value-only")); got != "1\n" {
				t.Errorf("etcd %s: a = %q, want 1", release, got)
			}
		})
	}
}

// TestDowngrade takes a cluster of one member to the release before, on whose directory a real etcd of that
// release starts then.
func TestDowngrade(t *testing.T) {
	for _, d := range []struct{ from, to string }{{"3.7", "3.6"}, {"3.6", "3.5"}} {
		t.Run(d.to, func(t *testing.T) {
			t.Parallel()
			cfg := node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, As: d.from}
			n := start(t, cfg)
			put(t, n, "a", "1")
			eventually(t, "the storage version "+d.from, func() bool { return n.Versions().Storage == d.from+".0" })
			downgrade := func(action etcdserverpb.DowngradeRequest_DowngradeAction, to string) error {
				_, err := n.Downgrade(t.Context(), &etcdserverpb.DowngradeRequest{Action: action, Version: to})
				return err
			}
			if err := downgrade(etcdserverpb.DowngradeRequest_VALIDATE, "3.4"); !errors.Is(err,
				etcdversion.ErrInvalidDowngradeTargetVersion) {
				t.Errorf("two releases down: %v", err)
			}
			if err := downgrade(etcdserverpb.DowngradeRequest_ENABLE, d.to); err != nil {
				t.Fatal(err)
			}
			if err := downgrade(etcdserverpb.DowngradeRequest_ENABLE, d.to); !errors.Is(err,
				etcdversion.ErrDowngradeInProcess) {
				t.Errorf("once more: %v", err)
			}
			eventually(t, "the storage version "+d.to, func() bool {
				v := n.Versions()
				return v.Storage == d.to+".0" && v.Cluster == d.to+".0"
			})
			stop(t, n)

			s, _ := startEtcd(t, d.to, cfg.DataDir)
			if got := string(s.Ctl("get", "a", "--print-value-only")); got != "1\n" {
				t.Errorf("etcd %s: a = %q, want 1", d.to, got)
			}
			s.Stop()
			cfg.As = ""
			n = start(t, cfg)
			if n.Config().As != d.to {
				t.Errorf("stands for %s afterwards, want %s", n.Config().As, d.to)
			}
			eventually(t, "the end of the downgrade", func() bool { return !n.Store().Cluster().DowngradeInfo().Enabled })
		})
	}
}
