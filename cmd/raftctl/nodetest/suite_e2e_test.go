package nodetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// etcd's end-to-end tests of one server's ways, where `etcd` is a member of ours, and etcd 3.6 the release before. It takes half
// an hour, so that only `make lab` runs it.
func TestEtcdE2E(t *testing.T) {
	s := &suite{name: "etcd-e2e", tests: 220, dir: t.TempDir(), apart: true, skipped: failpoints(), failing: leftOut}
	if whole() {
		takeTurn(t)
		dir := etcdFolder(t, "e2e", "--as", "3.7") // a directory of 3.6 becomes one of 3.7, as with etcd
		bin := filepath.Join(dir, "bin")
		if err := os.Symlink(etcdtest.Binary(t, "3.6", "etcd"), filepath.Join(bin, "etcd-last-release")); err != nil {
			t.Fatal(err)
		}
		s.dir, s.args = filepath.Join(dir, "e2e"), []string{"-bin-dir", bin}
	}
	s.run(t)
}

// failpoints returns the tests that skip themselves: they need failpoints built in, which the released etcd hasn't either.
func failpoints() map[string]string {
	tests := map[string]string{}
	for _, name := range []string{"TestIssue20271", "TestLeaseRevokeDuringRenew", "TestRecoverSnapshotBackend", "TestReproduce17780",
		"TestReproduce19406", "TestResumeCompactionOnTombstone", "TestSnapDBDirSyncErrorRecovery", "TestSnapDBReceiveCrashWindow"} {
		tests[name] = "it needs failpoints"
	}
	return tests
}

// Why tests don't pass: what they want is left out on purpose, and refused with these words, or said otherwise.
const (
	noDiscovery = "there is no discovery; name the members with --initial-cluster"
	noProxy     = "there is no gRPC proxy and no gateway"
	noV2        = "what etcd 2 left is neither used nor deleted"
	greeting    = "what a member says first, where it listens and what to type next, isn't JSON"
)

var leftOut = map[string]string{
	"TestClusterOf1UsingV3Discovery_1endpoint":     noDiscovery,
	"TestClusterOf1UsingV3Discovery_3endpoints":    noDiscovery,
	"TestClusterOf3UsingV3Discovery_1endpoint":     noDiscovery,
	"TestClusterOf3UsingV3Discovery_3endpoints":    noDiscovery,
	"TestTLSClusterOf5UsingV3Discovery_1endpoint":  noDiscovery,
	"TestTLSClusterOf5UsingV3Discovery_3endpoints": noDiscovery,
	"TestGateway":                               noProxy,
	"TestGrpcProxyAutoSync":                     noProxy,
	"TestGrpcProxyTLSVersions":                  noProxy,
	"TestNoMetricsMissing":                      noProxy + ", whose metrics it wants too",
	"TestEtcdDeprecatedFlags":                   noV2,
	"TestV2DeprecationEnforceDefaultValue":      noV2,
	"TestV2DeprecationNotYet":                   noV2,
	"TestNoErrorLogsDuringNormalOperations":     greeting,
	"TestServerJsonLogging":                     greeting,
	"TestBootstrapDefragFlag":                   "a start never defragments; 'etcdctl defrag' does it",
	"TestEtcdPeerLocalAddr":                     "the system chooses the address that peers are called from",
	"TestSnapshotCatchupEntriesFlag":            "it wants the log to say the flag's value",
	"TestBreakConsistentIndexNewerThanSnapshot": "a database behind its snapshot is refused, as etcd does, in other words",
	"TestEtcdExampleConfig":                     "its file is not in the module, so that it fails on etcd too",
}
