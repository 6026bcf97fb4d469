package wal

import (
	"bytes"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// A record behind a gap is proven by what follows it, but nothing is left to check its data against:
// verify says so.
func TestVerifyUncheckedRecord(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 3).files(1024)
	b := log[segmentOf(log, 1)]
	offs := frameOffsets(b)
	copy(b[offs[5]:offs[7]], bytes.Repeat([]byte{0xff}, offs[7]-offs[5]))
	r := verifyMap(t, log, VerifyOptions{})
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Class == ClassUnchecked })
	if i < 0 {
		t.Fatalf("no finding of class %s:\n%s", ClassUnchecked, findingLines(r))
	}
	if f := r.Findings[i]; f.Severity != SeverityWarning || f.Pos.Off != int64(offs[7]) {
		t.Errorf("finding %+v, want a warning at offset %d", f, offs[7])
	}
	if r.Verdict != VerdictProblem {
		t.Errorf("verdict %s, want %s", r.Verdict, VerdictProblem)
	}
}
