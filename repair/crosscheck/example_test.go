package crosscheck_test

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/snapshot/database"
)

func ExampleCheck() {
	found := crosscheck.Check(&crosscheck.Input{
		Starts:   []crosscheck.Start{{Releases: "3.6", Entry: raftpb.EntryID{Term: 2, Index: 20}}},
		Database: &crosscheck.Database{Meta: database.Meta{ConsistentIndex: 12, Term: 2}},
	})
	for _, f := range found {
		fmt.Printf("%s: %s\n", f.Class, f.Evidence)
	}
	// Output:
	// database_behind: it has applied entries up to 12, and etcd 3.6 starts from a snapshot of those up to 20
}
