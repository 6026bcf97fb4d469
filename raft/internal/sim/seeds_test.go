//go:build !race

package sim

// defaultSeeds is the number of seeds that TestWorlds runs unless told otherwise.
const defaultSeeds = 2000
