package raftctl_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

// Who deleted that key? This is the example of the README.
func Example() {
	l, err := wal.Open(os.DirFS("testdata"), "c36-3m-clean.tar.zst/clean/m1")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	view, err := l.View(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	var r decode.Request
	for e, err := range view.Entries(690) {
		if err != nil {
			log.Fatal(err)
		}
		if decode.Payload(&r, e.Entry) == nil && r.Op == decode.OpDeleteRange {
			fmt.Printf("%v: %s\n", e.ID(), r.AppendSummary(nil, decode.Style{}))
		}
	}
	// Output:
	// 697 (term 2): delete_range key0003
	// 698 (term 2): delete_range prefix key004
	// 699 (term 2): delete_range key0010 to key0015
	// 700 (term 2): delete_range nosuchkey
	// 701 (term 2): delete_range zzz and after
	// 711 (term 2): delete_range mylock/4868a1fb7d76e626
}
