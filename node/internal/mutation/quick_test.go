//go:build !race

package mutation

// underRace is false: see quick_race_test.go.
const underRace = false
