//go:build race

package mutation

// underRace is true under the race detector, which has nothing to find in tests that other processes run.
const underRace = true
