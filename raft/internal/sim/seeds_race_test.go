//go:build race

package sim

// defaultSeeds is smaller under the race detector, which has little to find in worlds that share
// nothing, and is slow.
const defaultSeeds = 200
