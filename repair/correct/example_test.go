package correct_test

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/correct"
	"github.com/raftctl/raftctl/wal"
)

func ExampleFind() {
	segments := build(raftpb.FlavorGogo, false, 1).files(0, 64)
	segments[wal.SegmentName{}.String()][300] ^= 4
	log, err := wal.Open(segments.fs(), "wal")
	if err != nil {
		panic(err)
	}
	defer log.Close()
	report, err := log.Verify(context.Background(), wal.VerifyOptions{})
	if err != nil {
		panic(err)
	}
	c, err := correct.Find(context.Background(), log, &report.Findings[0])
	if err != nil {
		panic(err)
	}
	fmt.Printf("%v: %s: %x was %x\n%s\n", c.Pos, c.Class, c.Old, c.New, c.How)
	// Output:
	// 0000000000000000-0000000000000000.wal: offset 300: payload: 65 was 61
	// 1 of 1888 single bits fits: 65 at offset 300 was 61: the data then gives its crc ea1cb9c1
}
