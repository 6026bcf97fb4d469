package wal

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// TestOwnSnapshotBehindALostSegment takes a segment out of a log whose member later recorded its own
// snapshot of an entry in it.
func TestOwnSnapshotBehindALostSegment(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	ten := func() {
		for range 10 {
			b.entry(2, []byte("x"))
		}
	}
	ten()
	b.cut()
	ten()
	b.cut()
	b.state(2, 12)
	ten()
	b.add(KindSnapshot, (&Snapshot{
		Index: 15, Term: 2, ConfState: &raftpb.ConfState{Voters: []uint64{1}},
	}).AppendTo(nil, raftpb.FlavorGogo))
	ten()
	log := b.files(512)
	delete(log, segmentOf(log, 1))
	r := verifyMap(t, log, VerifyOptions{})
	if got := rangesText(r.Ranges); got != "1..10 21..40" {
		t.Errorf("ranges %s\n%s", got, findingLines(r))
	}
	if strings.Contains(findingLines(r), "from the leader") {
		t.Errorf("a snapshot of the leader's:\n%s", findingLines(r))
	}
}

// TestReaderAndVerifyAgree damages logs in all ways that tests know, and in random ones. What the
// reader tells at a place, Verify tells at the same place, so that the two can be joined.
func TestReaderAndVerifyAgree(t *testing.T) {
	for _, test := range damageTests {
		segments := 2
		for _, d := range test.want {
			segments = max(segments, d.seg+1)
		}
		if strings.Contains(test.name, "exchanged") {
			segments = 3
		}
		w := newWreck(segments, test.zeros)
		test.wreck(w)
		checkAgree(t, test.name, w.files)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	b := buildLog(raftpb.FlavorGogo, 3)
	for i := range 1000 {
		files := b.files(rng.IntN(2048))
		name := b.segs[rng.IntN(3)].name.String()
		for range 1 + rng.IntN(4) {
			files[name] = wreckBytes(rng, files[name])
		}
		checkAgree(t, fmt.Sprint("random ", i), files)
		if t.Failed() {
			return
		}
	}
}

func checkAgree(t *testing.T, name string, files map[string][]byte) {
	t.Helper()
	damages, _ := split(readFiles(t, maps.Clone(files), Inspect))
	r := verifyMap(t, files, VerifyOptions{})
	for _, d := range damages {
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
			return f.Class == d.Class && f.Pos == d.Pos && strings.HasPrefix(f.Evidence, d.Evidence)
		}) {
			t.Errorf("%s: the reader tells %v, verify:\n%s", name, d, findingLines(r))
		}
	}
}
