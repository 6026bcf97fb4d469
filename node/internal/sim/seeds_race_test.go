//go:build race

package sim

// fewSeeds is as in seeds_test.go, for the race detector, which makes everything slow.
const fewSeeds = 40
