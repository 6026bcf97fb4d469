package paste_test

import (
	"fmt"

	"github.com/raftctl/raftctl/decode/paste"
	"github.com/raftctl/raftctl/raftpb"
)

func Example() {
	readings, err := paste.Read([]byte("08 02 10 01 18 07"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range paste.Candidates(readings[0].Bytes) {
		fmt.Println(readings[0].Form, c.Kind, c.Exact)
		if c.HardState != nil {
			fmt.Println(" ", raftpb.DescribeHardState(*c.HardState))
		}
	}
	// Output:
	// hex entry true
	// hex hard_state true
	//   Term:2 Vote:1 Commit:7
	// hex conf_change true
}
