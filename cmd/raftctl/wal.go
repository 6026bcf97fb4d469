package main

import "github.com/spf13/cobra"

func newWAL(a *app) *cobra.Command {
	return newGroup("wal", "Read, explain and verify the log",
		"Commands on etcd's write-ahead log, the segments in member/wal.",
		newWALDump(a), newWALStat(a), newWALVerify(a))
}
