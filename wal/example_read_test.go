package wal_test

import (
	"fmt"
	"os"

	"github.com/raftctl/raftctl/wal"
)

// The log of an etcd that wrote a few keys, in an archive.
func ExampleLog_Records() {
	log, err := wal.Open(os.DirFS("../testdata"), "c36-leasecp-1n-clean.tar.zst")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	entries := 0
	for record, err := range log.Records(wal.Inspect) {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch record.Kind {
		case wal.KindDamage:
			fmt.Println(record.Damage)
		case wal.KindEntry:
			if entries++; entries <= 3 {
				fmt.Println(record.Pos, "entry", record.ID, len(record.Data), "bytes")
			}
		}
	}
	fmt.Println(entries, "entries")
	// Output:
	// 0000000000000000-0000000000000000.wal: offset 80 entry 1 (term 1) 100 bytes
	// 0000000000000000-0000000000000000.wal: offset 256 entry 2 (term 2) 6 bytes
	// 0000000000000000-0000000000000000.wal: offset 280 entry 3 (term 2) 65 bytes
	// 13 entries
}
