package wal

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// A log whose last write was interrupted: nothing committed is lost, and etcd would cut the end off.
func ExampleLog_Verify() {
	log := buildLog(raftpb.FlavorGogo, 1).files(0)
	name := segmentOf(log, 0)
	log[name] = log[name][:len(log[name])-16] // in the middle of entry 8

	l, err := Open(mapFS(log), "wal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	r, err := l.Verify(context.Background(), VerifyOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Verdict, r.Intact, "commit", r.Commit())
	for _, f := range r.Findings {
		fmt.Println(f.Severity, f.Class, f.Pos)
	}
	fmt.Println(r.Outlook("3.7"))

	// Output:
	// problem entries 1..7 commit 7
	// error torn_end 0000000000000000-0000000000000000.wal: offset 2728
	// etcd 3.7 boots, and drops the end, all behind offset 2728 of 0000000000000000-0000000000000000.wal; reads entry 7
}
