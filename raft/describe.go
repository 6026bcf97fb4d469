package raft

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
)

// DescribeSoftState formats a soft state as etcd's raft does.
func DescribeSoftState(s SoftState) string {
	return fmt.Sprintf("Lead:%d State:%s", s.Lead, s.RaftState)
}

// DescribeReady formats a Ready over several lines as etcd's raft does; f formats the data of
// normal entries, nil quotes it.
func DescribeReady(rd Ready, f raftpb.EntryFormatter) string {
	var b strings.Builder
	if rd.SoftState != nil {
		fmt.Fprintln(&b, DescribeSoftState(*rd.SoftState))
	}
	if !rd.HardState.IsEmpty() {
		fmt.Fprintln(&b, "HardState", raftpb.DescribeHardState(rd.HardState))
	}
	if len(rd.ReadStates) > 0 {
		fmt.Fprintln(&b, "ReadStates", rd.ReadStates)
	}
	if len(rd.Entries) > 0 {
		b.WriteString("Entries:\n" + raftpb.DescribeEntries(rd.Entries, f))
	}
	if !rd.Snapshot.IsEmpty() {
		fmt.Fprintln(&b, "Snapshot", raftpb.DescribeSnapshot(*rd.Snapshot))
	}
	if len(rd.CommittedEntries) > 0 {
		b.WriteString("CommittedEntries:\n" + raftpb.DescribeEntries(rd.CommittedEntries, f))
	}
	if len(rd.Messages) > 0 {
		b.WriteString("Messages:\n")
	}
	for _, m := range rd.Messages {
		b.WriteString(raftpb.DescribeMessage(m, f) + "\n")
	}
	if b.Len() == 0 {
		return "<empty Ready>"
	}
	return fmt.Sprintf("Ready MustSync=%t:\n%s", rd.MustSync, b.String())
}
