package nodecmd

import "slices"

// deprecation is what etcd says about a flag that it takes for the last time.
type deprecation struct {
	flag      string
	in, until string // releases
	instead   string // the flag to use; empty: none
	words     string // what etcd says, where that is in another form
}

// deprecations are those of etcd 3.5 to 3.7. Its words differ from flag to flag; they are as they are there, since that is
// what people look for.
var deprecations = []deprecation{
	{flag: "max-snapshots", in: "3.6", until: "3.8"},
	{flag: "v2-deprecation", in: "3.6", words: "--v2-deprecation is deprecated and scheduled for removal in v3.8. " +
		"The default value is enforced, ignoring user input."},

	{flag: "experimental-compact-hash-check-enabled", in: "3.6", until: "3.7", instead: "'--feature-gates=CompactHashCheck=true'"},
	{flag: "experimental-compact-hash-check-time", in: "3.6", until: "3.7", instead: "'--compact-hash-check-time'"},
	{flag: "experimental-txn-mode-write-with-shared-buffer", in: "v3.6", until: "v3.7",
		instead: "'--feature-gates=TxnModeWriteWithSharedBuffer=true'"},
	{flag: "experimental-corrupt-check-time", in: "v3.6", until: "v3.7", instead: "'--corrupt-check-time'"},
	{flag: "experimental-compaction-batch-limit", in: "v3.6", until: "v3.7", instead: "'--compaction-batch-limit'"},
	{flag: "experimental-watch-progress-notify-interval", in: "v3.6", until: "v3.7", instead: "'--watch-progress-notify-interval'"},
	{flag: "experimental-warning-apply-duration", in: "v3.6", until: "v3.7", instead: "'--warning-apply-duration'"},
	{flag: "experimental-bootstrap-defrag-threshold-megabytes", in: "v3.6", until: "v3.7",
		instead: "'--bootstrap-defrag-threshold-megabytes'"},
	{flag: "experimental-memory-mlock", in: "v3.6", until: "v3.7", instead: "'--memory-mlock'"},
	{flag: "experimental-snapshot-catchup-entries", in: "v3.6", until: "v3.7", instead: "'--snapshot-catchup-entries'"},
	{flag: "experimental-compaction-sleep-interval", in: "v3.6", until: "v3.7", instead: "'compaction-sleep-interval'"},
	{flag: "experimental-downgrade-check-time", in: "v3.6", until: "v3.7", instead: "'--downgrade-check-time'"},
	{flag: "experimental-enable-distributed-tracing", in: "3.6", until: "3.7", instead: "--enable-distributed-tracing"},
	{flag: "experimental-distributed-tracing-address", in: "3.6", until: "3.7", instead: "--distributed-tracing-address"},
	{flag: "experimental-distributed-tracing-service-name", in: "3.6", until: "3.7", instead: "--distributed-tracing-service-name"},
	{flag: "experimental-distributed-tracing-instance-id", in: "3.6", until: "3.7", instead: "--distributed-tracing-instance-id"},
	{flag: "experimental-distributed-tracing-sampling-rate", in: "3.6", until: "3.7", instead: "--distributed-tracing-sampling-rate"},
	// etcd 3.6.16 ends on these words, since its log isn't open yet.
	{flag: "experimental-warning-unary-request-duration", in: "3.6",
		words: "--experimental-warning-unary-request-duration is deprecated, and will be decommissioned in v3.7. " +
			"Use --warning-unary-request-duration instead."},

	{flag: "enable-v2", in: "3.5", until: "3.6"},
	{flag: "experimental-enable-v2v3", in: "3.5", until: "3.6"},
	{flag: "proxy", in: "3.5", until: "3.6"},
	{flag: "proxy-failure-wait", in: "3.5", until: "3.6"},
	{flag: "proxy-refresh-interval", in: "3.5", until: "3.6"},
	{flag: "proxy-dial-timeout", in: "3.5", until: "3.6"},
	{flag: "proxy-write-timeout", in: "3.5", until: "3.6"},
	{flag: "proxy-read-timeout", in: "3.5", until: "3.6"},
}

func (d *deprecation) String() string {
	if d.words != "" {
		return d.words
	}
	text := "--" + d.flag + " is deprecated in " + d.in + " and will be decommissioned in " + d.until + "."
	if d.instead != "" {
		text += " Use " + d.instead + " instead."
	}
	return text
}

// deprecatedAmong returns what is said about flags by an etcd of a release, or one of a later release that takes them. An empty
// release stands for a later one than 3.5.
func deprecatedAmong(flags []string, release string) (words []string) {
	for _, d := range deprecations {
		if slices.Contains(flags, d.flag) && (d.in == "3.5" || release != "3.5") {
			words = append(words, d.String())
		}
	}
	return words
}
