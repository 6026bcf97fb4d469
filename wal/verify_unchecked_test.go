package wal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// A record behind a gap is proven by what follows it, but nothing is left to check its data against.
// The finding on the gap says so, and which entries are missing there; no other does. The entry is
// live, and in no range of intact ones.
func TestVerifyUncheckedRecord(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 3).files(1024)
	b := log[segmentOf(log, 1)]
	offs := frameOffsets(b)
	copy(b[offs[5]:offs[7]], bytes.Repeat([]byte{0xff}, offs[7]-offs[5]))
	r := verifyMap(t, log, VerifyOptions{})
	var errs []Finding
	for _, f := range r.Findings {
		if f.Severity != SeverityInfo {
			errs = append(errs, f)
		}
	}
	if len(errs) != 1 || errs[0].Pos.Off != int64(offs[5]) ||
		!strings.Contains(errs[0].Evidence, "its data can't be checked; entry 10 missing") {
		t.Errorf("want one finding that tells all:\n%s", findingLines(r))
	}
	if got := rangesText(r.Ranges); got != "1..9 12..24" || !r.View.Live(Position{segmentOf(log, 1), int64(offs[7])}, 11) {
		t.Errorf("ranges %s, want all but entries 10 and 11\n%s", got, findingLines(r))
	}
}
