package node

import (
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/internal/machine"
)

// Config is what a member is started with. Fields without a value of their own stand for etcd's default.
type Config struct {
	Name    string // of the member; "default" by default
	DataDir string // holds folder member; must be given
	WALDir  string // of the log, if it is to lie elsewhere

	ListenPeerURLs      []string // where other members find it: http://localhost:2380 by default
	AdvertisePeerURLs   []string // what others are told; those it listens on by default
	AdvertiseClientURLs []string // what clients are told

	// InitialCluster says which members begin a cluster, "name=url,name=url"; of no meaning when the data
	// directory holds a member already. By default it is this member alone.
	InitialCluster      string
	InitialClusterToken string // "etcd-cluster" by default
	Join                bool   // the cluster exists, and has added this member: --initial-cluster-state existing
	ForceNewCluster     bool   // this member alone is the cluster from now on

	// As is the release of etcd that the member stands for: "3.5", "3.6" or "3.7". By default it is what
	// the directory and the cluster are; for a new cluster the latest.
	As string

	Tick              time.Duration // between heartbeats; 100 ms by default
	ElectionTimeout   time.Duration // 1 s by default
	NoElectionAdvance bool          // don't shorten the first election
	NoPreVote         bool
	SnapshotCount     uint64 // entries between snapshots; 10,000 by default
	CatchUpEntries    uint64 // kept in memory behind a snapshot for slow members; 5,000 by default
	MaxSnapshots      int    // files of snapshots kept; 5 by default, below 0 all
	MaxSegments       int    // segments of the log kept; 5 by default, below 0 all
	NoStrictReconfig  bool   // take changes of the membership that would lose the quorum
	QuotaBytes        int64  // of the database; 2 GiB by default, below 0 none
	MaxRequestBytes   uint   // 1.5 MiB by default
	MaxTxnOps         uint   // 128 by default
	MaxLearners       int    // 1 by default
	BatchInterval     time.Duration
	BatchLimit        int
	CompactionBatch   int
	CompactionPause   time.Duration
	NoSync            bool // unsafe: a crash may lose what was acknowledged

	AuthToken  string        // "simple" by default, or "jwt,…"
	TokenTTL   time.Duration // of simple tokens; 5 minutes by default
	BcryptCost int           // 10 by default

	AutoCompactionMode      string        // "periodic" or "revision"
	AutoCompactionRetention time.Duration // for "revision" the number of revisions; 0: none
	InitialCorruptCheck     bool
	CorruptCheckInterval    time.Duration // 0: none
	NoCompactHashCheck      bool
	CompactHashInterval     time.Duration // 1 minute by default
	LeaseCheckpoints        bool
	LeaseCheckpointInterval time.Duration
	LeaseCheckpointPersist  bool // of 3.5 only
	NoFastLeaseRenewal      bool // a lease is renewed when all that is committed is applied, even if it is there before
	DowngradeCheckInterval  time.Duration

	ClientCertAuth bool // clients are who their certificates say, where they have no token

	PeerTLS      transport.TLSInfo
	SkipPeerSANs bool // --experimental-peer-skip-client-san-verification

	// KeyLog is told the secrets of the TLS sessions with other members, in the form of SSLKEYLOGFILE: who has them can
	// read what is captured. Nobody gets a connection whose secrets can't be written. Nil: they are secret.
	KeyLog io.Writer

	// RecordMessages is the folder into which the messages are recorded that the member sends and receives. It
	// need not exist. Empty: they are not.
	RecordMessages string
	RecordSegments int // of 64 MB, kept of that; 16 by default, below 0 all

	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: they are nowhere to be seen

	fs      vfs.FS // the machine's
	machine machine.Machine
}

// On returns the configuration of a member on another machine than the real one, for tests.
func (c Config) On(m machine.Machine) Config {
	c.machine = m
	return c
}
