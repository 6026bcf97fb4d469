// Package tracker is a leader's memory of the other members: how far each one's log is known to
// match, what is on its way to it, whether it answers; and the membership that these belong to.
package tracker
