//go:build !race

package sim

// fewSeeds is the number of seeds that TestWorlds runs unless told otherwise.
const fewSeeds = 2000
