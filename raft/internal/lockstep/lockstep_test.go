package lockstep

import (
	"math/rand/v2"
	"testing"
)

func randomInput(seed uint64, ops int) input {
	in := make(input, headerSize+ops*opSize)
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24), byte(seed >> 32), byte(seed >> 40)})
	_, _ = rng.Read(in)
	return in
}

func TestX(t *testing.T) {
	total := 0
	for seed := range uint64(3000) {
		in := randomInput(seed, 1000)
		n, f := play(in, false, nil)
		total += n
		if f != nil {
			t.Logf("seed %d: %v", seed, f)
			t.Fail()
		}
	}
	t.Log(total)
}
