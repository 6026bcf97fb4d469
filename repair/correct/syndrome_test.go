package correct

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// TestBack compares what is made of a CRC register backwards with checksums of data that differ.
func TestBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		data := make([]byte, 1+rng.IntN(300))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		if r, n := rng.Uint32(), rng.Int64N(500); backBy(forthBy(r, n), n) != r {
			t.Fatalf("%08x: %d bytes forth and back", r, n)
		}
		seed, at, e := rng.Uint32(), rng.IntN(len(data)), byte(1+rng.IntN(255))
		sum := crc32.Update(seed, castagnoli, data)
		if r := rng.Uint32(); back(forth(r)) != r || forth(back(r)) != r {
			t.Fatalf("%08x: back and forth is %08x", r, back(forth(r)))
		}
		if got := before(sum, crc32.Checksum(data, castagnoli), int64(len(data))); got != seed {
			t.Fatalf("%x: the chain began with %08x, got %08x", data, seed, got)
		}
		data[at] ^= e
		diff := sum ^ crc32.Update(seed, castagnoli, data)
		if got := backBy(diff, int64(len(data)-at)); got != uint32(e) {
			t.Fatalf("%x: byte %d is off by %02x, got %08x", data, at, e, got)
		}
	}
}
