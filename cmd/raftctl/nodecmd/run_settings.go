package nodecmd

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/etcd/client/pkg/v3/tlsutil"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/etcdapi"
)

// settings is what the flags, the environment and the config file say.
type settings struct {
	node  node.Config
	serve etcdapi.ServeConfig
	log   logSettings

	configFile  string
	state       string // new or existing
	metrics     string // basic or extensive
	retention   string // of auto-compaction, in the form that its mode takes
	maxSnaps    uint
	maxWALs     uint
	maxRecorded uint // segments of a recording
	gates       gates

	clientAutoTLS, peerAutoTLS bool
	selfSignedYears            uint
	cipherSuites               []string
	tlsMin, tlsMax             string
	keyLog                     string // a file
}

// logSettings are those of the member's log.
type logSettings struct {
	level, format string
	outputs       []string
}

// newSettings returns etcd's defaults.
func newSettings() *settings {
	return &settings{
		node: node.Config{
			Name: "default", ListenPeerURLs: []string{"http://localhost:2380"}, InitialClusterToken: "etcd-cluster",
			Tick: 100 * time.Millisecond, ElectionTimeout: time.Second, SnapshotCount: 10_000,
			CatchUpEntries: 5_000, MaxRequestBytes: 1536 << 10, MaxTxnOps: 128, MaxLearners: 1,
			CompactionBatch: 1000, CompactionPause: 10 * time.Millisecond, AuthToken: "simple", TokenTTL: 5 * time.Minute,
			BcryptCost: 10, AutoCompactionMode: "periodic", NoCompactHashCheck: true,
			CompactHashInterval: time.Minute, LeaseCheckpointInterval: 5 * time.Minute,
			DowngradeCheckInterval: 5 * time.Second, Metrics: prometheus.DefaultRegisterer,
		},
		serve: etcdapi.ServeConfig{
			ClientURLs: []string{"http://localhost:2379"}, CORS: []string{"*"}, Hosts: []string{"*"},
			SlowRequest: 300 * time.Millisecond,
			API: etcdapi.Options{
				MaxConcurrentStreams: math.MaxUint32, KeepAliveMinTime: 5 * time.Second,
				KeepAliveInterval: 2 * time.Hour, KeepAliveTimeout: 20 * time.Second, ProgressInterval: 10 * time.Minute,
				Metrics: prometheus.DefaultRegisterer,
			},
		},
		log:   logSettings{level: "info", format: "json", outputs: []string{"default"}},
		state: "new", metrics: "basic", retention: "0", maxSnaps: 5, maxWALs: 5, maxRecorded: 16,
		gates:           gates{},
		selfSignedYears: 1, tlsMin: string(tlsutil.TLSVersion12),
	}
}
