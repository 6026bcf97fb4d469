package etcdlog

// clusterCauses are about other members, and how the server was started.
var clusterCauses = []Cause{
	{
		Name: "bootstrapped", Fatal: true,
		Words:   []string{"has already been bootstrapped"},
		Means:   "the data directory is empty, or another one, and the cluster knows the member already: started anew, it would have forgotten what it acknowledged",
		Classes: []string{"log_restarted"},
		Advice: "give it its old data directory (is --data-dir right, is the disk mounted?); without that, etcdctl member remove and " +
			"member add, and start with --initial-cluster-state existing",
	},
	{
		Name:    "cluster_id",
		Words:   []string{"cluster ID mismatch"},
		Means:   "members of different clusters talk to each other: one of them was restored or begun anew, and the other was not",
		Classes: []string{"cluster_id"},
		Advice:  "put the members of the old cluster away; all members of a restored cluster come from the same restore",
	},
	{
		Name: "configuration", Fatal: true,
		Words: []string{"couldn't find local name", "member count is unequal", "error validating peerURLs", "has different advertised URLs",
			"--initial-cluster has", "unmatched member while checking PeerURLs"},
		Means:   "the flags don't name the members as the cluster has them",
		Classes: nil,
		Advice:  "compare --name, --initial-cluster and --initial-advertise-peer-urls with etcdctl member list of a member that runs",
	},
	{
		Name: "no_answer", Fatal: true,
		Words:   []string{"cannot fetch cluster info from peer urls", "could not get cluster response from", "failed to get cluster response"},
		Means:   "a member that is to join an existing cluster gets no answer from any of its members",
		Classes: nil,
		Advice:  "check that the others run, that their peer URLs are right, and the network between; has the data directory been lost?",
	},
	{
		Name:    "tls",
		Words:   []string{"x509: ", "tls: bad certificate", "remote error: tls:", "rejected connection", "tls: "},
		Means:   "connections fail for their certificates: one has expired, is not of the right authority, or isn't shown at all",
		Classes: nil,
		Advice:  "look at the dates with openssl x509 -noout -dates -in FILE, and renew them (kubeadm certs renew all)",
	},
	{
		Name: "no_leader",
		Words: []string{"etcdserver: no leader", "serving /health false; no leader", "waiting for ReadIndex response took too long",
			"failed to publish local member to cluster through raft…timed out",
			"failed to publish local member to cluster through raft…deadline exceeded", "publish error: etcdserver: request timed out"},
		Means:   "the cluster has no leader: a majority of the members is not there, or they don't reach each other",
		Classes: nil,
		Advice:  "start the other members; if a majority is gone for good, restore a new cluster: 'raftctl snapshot restore --from-member DIR'",
	},
	{
		Name: "connection",
		Words: []string{"lost TCP streaming connection", "lost the TCP streaming connection", "prober detected unhealthy status",
			"peer became inactive", "failed to reach the peer URL",
			"dropped Raft message since", "dropped internal Raft message since", "health check for peer … could not connect"},
		Means:   "another member doesn't answer, or not fast enough",
		Classes: nil,
		Advice:  "check whether that member runs, and the network between",
	},
	{
		Name:    "clock",
		Words:   []string{"high clock drift", "the clock difference against peer … is too high"},
		Means:   "the clocks of two machines differ; leases end too early or too late",
		Classes: nil,
		Advice:  "set the clocks: timedatectl, chronyc tracking",
	},
}
