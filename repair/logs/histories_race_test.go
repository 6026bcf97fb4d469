//go:build race

package logs_test

// histories is how many random histories a test goes through.
const histories = 60
