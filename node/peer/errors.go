package peer

import "errors"

// ErrRemoved is returned by Handler.Process when the sender was removed from the cluster for good. It is
// answered as any other error: etcd means to answer 403, but has never done so. That the sender stops
// comes from what its streams are told.
var ErrRemoved = errors.New("cannot process message from removed member")

// ErrMismatch is returned by Handler.Process when the message is for another member.
var ErrMismatch = errors.New("cannot process message to mismatch member")

// What members answer each other, word for word: the other end compares the text.
var (
	errVersion = errors.New("incompatible version")
	errCluster = errors.New("cluster ID mismatch")
)

// Reasons why nothing came of an attempt.
var (
	errSaysRemoved = errors.New("the other says that this member was removed from the cluster")
	errUnsupported = errors.New("the other does not tell a version that has streams")
	errStalled     = errors.New("the snapshot does not go on")
	errBusy        = errors.New("a snapshot is on its way to the member")
	errStopped     = errors.New("the transport is stopped")
	errUnknown     = errors.New("no such member")
	errReplaced    = errors.New("the other has dialled again")
)
