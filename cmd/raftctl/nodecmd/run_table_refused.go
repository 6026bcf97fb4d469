package nodecmd

// The reasons why etcd's flags are not taken.
const (
	noDiscovery = "there is no discovery; name the members with --initial-cluster"
	noTracing   = "no spans are exported"
	noV2        = "the API of etcd 2 is not served"
	noRotation  = "log files are not rotated; logrotate does it"
)

// no returns a row of a flag that takes only the values that change nothing.
func no(name, reason string, usual ...string) setting {
	return setting{name: name, value: func(*settings) value { return refused{usual: usual, reason: reason} }}
}

// never is no for a flag that is true or false.
func never(name, reason, usual string) setting {
	v := refused{usual: []string{usual}, reason: reason, truth: true}
	return setting{name: name, value: func(*settings) value { return v }}
}

// under gives a row the names that it had in earlier releases.
func under(row setting, old ...string) setting {
	row.old = old
	return row
}

// at gives a row its key in the config file.
func at(row setting, key string) setting {
	row.key = key
	return row
}

// refusedSettings are etcd's flags that can't be changed here, with the reason.
var refusedSettings = []setting{
	under(never("memory-mlock", "memory is not locked", "false"), "experimental-memory-mlock"),
	no("backend-bbolt-freelist-type", "the free pages are kept in a map", "map", ""),
	at(never("socket-reuse-port", "a port has one owner", "false"), "socket-options.reuse-port"),
	at(never("socket-reuse-address", "a port has one owner", "false"), "socket-options.reuse-address"),
	no("raft-read-timeout", "it is 5s", "5s"),
	no("raft-write-timeout", "it is 5s", "5s"),
	under(no("warning-apply-duration", "what slow applying costs is in the metrics", "100ms"),
		"experimental-warning-apply-duration"),
	under(no("bootstrap-defrag-threshold-megabytes", "a start never defragments; 'etcdctl defrag' does it", "0"),
		"experimental-bootstrap-defrag-threshold-megabytes"),
	// etcd 3.7 takes any phase, and goes by write-only.
	no("v2-deprecation", "what etcd 2 left is neither used nor deleted",
		"", "not-yet", "write-only", "write-only-skip-check"),

	no("discovery", noDiscovery, ""),
	no("discovery-token", noDiscovery, ""),
	no("discovery-endpoints", noDiscovery, ""),
	no("discovery-dial-timeout", noDiscovery, "2s"),
	no("discovery-request-timeout", noDiscovery, "5s"),
	no("discovery-keepalive-time", noDiscovery, "2s"),
	no("discovery-keepalive-timeout", noDiscovery, "6s"),
	never("discovery-insecure-transport", noDiscovery, "true"),
	never("discovery-insecure-skip-tls-verify", noDiscovery, "false"),
	no("discovery-cert", noDiscovery, ""),
	no("discovery-key", noDiscovery, ""),
	no("discovery-cacert", noDiscovery, ""),
	no("discovery-user", noDiscovery, ""),
	no("discovery-password", noDiscovery, ""),
	no("discovery-fallback", noDiscovery, "exit", "proxy"),
	no("discovery-proxy", noDiscovery, ""),
	no("discovery-srv", noDiscovery, ""),
	no("discovery-srv-name", noDiscovery, ""),

	under(never("enable-distributed-tracing", noTracing, "false"), "experimental-enable-distributed-tracing"),
	under(no("distributed-tracing-address", noTracing, "localhost:4317"), "experimental-distributed-tracing-address"),
	under(no("distributed-tracing-service-name", noTracing, "etcd"), "experimental-distributed-tracing-service-name"),
	under(no("distributed-tracing-instance-id", noTracing, ""), "experimental-distributed-tracing-instance-id"),
	under(no("distributed-tracing-sampling-rate", noTracing, "0"), "experimental-distributed-tracing-sampling-rate"),

	never("enable-log-rotation", noRotation, "false"),
	no("log-rotation-config-json", noRotation,
		`{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}`),

	never("enable-v2", noV2, "false"),
	no("experimental-enable-v2v3", noV2, ""),
	no("proxy", noV2, "off"),
	no("proxy-failure-wait", noV2, "5000"),
	no("proxy-refresh-interval", noV2, "30000"),
	no("proxy-dial-timeout", noV2, "1000"),
	no("proxy-write-timeout", noV2, "5000"),
	no("proxy-read-timeout", noV2, "0"),
}
