// Package logrow holds the records of a log as commands show them, with the table of their fields.
package logrow
