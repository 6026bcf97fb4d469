// Package staging makes the files of a member beside the place where they will lie, and gives them their
// names when they are whole: a data directory, or a log alone.
//
// A folder that is no result yet has a mark in its name, such as ".restoring-" or ".changing-". It is
// removed however the work ends, short of kill -9 or a power cut. What is left then is nobody's result, and
// no hindrance: [Leftovers] names it.
package staging
