package nodetest

import (
	"regexp"
	"slices"
	"strings"
)

// mask replaces what differs between two clusters that are as they should be.
type mask struct {
	found *regexp.Regexp
	by    string
}

var masks = []mask{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
	{regexp.MustCompile(`"ts":"[^"]*"`), `"ts":"T"`},
	{regexp.MustCompile(`0x[0-9a-f]+`), "PTR"},
	{regexp.MustCompile(`("(?:cluster_id|member_id|raft_term|lease_id|lease|ID|id|memberID|leader|raftIndex|raftTerm|` +
		`raftAppliedIndex|dbSize|dbSizeInUse)"):(?:\d+|"\d+")`), `$1:N`},
	{regexp.MustCompile(`("(?:ClusterID|MemberID|RaftTerm|RaftIndex|RaftAppliedIndex|Leader|ID|Lease|DBSize|DBSizeInUse)"` +
		` :) \d+`), `$1 N`},
	{regexp.MustCompile(`\b[0-9a-f]{12,16}\b`), "ID"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|s)\b`), "TIME"},
	{regexp.MustCompile(`remaining\(\d+s\)|remaining\(TIME\)`), "remaining(N)"},
	{regexp.MustCompile(`"ttl":\d+`), `"ttl":N`},
	{regexp.MustCompile(`"TTL" : \d+`), `"TTL" : N`},
	{regexp.MustCompile(`\b\d+(\.\d+)? [kMGT]?i?B\b`), "SIZE"},
	{regexp.MustCompile(` {2,}`), " "},
	{regexp.MustCompile(`-{3,}`), "--"},
	{regexp.MustCompile(`─+`), "─"},
	{regexp.MustCompile(`memberID:\d+`), "memberID:N"},
}

var (
	number     = regexp.MustCompile(`\b\d+\b`)
	memberName = regexp.MustCompile(`\bm[123]\b`)
	initial    = regexp.MustCompile(`(ETCD_INITIAL_CLUSTER=")([^"]*)"`)
	boolean    = regexp.MustCompile(`\b(true|false)\b`)
)

// masked returns what etcdctl printed without what differs anyway.
func masked(text string, l *line) string {
	for _, m := range masks {
		text = m.found.ReplaceAllString(text, m.by)
	}
	text = logSorted(text)
	if l.numbers {
		text = number.ReplaceAllString(text, "N")
	}
	if l.only != "" {
		text = strings.Join(slices.DeleteFunc(slices.Collect(strings.Lines(text)), func(line string) bool {
			return !strings.Contains(line, l.only)
		}), "")
	}
	if !l.order {
		return text
	}
	text = boolean.ReplaceAllString(memberName.ReplaceAllString(text, "mN"), "BOOL")
	text = initial.ReplaceAllStringFunc(text, func(all string) string {
		m := initial.FindStringSubmatch(all)
		members := strings.Split(m[2], ",")
		slices.Sort(members)
		return m[1] + strings.Join(members, ",") + `"`
	})
	lines := slices.Collect(strings.Lines(text))
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// logSorted returns a text whose runs of lines of etcdctl's own log are sorted: it logs from several goroutines.
func logSorted(text string) string {
	lines := slices.Collect(strings.Lines(text))
	isLog := func(line string) bool { return strings.HasPrefix(line, `{"level":`) }
	for from := 0; from < len(lines); {
		to := from
		for to < len(lines) && isLog(lines[to]) {
			to++
		}
		slices.Sort(lines[from:to])
		from = to + 1
	}
	return strings.Join(lines, "")
}
