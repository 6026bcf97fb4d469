//go:build !race

package lockstep

// defaultSteps is the number of steps that TestLockstep does unless told otherwise.
const defaultSteps = 1_200_000
