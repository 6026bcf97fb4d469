// Package display holds the rules by which all of raftctl shows text and sizes to people: how many
// columns of a terminal text takes, how a number of bytes is rounded, and what stands in for
// characters beyond ASCII where a terminal has none.
package display
