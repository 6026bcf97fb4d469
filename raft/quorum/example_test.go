package quorum_test

import (
	"fmt"

	"github.com/raftctl/raftctl/raft/quorum"
)

type acked map[uint64]quorum.Index

func (a acked) AckedIndex(id uint64) (quorum.Index, bool) {
	index, found := a[id]
	return index, found
}

func Example() {
	voters := quorum.Joint{quorum.NewSet(1, 2, 3)}
	acks := acked{1: 10, 2: 7} // nothing was heard of 3
	fmt.Print(voters.Describe(acks))
	fmt.Println(voters, "committed", voters.CommittedIndex(acks))

	// While 4 and 5 replace 1 and 2, both majorities must agree.
	voters[1] = voters[0]
	voters[0] = quorum.NewSet(3, 4, 5)
	fmt.Println(voters, "committed", voters.CommittedIndex(acks))
	// Output:
	//        idx
	// xx>     10    (id=1)
	// x>       7    (id=2)
	// ?        0    (id=3)
	// (1 2 3) committed 7
	// (3 4 5)&&(1 2 3) committed 0
}
