package main

import (
	"strings"
	"testing"
)

const sample = `goos: linux
pkg: github.com/raftctl/raftctl/raftpb
BenchmarkDecode/size=1KiB/impl=ours-2  100  10 ns/op  0 allocs/op
BenchmarkDecode/size=1KiB/impl=ref-2   100  80 ns/op  2 allocs/op
BenchmarkEncode/impl=ours-2              100  10 ns/op
BenchmarkEncode/impl=ref-2               100  40 ns/op
BenchmarkEncodeNew/impl=ours-2           100  10 ns/op
BenchmarkEncodeNew/impl=ref-2            100  40 ns/op
BenchmarkEncodeNew/impl=copy-2           100  10 ns/op
BenchmarkAlone-2                       100   7 ns/op
PASS
BenchmarkDecode/size=1KiB/impl=ours-2  100  20 ns/op  0 allocs/op
BenchmarkDecode/size=1KiB/impl=ref-2   100  120 ns/op  2 allocs/op
`

func TestTable(t *testing.T) {
	var out strings.Builder
	if err := run(strings.NewReader(sample), &out); err != nil {
		t.Fatal(err)
	}
	// The ratios of the two runs are 8 and 6; a median of two is the upper one.
	for _, want := range []string{
		"## raftpb",
		"| Decode/size=1KiB | 20.00ns, 0 allocs | ref | 120.0ns, 2 allocs | 8.00× | ≥ 5× | met |",
		"| Encode | 10.00ns | ref | 40.00ns | 4.00× | ≥ 5× | **missed** |",
		"| EncodeNew | 10.00ns | ref | 40.00ns | 4.00× | ≥ 5× | **missed**; copying alone 4.00× |",
		"| Alone | 7.000ns | | | | | |",
	} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("no line %q in:\n%s", want, out.String())
		}
	}
}

func TestGoalsAreRefused(t *testing.T) {
	for _, text := range []string{"a b", "[ peer 1", "a peer fast"} {
		if _, err := parseGoals(text); err == nil {
			t.Errorf("parseGoals(%q) accepted", text)
		}
	}
}
