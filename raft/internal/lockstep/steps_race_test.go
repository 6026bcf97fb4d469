//go:build race

package lockstep

// defaultSteps is smaller under the race detector, which has little to find in worlds that share
// nothing, and is slow.
const defaultSteps = 100_000
