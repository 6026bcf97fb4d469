// Package rows prints what a command reads, a row a record, in constant memory. Decoding and
// rendering cost several times what reading does, and rows don't depend on each other. So printing is
// three steps: one goroutine reads rows into batches, some filter and render batches, and one writes
// the results in the order in which they were read.
//
// The memory is that of some batches a worker, whatever is printed.
package rows
