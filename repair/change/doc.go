// Package change gives a result its place: it becomes a new directory, or takes the place of the log that it
// was made of, and that can be taken back.
package change
