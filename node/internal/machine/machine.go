// Package machine is what a member stands on where that isn't the real machine: a simulated disk and network.
// Nothing but tests has another one.
package machine

import (
	"net/http"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/peer"
)

// Machine is a machine. What is zero is the real one's.
type Machine struct {
	// FS has the log, and all that lies beside the database. The databases are real files whatever it is, at the
	// same paths: the library that writes them knows no other.
	FS vfs.FS
	// Network takes the place of sockets, those that listen too.
	Network Network
	// SegmentSize is the size in bytes at which a segment of the log ends.
	SegmentSize int64
	// Seed decides how the timeouts of elections vary.
	Seed uint64
}

// Network is what connects members.
type Network interface {
	// Transport is as peer.New.
	Transport(c peer.Config) (peer.Transport, error)
	// Client is for who has no transport yet.
	Client() *http.Client
}
