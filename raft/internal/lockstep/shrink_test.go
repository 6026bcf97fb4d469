package lockstep

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// randomInput returns the input with a number: n operations behind a header.
func randomInput(seed uint64, n int) input {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	in := make(input, headerSize+n*opSize)
	_, _ = rand.NewChaCha8(key).Read(in)
	return in
}

// shrink returns an input with fewer operations that fails as well, not necessarily of the same
// cause. It leaves out ever smaller parts until none can be spared.
func shrink(in input, alone bool) input {
	fails := func(in input) bool {
		_, failed := play(in, alone, nil)
		return failed != nil
	}
	for size := max(in.count()/2, 1); ; size /= 2 {
		for lo := 0; lo < in.count(); {
			if shorter := in.without(lo, min(lo+size, in.count())); fails(shorter) {
				in = shorter
			} else {
				lo += size
			}
		}
		if size <= 1 {
			return in
		}
	}
}

// explain reports a failure: shrunk, with its last steps, and how to play it again.
func explain(t *testing.T, in input, alone bool) {
	t.Helper()
	target := "FuzzLockstep"
	if alone {
		target = "FuzzAlone"
	}
	in = shrink(in, alone)
	var seen witness
	_, failed := play(in, alone, &seen)
	if failed == nil {
		t.Errorf("failed once, but not again: the world is not told by its input alone")
		return
	}
	tail := seen.steps[max(0, len(seen.steps)-60):]
	corpus := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", []byte(in))
	name := filepath.Join(t.TempDir(), "seed")
	if *saveTo != "" {
		name = filepath.Join(*saveTo, fmt.Sprintf("step-%d-ops-%d", failed.step, in.count()))
		seen.record(t, name+".rec")
	}
	if err := os.WriteFile(name, []byte(corpus), 0o644); err != nil {
		t.Error(err)
	}
	t.Errorf("%v\n%d operations left; as testdata/fuzz/%s/<name>:\n%s\nlast of %d steps:\n%s",
		failed, in.count(), target, corpus, len(seen.steps), strings.Join(tail, "\n"))
}
