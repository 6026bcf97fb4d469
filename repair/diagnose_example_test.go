package repair_test

import (
	"context"
	"fmt"
	"log"

	"github.com/raftctl/raftctl/repair"
)

func ExampleDiagnose() {
	ctx := context.Background()
	m, err := repair.Open(ctx, "../testdata/c36-3m-clean.tar.zst/clean/m5", repair.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	d, err := repair.Diagnose(ctx, repair.DiagnoseOptions{}, m)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range d.Members[0].Checks {
		fmt.Println(c.Check, c.Verdict)
	}
	for _, f := range d.Findings {
		if f.Check == repair.CheckMembers {
			fmt.Println(f.Evidence)
		}
	}
	// Output:
	// log ok
	// snapshots ok
	// database ok
	// together ok
	// members ok
	// start problem
	// member 64ac15f3e296ad75, of which the log is, is in the list of removed members
}
