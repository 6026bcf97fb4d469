package outlook_test

import (
	"context"
	"fmt"
	"os"

	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// What would each etcd do with a member's files?
func ExampleExamine() {
	log, err := wal.Open(os.DirFS("../../testdata"), "c36-leasecp-1n-clean.tar.zst")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	r, err := outlook.Examine(context.Background(), log, outlook.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Verdict)
	for _, o := range outlook.Fold(r.Outlooks) {
		fmt.Println(&o)
	}

	// Output:
	// ok
	// etcd 3.4 boots; reads entries 1..13 (the database was not looked at)
	// etcd 3.5 exits on entry 4 (term 2): invalid downgrade; server version is lower than determined cluster version
	// etcd 3.6 to 3.7 boots; reads entries 1..13 (the database was not looked at)
}
