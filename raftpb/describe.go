package raftpb

import (
	"fmt"
	"strconv"
	"strings"
)

// EntryFormatter turns the data of a normal entry into text. Nil stands for the default, which
// quotes the data as Go does.
type EntryFormatter func(data []byte) string

// DescribeHardState returns the state in one line, such as "Term:2 Vote:1 Commit:7". A vote for
// nobody is left out.
func DescribeHardState(s HardState) string {
	if s.Vote == None {
		return fmt.Sprintf("Term:%d Commit:%d", s.Term, s.Commit)
	}
	return fmt.Sprintf("Term:%d Vote:%d Commit:%d", s.Term, s.Vote, s.Commit)
}

// DescribeConfState returns the membership in one line, with decimal IDs, such as
// "Voters:[1 2] VotersOutgoing:[] Learners:[3] LearnersNext:[] AutoLeave:false".
func DescribeConfState(s ConfState) string {
	return fmt.Sprintf("Voters:%d VotersOutgoing:%d Learners:%d LearnersNext:%d AutoLeave:%t",
		s.Voters, s.VotersOutgoing, s.Learners, s.LearnersNext, s.AutoLeave)
}

// DescribeSnapshot returns what the snapshot stands for in one line, without its data.
func DescribeSnapshot(s Snapshot) string {
	m := &s.Metadata
	return fmt.Sprintf("Index:%d Term:%d ConfState:%s",
		m.Index, m.Term, DescribeConfState(m.ConfState))
}

// DescribeEntry returns the entry in one line, such as `2/7 EntryNormal "data"` or
// "2/8 EntryConfChangeV2 v3 r1". What follows the type is left out when it is empty.
func DescribeEntry(e Entry, f EntryFormatter) string {
	line := fmt.Sprintf("%d/%d %s", e.Term, e.Index, e.Type)
	if text := describeData(&e, f); text != "" {
		line += " " + text
	}
	return line
}

func describeData(e *Entry, f EntryFormatter) string {
	switch e.Type {
	case EntryNormal:
		if f == nil {
			return strconv.Quote(string(e.Data))
		}
		return f(e.Data)
	case EntryConfChange:
		var c ConfChange
		return describeChanges(c.UnmarshalAlias(e.Data), &c)
	case EntryConfChangeV2:
		var c ConfChangeV2
		return describeChanges(c.UnmarshalAlias(e.Data), &c)
	}
	return ""
}

func describeChanges(err error, c ConfChangeI) string {
	if err != nil {
		return err.Error()
	}
	return ConfChangesToString(c.AsV2().Changes)
}

// DescribeEntries returns the entries, one a line, each line ended.
func DescribeEntries(entries []Entry, f EntryFormatter) string {
	var b strings.Builder
	for i := range entries {
		b.WriteString(DescribeEntry(entries[i], f))
		b.WriteByte('\n')
	}
	return b.String()
}

// DescribeConfChange returns the change in one line, such as
// "transition:ConfChangeTransitionAuto changes:{type:ConfChangeAddNode node_id:3}".
func DescribeConfChange(c ConfChangeI) string {
	v2 := c.AsV2()
	var b strings.Builder
	fmt.Fprintf(&b, "transition:%s", v2.Transition)
	for _, change := range v2.Changes {
		fmt.Fprintf(&b, " changes:{type:%s node_id:%d}", change.Type, change.NodeID)
	}
	if len(v2.Context) > 0 {
		fmt.Fprintf(&b, " context:%q", v2.Context)
	}
	return b.String()
}

// DescribeMessage returns the message in one line, such as
// `1->2 MsgApp Term:2 Log:2/6 Commit:6 Entries:[2/7 EntryNormal "data"]`, with hex IDs. What is
// empty is left out, except Term and Log. Several entries, a snapshot and responses follow on lines
// of their own. The text does not end in a newline.
func DescribeMessage(m Message, f EntryFormatter) string {
	var b strings.Builder
	describeMessage(&b, &m, f, "")
	return b.String()
}

func describeMessage(b *strings.Builder, m *Message, f EntryFormatter, indent string) {
	fmt.Fprintf(b, "%s%s->%s %s Term:%d Log:%d/%d",
		indent, memberName(m.From), memberName(m.To), m.Type, m.Term, m.LogTerm, m.Index)
	if m.Reject {
		fmt.Fprintf(b, " Rejected (Hint: %d)", m.RejectHint)
	}
	if m.Commit != 0 {
		fmt.Fprintf(b, " Commit:%d", m.Commit)
	}
	if m.Vote != 0 {
		fmt.Fprintf(b, " Vote:%d", m.Vote)
	}
	describeMessageEntries(b, m.Entries, f, indent)
	if !m.Snapshot.IsEmpty() {
		fmt.Fprintf(b, "\n%s  Snapshot: %s", indent, DescribeSnapshot(*m.Snapshot))
	}
	if len(m.Responses) == 0 {
		return
	}
	b.WriteString(" Responses:[")
	for i := range m.Responses {
		b.WriteByte('\n')
		describeMessage(b, &m.Responses[i], f, indent+"  ")
	}
	fmt.Fprintf(b, "\n%s]", indent)
}

// describeMessageEntries puts a single entry on the message's line and several below it.
func describeMessageEntries(b *strings.Builder, entries []Entry, f EntryFormatter, indent string) {
	switch len(entries) {
	case 0:
		return
	case 1:
		fmt.Fprintf(b, " Entries:[%s]", DescribeEntry(entries[0], f))
		return
	}
	b.WriteString(" Entries:[")
	for i := range entries {
		fmt.Fprintf(b, "\n%s  %s", indent, DescribeEntry(entries[i], f))
	}
	fmt.Fprintf(b, "\n%s]", indent)
}

// memberName names a sender or receiver: a member by its ID in hex, the others by what they are.
func memberName(id uint64) string {
	switch id {
	case None:
		return "None"
	case LocalAppendThread:
		return "AppendThread"
	case LocalApplyThread:
		return "ApplyThread"
	}
	return strconv.FormatUint(id, 16)
}
