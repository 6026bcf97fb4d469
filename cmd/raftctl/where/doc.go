// Package where holds the fields of what commands print a row at a time, in one [Table] for each type
// of row. A table feeds the JSON of a row ([Shapes.Append]), the variables of a --where expression
// ([Table.Compile]), the help text, and the test that compares it with docs/json.md.
//
// The tables themselves lie in the packages of their rows: logrow for records of a log, keyrow for what
// is in a database. A new field is one row of the table.
package where
