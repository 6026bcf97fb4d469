package nodetest

import "testing"

// Kubernetes' storage layer works on a member of ours.
func TestKubernetesStorage(t *testing.T) {
	s := &suite{
		name:  "kube",
		tests: 70,
		sample: []string{"TestCreate", "TestCreateWithTTL", "TestGet", "TestConditionalDelete",
			"TestGuaranteedUpdate", "TestListPaging", "TestListContinuation", "TestConsistentList",
			"TestGetListStreamMultiChunk", "TestCompactConflict", "TestLeaseMaxObjectCount", "TestWatchChanSync",
			"TestWatchErrorIncorrectConfiguration"},
		dir: t.TempDir(),
		env: []string{"RAFTCTL=" + program(t)},
	}
	s.run(t)
}
