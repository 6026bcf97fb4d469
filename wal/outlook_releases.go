package wal

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/internal/etcdwire"
)

// etcdRelease is a group of releases that read a log alike, and the rules that they read it by.
type etcdRelease struct {
	from, to string // first and last, inclusive; "3.6" alone is the whole minor release
	decoder  etcdwire.Decoder

	// fileBase: the log is read from the newest snapshot that has a .snap file. Otherwise it is read
	// from the last snapshot record.
	fileBase bool

	// maxRecord: a record that takes that many bytes with its padding, or more, is refused. 0: none
	// is.
	maxRecord int64

	// beyond is the error about a record longer than what is left of its file, as a format for name,
	// length, file size, offset, padding and what is left. Empty: that is noticed when the file ends,
	// which is a torn write.
	beyond     string
	beyondTorn bool // that error, too, is answered with a repair

	// gapPanics: nothing looks at whether entries are missing before Go's runtime does.
	gapPanics bool

	errChain string // the chain breaks at the head of a segment
	detailed bool   // errors say what was expected, and where
	lines    etcdLines
}

// etcdLines are the server's last log lines, which carry the error.
type etcdLines struct{ start, open, read, repair string }

var (
	lines34 = etcdLines{"etcdmain", "open wal error", "read wal error", "cannot be repaired"}
	lines35 = etcdLines{"discovery failed", "failed to open WAL",
		"failed to read WAL, cannot be repaired", "failed to repair WAL"}
)

const (
	beyondFatal = "wal: max entry size limit exceeded, " + beyondNumbers
	beyondTorn  = "unexpected EOF: [wal] max entry size limit exceeded when decoding %[1]q, " +
		beyondNumbers
	beyondTorn36 = "unexpected EOF: [wal] max entry size limit exceeded when reading %[1]q, " +
		beyondNumbers
	beyondNumbers = "recBytes: %[2]d, fileSize(%[3]d) - offset(%[4]d) - padBytes(%[5]d) = " +
		"entryLimit(%[6]d)"
)

// etcdReleases is what is known about how releases of etcd read a log, oldest first. The next one
// is a row. The first row holds for 3.4.8 and 3.4.9 in all; before 3.4.8 the snapshot that a log is
// read from need not be named by the log.
var etcdReleases = []etcdRelease{
	{from: "3.4.0", to: "3.4.9", decoder: etcdwire.Gogo, fileBase: true, gapPanics: true,
		errChain: "wal: crc mismatch", lines: lines34},
	{from: "3.4.10", to: "3.4", decoder: etcdwire.Gogo, fileBase: true, maxRecord: 10 << 20,
		errChain: "wal: crc mismatch", lines: lines34},
	{from: "3.5.0", to: "3.5.4", decoder: etcdwire.Gogo, fileBase: true, maxRecord: 10 << 20,
		errChain: "wal: crc mismatch", lines: lines35},
	{from: "3.5.5", to: "3.5.6", decoder: etcdwire.Gogo, fileBase: true, beyond: beyondFatal,
		errChain: "wal: crc mismatch", lines: lines35},
	{from: "3.5.7", to: "3.5", decoder: etcdwire.Gogo, fileBase: true,
		beyond: beyondTorn, beyondTorn: true,
		errChain: "wal: crc mismatch", lines: lines35},
	{from: "3.6", to: "3.6", decoder: etcdwire.Gogo, fileBase: true,
		beyond: beyondTorn36, beyondTorn: true,
		errChain: "walpb: crc mismatch", detailed: true, lines: lines35},
	{from: "3.7", to: "3.7", decoder: etcdwire.Google,
		beyond: beyondTorn36, beyondTorn: true,
		errChain: "walpb: crc mismatch", detailed: true, lines: lines35},
}

// version is a release of etcd as numbers.
type version struct{ major, minor, patch int }

// parseVersion parses "3.5.7", or "3.6", whose patch level is then as given. What isn't a number
// counts as 0.
func parseVersion(s string, patch int) version {
	parts := strings.SplitN(s, ".", 3)
	var n [3]int
	n[2] = patch
	for i, p := range parts {
		n[i], _ = strconv.Atoi(p)
	}
	return version{n[0], n[1], n[2]}
}

func (v version) compare(w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor),
		cmp.Compare(v.patch, w.patch))
}

// Holds reports whether the outlook is about a release, such as "3.5.7". "3.6" stands for the last
// release of that minor version.
func (o *Outlook) Holds(release string) bool {
	v := parseVersion(release, math.MaxInt)
	return parseVersion(o.From, 0).compare(v) <= 0 && v.compare(parseVersion(o.To, math.MaxInt)) <= 0
}

// Releases names the releases that the outlook holds for: "3.6", "3.4 to 3.6", "3.5.7 to 3.6",
// "3.5.0 to 3.5.4", "3.5.7 and later 3.5".
func (o *Outlook) Releases() string {
	from, to := parseVersion(o.From, 0), parseVersion(o.To, math.MaxInt)
	if to.patch != math.MaxInt {
		return o.From + " to " + o.To
	}
	first := o.From
	if from.patch == 0 {
		first = fmt.Sprintf("%d.%d", from.major, from.minor)
	}
	switch {
	case first == o.To:
		return o.To
	case from.major == to.major && from.minor == to.minor:
		return first + " and later " + o.To
	}
	return first + " to " + o.To
}

// Outlook returns the outlook that holds for a release, such as "3.5.7" or "3.6". It is nil for a
// release that nothing is known about.
func (r *Report) Outlook(release string) *Outlook {
	i := slices.IndexFunc(r.Outlooks, func(o Outlook) bool { return o.Holds(release) })
	if i < 0 {
		return nil
	}
	return &r.Outlooks[i]
}

// FoldOutlooks returns one outlook for each stretch of releases that come to the same end, with the
// words of the newest of them. The list is in ascending order, as a report's is.
func FoldOutlooks(list []Outlook) (out []Outlook) {
	for i := range list {
		o := list[i]
		if n := len(out); n > 0 && out[n-1].Agrees(&o) {
			o.From = out[n-1].From
			out[n-1] = o
			continue
		}
		out = append(out, o)
	}
	return out
}

// Agrees reports whether two outlooks come to the same end, in whatever words.
func (o *Outlook) Agrees(p *Outlook) bool {
	sameCut := (o.Cut == nil) == (p.Cut == nil) && (o.Cut == nil || *o.Cut == *p.Cut)
	return o.Action == p.Action && o.cause == p.cause && o.Better == p.Better && sameCut &&
		o.Start == p.Start && o.Last == p.Last && o.Commits == p.Commits &&
		slices.Equal(o.Lost, p.Lost) && slices.Equal(o.Ghosts, p.Ghosts) &&
		slices.Equal(o.Unexplained, p.Unexplained)
}

// setBetter notes, for the outlooks of releases that refuse, the first later release of the same
// minor version that doesn't.
func setBetter(list []Outlook) {
	for i := range list {
		o := &list[i]
		if o.Action != ActionRefuses {
			continue
		}
		minor := parseVersion(o.To, 0)
		for _, p := range list[i+1:] {
			from := parseVersion(p.From, 0)
			if from.major == minor.major && from.minor == minor.minor && p.boots() {
				o.Better, o.betterCuts = p.From, p.repaired
				break
			}
		}
	}
}
