package firetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// shapes are the clusters that stories are told of, in turn.
var shapes = []shape{
	{size: 3, release: "3.7"},
	{size: 3, release: "3.7", real: 3},
	{size: 5, release: "3.7"},
	{size: 3, release: "3.6", real: 2},
	{size: 5, release: "3.6", real: 1},
}

// TestFire tells a story with some faults, or stories with all of them for as long as RAFTCTL_FIRE says ("2h"): RAFTCTL_SEED is that of the
// first one. RAFTCTL_FAULT chooses one fault, which then comes ten times.
func TestFire(t *testing.T) {
	seed := uint64(1)
	if text := os.Getenv("RAFTCTL_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		must(t, err)
	}
	var long time.Duration
	if text := os.Getenv("RAFTCTL_FIRE"); text != "" {
		var err error
		long, err = time.ParseDuration(text)
		must(t, err)
	}
	began := time.Now()
	for ; ; seed++ {
		h := shapes[int(seed)%len(shapes)]
		if long == 0 {
			h = shapes[1]
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Log(h)
			play(t, seed, h, chosen(seed, long > 0), long > 0)
		})
		if time.Since(began) >= long {
			break
		}
	}
	t.Logf("%v", time.Since(began).Round(time.Second))
}

// chosen returns the faults of a story: all, in an order of its own, or the sample.
func chosen(seed uint64, long bool) (list []fault) {
	only := os.Getenv("RAFTCTL_FAULT")
	for _, i := range rand.New(rand.NewPCG(seed, 1)).Perm(len(faults)) {
		switch f := faults[i]; {
		case only == f.name:
			return slices.Repeat([]fault{f}, 10)
		case only == "" && (long || f.sample):
			list = append(list, f)
		}
	}
	return list
}
