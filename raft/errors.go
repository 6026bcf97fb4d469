package raft

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

var (
	// ErrProposalDropped is returned when a proposal is not taken: there is no leader, it is being
	// replaced or was removed, or the limit of uncommitted bytes is reached. Propose again later.
	ErrProposalDropped = errors.New("raft: proposal dropped")
	// ErrStepLocalMsg is returned when a message that never leaves a member came from another one.
	ErrStepLocalMsg = errors.New("raft: cannot step local message")
	// ErrStepPeerNotFound is returned when an answer came from someone who is no member.
	ErrStepPeerNotFound = errors.New("raft: cannot step answer of unknown member")
	// ErrMessageRefused is returned, as a *RefusedError, when a message can't have come from a
	// correct member, or when heeding it would break a promise. It changed nothing.
	ErrMessageRefused = errors.New("raft: message refused")
	// ErrNotAdvanced is returned when Ready is called again before Advance.
	ErrNotAdvanced = errors.New("raft: Ready called twice without Advance")
	// ErrAsyncAdvance is returned when Advance is called although Config.AsyncStorageWrites is set:
	// there the answers of the storage threads take its place.
	ErrAsyncAdvance = errors.New("raft: Advance called with asynchronous storage writes")

	// ErrCompacted is returned by Storage when an entry was compacted away.
	ErrCompacted = errors.New("raft: requested index is compacted")
	// ErrUnavailable is returned by Storage when an entry doesn't exist.
	ErrUnavailable = errors.New("raft: requested entry is unavailable")
	// ErrSnapOutOfDate is returned by MemoryStorage when it has a newer snapshot.
	ErrSnapOutOfDate = errors.New("raft: snapshot is older than the existing one")
	// ErrSnapshotTemporarilyUnavailable is returned by Storage when a snapshot will be there later.
	ErrSnapshotTemporarilyUnavailable = errors.New("raft: snapshot is temporarily unavailable")
	// ErrEmptySnapshot is returned when a member needs entries that were compacted away, and
	// Storage has no snapshot that includes them.
	ErrEmptySnapshot = errors.New("raft: storage has no snapshot to send")
)

// Refusal says why a message was refused.
type Refusal uint8

// The reasons to refuse a message. Where two values are compared, RefusedError holds them.
const (
	RefusedType         Refusal = iota // a type that raft.proto doesn't have
	RefusedSender                      // nobody, the receiver itself, or a storage thread sent it
	RefusedNoTerm                      // a message between members without a term
	RefusedTerm                        // a term where there must be none, or an unreal one
	RefusedIndex                       // an index too large to be real
	RefusedEmpty                       // no entry where there must be one
	RefusedEntries                     // entries that don't follow from each other
	RefusedCommit                      // a commit beyond the last entry: this log lost some
	RefusedConflict                    // an entry unlike a committed one: a log is damaged
	RefusedAcked                       // an acknowledgement of what was not sent
	RefusedForwarded                   // a transfer request that was forwarded already
	RefusedContext                     // a read confirmation that can't be one
	RefusedSnapshot                    // a snapshot whose membership contradicts itself
	RefusedConfChange                  // a conf change that can't be decoded or doesn't exist
	RefusedStorageReply                // a reply about storage work that was not given out
)

var refusalTexts = [...]string{
	RefusedType:         "type unknown",
	RefusedSender:       "impossible sender",
	RefusedNoTerm:       "no term",
	RefusedTerm:         "impossible term",
	RefusedIndex:        "impossible index",
	RefusedEmpty:        "no entry",
	RefusedEntries:      "entries out of order",
	RefusedCommit:       "commit beyond the last entry of a log that must have lost some",
	RefusedConflict:     "conflict with a committed entry",
	RefusedAcked:        "acknowledges what was not sent",
	RefusedForwarded:    "forwarded twice",
	RefusedContext:      "impossible read context",
	RefusedSnapshot:     "impossible membership in snapshot",
	RefusedConfChange:   "impossible conf change",
	RefusedStorageReply: "reply to storage work not given out",
}

// String returns the reason in a few words.
func (r Refusal) String() string {
	if int(r) < len(refusalTexts) {
		return refusalTexts[r]
	}
	return fmt.Sprintf("Refusal(%d)", uint8(r))
}

// RefusedError tells which message was refused and why. It wraps ErrMessageRefused.
type RefusedError struct {
	Type   raftpb.MessageType
	From   uint64
	Reason Refusal
	Got    uint64 // the offending value, where the reason has one
	Limit  uint64 // what it was held against
	Err    error  // the finding behind the reason, if there is one
}

// Error names type, sender, reason and values.
func (e *RefusedError) Error() string {
	s := fmt.Sprintf("%v: %v from %x: %v", ErrMessageRefused, e.Type, e.From, e.Reason)
	if e.Got != 0 || e.Limit != 0 {
		s += fmt.Sprintf(": %d, limit %d", e.Got, e.Limit)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns ErrMessageRefused and the finding behind the reason.
func (e *RefusedError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrMessageRefused}
	}
	return []error{ErrMessageRefused, e.Err}
}

// ConfigError tells which field of a Config, or of what Storage holds, can't be.
type ConfigError struct {
	Field  string
	Reason string
}

// Error names the field and what is wrong with it.
func (e *ConfigError) Error() string { return "raft: config: " + e.Field + " " + e.Reason }

func configError(field, format string, args ...any) error {
	return &ConfigError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
