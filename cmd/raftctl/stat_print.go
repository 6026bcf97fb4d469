package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/wal"
)

// stat is the result of `wal stat`, and its JSON: see docs/json.md.
type stat struct {
	Path       string         `json:"path"`
	NodeID     string         `json:"node_id"`
	ClusterID  string         `json:"cluster_id"`
	FirstIndex uint64         `json:"first_index"`
	LastIndex  uint64         `json:"last_index"`
	LastTerm   uint64         `json:"last_term"`
	Term       uint64         `json:"term"`
	Vote       string         `json:"vote"`
	Commit     uint64         `json:"commit"`
	Members    []memberStat   `json:"members"`
	Segments   []*segmentStat `json:"segments"`
	Terms      []termStat     `json:"terms"`
	Snapshots  []snapshotStat `json:"snapshots"`
	Operations []*opStat      `json:"operations"`
	Sizes      []sizeClass    `json:"sizes"`
	Largest    []largeEntry   `json:"largest"`
	Prefixes   []prefixStat   `json:"prefixes"`
	Estimated  bool           `json:"prefixes_estimated,omitempty"`
	Damage     int            `json:"damage"`
}

type segmentStat struct {
	Segment string `json:"segment"`
	Size    int64  `json:"size"`
	Used    int64  `json:"used"` // up to the end of the last record
	Records int64  `json:"records"`
	Entries int64  `json:"entries"`
	First   uint64 `json:"first_index"`
	Last    uint64 `json:"last_index"`
}

type termStat struct {
	Term    uint64 `json:"term"`
	First   uint64 `json:"first_index"`
	Entries uint64 `json:"entries"`
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
}

type snapshotStat struct {
	Index   uint64 `json:"index"`
	Term    uint64 `json:"term"`
	Valid   bool   `json:"valid"` // committed by the last hard state
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
}

type opStat struct {
	Op      string `json:"op"`
	Entries int64  `json:"entries"`
	Bytes   int64  `json:"bytes"`
}

type largeEntry struct {
	Index   uint64 `json:"index"`
	Term    uint64 `json:"term"`
	Size    int64  `json:"size"`
	Op      string `json:"op"`
	Summary string `json:"summary"`
}

type prefixStat struct {
	Prefix string `json:"prefix"`
	Writes int64  `json:"writes"`
	Bytes  int64  `json:"bytes"` // of the values written
}

// sizeClass counts the entries of From bytes or more, but less than Below.
type sizeClass struct {
	From    int64 `json:"from"`
	Below   int64 `json:"below"`
	Entries int64 `json:"entries"`
}

// listedSnapshots is how many of the latest snapshots are listed for people.
const listedSnapshots = 5

func (s *stat) print(w io.Writer, width int) error {
	var b bytes.Buffer
	kv := newFacts(&b)
	kv.add("member", "%s of cluster %s", s.NodeID, s.ClusterID)
	if s.LastIndex > 0 {
		kv.add("entries", "%d..%d, last of term %d", s.FirstIndex, s.LastIndex, s.LastTerm)
	} else {
		kv.add("entries", "none")
	}
	kv.add("hard state", "term %d, vote %s, commit %d", s.Term, s.Vote, s.Commit)
	s.snapshotFacts(kv)
	_ = kv.flush() // a buffer takes everything
	s.printMembers(&b, width)
	s.printSegments(&b, width)
	s.printTerms(&b, width)
	s.printOperations(&b, width)
	s.printSizes(&b, width)
	s.printLargest(&b, width)
	s.printPrefixes(&b, width)
	_, err := w.Write(b.Bytes())
	return err
}

func (s *stat) snapshotFacts(kv *facts) {
	if len(s.Snapshots) == 0 {
		kv.add("snapshots", "none")
		return
	}
	var names []string
	for _, sn := range s.Snapshots[max(0, len(s.Snapshots)-listedSnapshots):] {
		name := fmt.Sprintf("%d/%d", sn.Term, sn.Index)
		if !sn.Valid {
			name += " (not committed)"
		}
		names = append(names, name)
	}
	kv.add("snapshots", "%d, latest %s", len(s.Snapshots), strings.Join(names, ", "))
}

func (s *stat) printMembers(b *bytes.Buffer, width int) {
	t := newTextTable("MEMBER", "ROLE", "NAME", "PEER URLS")
	for _, m := range s.Members {
		t.add(m.ID, m.Role, m.Name, strings.Join(m.PeerURLs, " "))
	}
	t.print(b, width)
}

func (s *stat) printSegments(b *bytes.Buffer, width int) {
	t := newTextTable("SEGMENT", ">ENTRIES", ">FIRST", ">LAST", ">USED", "FILL")
	for _, seg := range s.Segments {
		t.add(seg.Segment, num(seg.Entries), index(seg.First), index(seg.Last), formatSize(seg.Used), bar(seg.Used, max(seg.Size, wal.SegmentSize), 20))
	}
	t.print(b, width)
}

func (s *stat) printTerms(b *bytes.Buffer, width int) {
	t := newTextTable(">TERM", ">FIRST", ">ENTRIES", "AT")
	for _, x := range s.Terms {
		t.add(num(x.Term), num(x.First), num(x.Entries), fmt.Sprintf("%s: offset %d", x.Segment, x.Offset))
	}
	t.print(b, width)
}

func (s *stat) printOperations(b *bytes.Buffer, width int) {
	t := newTextTable("OPERATION", ">ENTRIES", ">BYTES", "SHARE")
	total := int64(0)
	for _, op := range s.Operations {
		total += op.Bytes
	}
	for _, op := range s.Operations {
		t.add(op.Op, num(op.Entries), formatSize(op.Bytes), bar(op.Bytes, total, 20))
	}
	t.print(b, width)
}

func (s *stat) printSizes(b *bytes.Buffer, width int) {
	most := int64(0)
	for _, c := range s.Sizes {
		most = max(most, c.Entries)
	}
	t := newTextTable(">SIZE BELOW", ">ENTRIES", "")
	for _, c := range s.Sizes {
		t.add(formatSize(c.Below), num(c.Entries), bar(c.Entries, most, 40))
	}
	t.print(b, width)
}

func (s *stat) printLargest(b *bytes.Buffer, width int) {
	t := newTextTable(">LARGEST", ">INDEX", "SUMMARY")
	for _, e := range s.Largest {
		t.add(formatSize(e.Size), num(e.Index), e.Summary)
	}
	t.print(b, width)
}

func (s *stat) printPrefixes(b *bytes.Buffer, width int) {
	mark := ""
	if s.Estimated {
		mark = "~"
	}
	t := newTextTable(">WRITES", ">BYTES", "KEYS BELOW")
	for _, p := range s.Prefixes {
		t.add(mark+num(p.Writes), formatSize(p.Bytes), visible(p.Prefix))
	}
	t.print(b, width)
}

// visible returns a key so that nothing in it can act on a terminal.
func visible(key string) string {
	quoted := strconv.Quote(key)
	if quoted[1:len(quoted)-1] == key && key != "" {
		return key
	}
	return quoted
}

func num[T int64 | uint64](n T) string { return fmt.Sprint(n) }

// index formats an index where 0 stands for none.
func index(n uint64) string {
	if n == 0 {
		return "-"
	}
	return num(n)
}

// bar draws a share as a bar of at most width columns, in eighths of a column.
func bar(n, of int64, width int) string {
	if of <= 0 || n <= 0 {
		return ""
	}
	eighths := max(1, int(float64(n)/float64(of)*float64(8*width)+0.5))
	const partial = "▏▎▍▌▋▊▉"
	s := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		s += string([]rune(partial)[rest-1])
	}
	return s
}
