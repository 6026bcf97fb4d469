// Package where holds the fields of the log's records, in one table: Fields. It feeds the JSON of a
// record (Row.AppendJSON), the variables of a --where expression (Compile), the help text, and the
// test that compares it with docs/json.md.
//
// A new field is one row of the table.
package where
