package etcdlog_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/raftctl/raftctl/repair/etcdlog"
)

func Example() {
	const journal = `Nov 29 01:47:27 node1 etcd[812]: panic: tocommit(31) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?`
	r, err := etcdlog.Read(context.Background(), strings.NewReader(journal))
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range r.Hits {
		fmt.Println(hit.Cause.Name, hit.First.N, hit.Cause.Fatal)
		fmt.Println(hit.Cause.Advice)
	}
	// Output:
	// forgotten 1 true
	// put the old log back; without it, remove the member from its cluster and add it again, with an empty data directory
}
