package walcmd

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/wal"
)

// firstTerms and lastTerms are how many terms are listed for people, from the first and up to the
// last. One row stands for those between.
const (
	firstTerms = 3
	lastTerms  = 4
)

// listedSnapshots is how many of the latest snapshots are listed for people.
const listedSnapshots = 5

func (s *stat) print(w io.Writer, screen ui.Screen) error {
	var b bytes.Buffer
	kv := ui.NewFacts(&b)
	if s.MetadataErr == "" {
		kv.Add("member", "%s of cluster %s", s.NodeID, s.ClusterID)
	} else {
		kv.Add("member", "unknown: the metadata is not etcd's (%s)", s.MetadataErr)
	}
	if s.LastIndex > 0 {
		kv.Add("entries", "%d..%d, last of term %d", s.FirstIndex, s.LastIndex, s.LastTerm)
	} else {
		kv.Add("entries", "none")
	}
	kv.Add("hard state", "term %d, vote %s, commit %d", s.Term, s.Vote, s.Commit)
	s.timeFacts(kv)
	s.snapshotFacts(kv)
	if !s.MembersComplete {
		kv.Add("membership", "the log doesn't tell all: some may be missing, or removed since")
	}
	_ = kv.Flush() // a buffer takes everything
	s.printMembers(&b, screen)
	s.printSegments(&b, screen)
	s.printTerms(&b, screen)
	s.printOperations(&b, screen)
	s.printSizes(&b, screen)
	s.printLargest(&b, screen)
	s.printPrefixes(&b, screen)
	_, err := w.Write(b.Bytes())
	return err
}

func (s *stat) snapshotFacts(kv *ui.Facts) {
	if len(s.Snapshots) == 0 {
		kv.Add("snapshots", "none")
		return
	}
	var names []string
	for _, sn := range s.Snapshots[max(0, len(s.Snapshots)-listedSnapshots):] {
		names = append(names, sn.String())
	}
	latest := ""
	if len(names) < len(s.Snapshots) {
		latest = ", latest"
	}
	kv.Add("snapshots", "%s%s: %s", ui.Count(len(s.Snapshots)), latest, strings.Join(names, ", "))
}

// String names the snapshot for people.
func (s *snapshotStat) String() string {
	switch {
	case s.Index == 0:
		return "of the empty state"
	case !s.Valid:
		return fmt.Sprintf("index %d (term %d, not committed)", s.Index, s.Term)
	}
	return fmt.Sprintf("index %d (term %d)", s.Index, s.Term)
}

func (s *stat) printMembers(b *bytes.Buffer, screen ui.Screen) {
	t := ui.NewHeldTable(ui.TextColumn("MEMBER"), ui.TextColumn("ROLE"), ui.TextColumn("NAME"),
		ui.TextColumn("PEER URLS"), ui.TextColumn("CLIENT URLS"))
	for _, m := range s.Members {
		t.Add(m.ID, m.Role, m.Name, strings.Join(m.PeerURLs, " "), strings.Join(m.ClientURLs, " "))
	}
	t.Print(b, screen)
}

func (s *stat) printSegments(b *bytes.Buffer, screen ui.Screen) {
	t := ui.NewHeldTable(ui.TextColumn("SEGMENT"), ui.NumberColumn("ENTRIES"),
		ui.NumberColumn("FIRST"), ui.NumberColumn("LAST"), ui.SizeColumn("USED"),
		ui.TextColumn("FILL"))
	for _, seg := range s.Segments {
		t.Add(seg.Segment, num(seg.Entries), index(seg.First), index(seg.Last), display.FormatSize(seg.Used), ui.Bar(seg.Used, max(seg.Size, wal.SegmentSize), 20))
	}
	t.Print(b, screen)
}

func (s *stat) printTerms(b *bytes.Buffer, screen ui.Screen) {
	t := ui.NewHeldTable(ui.NumberColumn("TERM"), ui.NumberColumn("FIRST"),
		ui.NumberColumn("ENTRIES"), ui.TextColumn("AT"))
	rows := s.Terms
	if between := len(rows) - firstTerms - lastTerms; between > 1 {
		for _, x := range rows[:firstTerms] {
			addTerm(t, x)
		}
		addFolded(t, rows[firstTerms:firstTerms+between])
		rows = rows[firstTerms+between:]
	}
	for _, x := range rows {
		addTerm(t, x)
	}
	t.Print(b, screen)
}

func addTerm(t *ui.HeldTable, x termStat) {
	t.Add(num(x.Term), num(x.First), num(x.Entries), place(x))
}

// addFolded adds one row for several terms. A term may have come back in between, where the log is
// damaged: each of its stretches counts.
func addFolded(t *ui.HeldTable, terms []termStat) {
	entries := uint64(0)
	for _, x := range terms {
		entries += x.Entries
	}
	t.Add("…", num(terms[0].First), num(entries), fmt.Sprintf("%s terms more, %d..%d; -o json lists them",
		ui.Count(len(terms)), terms[0].Term, terms[len(terms)-1].Term))
}

func place(t termStat) string { return fmt.Sprintf("%s: offset %d", t.Segment, t.Offset) }

func (s *stat) printOperations(b *bytes.Buffer, screen ui.Screen) {
	t := ui.NewHeldTable(ui.TextColumn("OPERATION"), ui.NumberColumn("ENTRIES"),
		ui.SizeColumn("BYTES"), ui.TextColumn("SHARE"))
	total := int64(0)
	for _, op := range s.Operations {
		total += op.Bytes
	}
	for _, op := range s.Operations {
		t.Add(op.Op, num(op.Entries), display.FormatSize(op.Bytes), ui.Bar(op.Bytes, total, 20))
	}
	t.Print(b, screen)
}

func (s *stat) printSizes(b *bytes.Buffer, screen ui.Screen) {
	most := int64(0)
	for _, c := range s.Sizes {
		most = max(most, c.Entries)
	}
	t := ui.NewHeldTable(ui.SizeColumn("SIZE BELOW"), ui.NumberColumn("ENTRIES"), ui.TextColumn(""))
	for _, c := range s.Sizes {
		t.Add(display.FormatSize(c.Below), num(c.Entries), ui.Bar(c.Entries, most, 40))
	}
	t.Print(b, screen)
}

func (s *stat) printLargest(b *bytes.Buffer, screen ui.Screen) {
	t := ui.NewHeldTable(ui.SizeColumn("LARGEST"), ui.NumberColumn("INDEX"),
		ui.TextColumn("SUMMARY"))
	for _, e := range s.Largest {
		t.Add(display.FormatSize(e.Size), num(e.Index), e.Summary)
	}
	t.Print(b, screen)
}

func (s *stat) printPrefixes(b *bytes.Buffer, screen ui.Screen) {
	mark := ""
	if s.Estimated {
		mark = "~"
	}
	t := ui.NewHeldTable(ui.NumberColumn("WRITES"), ui.SizeColumn("BYTES"),
		ui.TextColumn("KEYS BELOW"))
	for _, p := range s.Prefixes {
		t.Add(mark+num(p.Writes), display.FormatSize(p.Bytes), visible(p.Prefix))
	}
	t.Print(b, screen)
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
