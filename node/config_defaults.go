package node

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// Releases are the releases of etcd that a member can stand for, oldest first.
var Releases = []string{"3.5", "3.6", "3.7"}

// etcd's defaults.
const (
	defaultName       = "default"
	defaultToken      = "etcd-cluster"
	defaultPeerURL    = "http://localhost:2380"
	defaultClientURL  = "http://localhost:2379"
	defaultTick       = 100 * time.Millisecond
	defaultElection   = time.Second
	defaultSnapshots  = 10_000
	defaultCatchUp    = 5_000
	defaultFiles      = 5
	defaultRecorded   = 16
	defaultMaxRequest = 1536 << 10
	defaultMaxTxnOps  = 128

	defaultDowngradeCheck = 5 * time.Second
)

// withDefaults fills in what is zero, and refuses what can't be.
func (c Config) withDefaults() (Config, error) {
	if c.DataDir == "" {
		return c, fmt.Errorf("no data directory")
	}
	c.Name = cmp.Or(c.Name, defaultName)
	c.Tick = cmp.Or(c.Tick, defaultTick)
	c.ElectionTimeout = cmp.Or(c.ElectionTimeout, defaultElection)
	c.SnapshotCount = cmp.Or(c.SnapshotCount, defaultSnapshots)
	c.CatchUpEntries = cmp.Or(c.CatchUpEntries, defaultCatchUp)
	c.MaxSnapshots = cmp.Or(c.MaxSnapshots, defaultFiles)
	c.MaxSegments = cmp.Or(c.MaxSegments, defaultFiles)
	c.RecordSegments = cmp.Or(c.RecordSegments, defaultRecorded)
	c.MaxRequestBytes = cmp.Or(c.MaxRequestBytes, defaultMaxRequest)
	c.MaxTxnOps = cmp.Or(c.MaxTxnOps, defaultMaxTxnOps)
	c.MaxLearners = cmp.Or(c.MaxLearners, 1)
	c.InitialClusterToken = cmp.Or(c.InitialClusterToken, defaultToken)
	c.DowngradeCheckInterval = cmp.Or(c.DowngradeCheckInterval, defaultDowngradeCheck)
	if len(c.ListenPeerURLs) == 0 {
		c.ListenPeerURLs = []string{defaultPeerURL}
	}
	if len(c.AdvertisePeerURLs) == 0 {
		c.AdvertisePeerURLs = c.ListenPeerURLs
	}
	if len(c.AdvertiseClientURLs) == 0 {
		c.AdvertiseClientURLs = []string{defaultClientURL}
	}
	if c.InitialCluster == "" {
		for i, url := range c.AdvertisePeerURLs {
			if i > 0 {
				c.InitialCluster += ","
			}
			c.InitialCluster += c.Name + "=" + url
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.fs = c.machine.FS; c.fs == nil {
		c.fs = vfs.OS
	}
	return c, c.check()
}

func (c *Config) check() error {
	if c.ElectionTimeout < 5*c.Tick {
		return fmt.Errorf("election timeout %v, want at least 5 times the heartbeat interval, %v", c.ElectionTimeout, c.Tick)
	}
	if c.As == "" || slices.Contains(Releases, c.As) {
		return nil
	}
	return fmt.Errorf("release %q, want one of %v", c.As, Releases)
}

// flavor is how the release that the member stands for encodes entries; while that isn't settled, as every
// release can read.
func (c *Config) flavor() raftpb.Flavor {
	if c.As == "3.7" {
		return raftpb.FlavorPbgo
	}
	return raftpb.FlavorGogo
}

// electionTicks is the election timeout in ticks.
func (c *Config) electionTicks() int { return int(c.ElectionTimeout / c.Tick) }

// minLeaseTTL is the shortest time to live of a lease in seconds, which must outlive an election.
func (c *Config) minLeaseTTL() int64 {
	return int64(math.Ceil((3 * c.ElectionTimeout / 2).Seconds()))
}

// walParent is the folder in which the log's folder lies.
func (c *Config) walParent() string { return filepath.Dir(c.walDir()) }
