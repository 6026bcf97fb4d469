// Package ui is what raftctl's commands share: the world around a command (App), exit statuses,
// the forms of a result, tables, facts, sizes, progress, and questions to the user.
//
// It knows nothing about logs but which of their errors gives which exit status.
package ui
