package raft

// DropReason is why a proposal was not taken.
type DropReason uint8

// The reasons to drop a proposal.
const (
	DropNoLeader      DropReason = iota // nobody known to pass it to
	DropNotForwarding                   // Config.DisableProposalForwarding
	DropRemoved                         // the leader is no member any more
	DropTransferring                    // leadership is being handed over
	DropTooLarge                        // Config.MaxUncommittedEntriesSize
)

// ConfChangeReason is why a proposed membership change was replaced by an empty entry.
type ConfChangeReason uint8

// The reasons to ignore a membership change.
const (
	ConfChangePending  ConfChangeReason = iota // an earlier one may not be applied yet
	ConfChangeJoint                            // the joint configuration must be left first
	ConfChangeNotJoint                         // there is no joint configuration to leave
)

// CampaignReason is why an election was not begun.
type CampaignReason uint8

// The reasons not to campaign.
const (
	CampaignLeader       CampaignReason = iota // it is leader already
	CampaignUnpromotable                       // no voter, or a snapshot is being installed
	CampaignConfChange                         // a committed membership change is not applied yet
)

// VoteAnswer is what became of a request for a vote.
type VoteAnswer uint8

// What can become of a request for a vote.
const (
	VoteCast VoteAnswer = iota
	VoteRejected
	VoteIgnored // the leader's lease is not over
)

// SnapshotReason is why a snapshot was not sent.
type SnapshotReason uint8

// The reasons not to send a snapshot.
const (
	SnapshotPeerInactive SnapshotReason = iota // the member gave no sign of life
	SnapshotUnavailable                        // Storage asks for patience
	SnapshotMissing                            // Storage has none
)

// IgnoreReason is why a snapshot did not replace the log.
type IgnoreReason uint8

// The reasons to ignore a snapshot.
const (
	IgnoreOld           IgnoreReason = iota // all in it is committed here
	IgnoreNotMember                         // this member is not in its membership
	IgnoreFastForwarded                     // the log has its last entry
)

// TransferReason is why a transfer of leadership was ignored.
type TransferReason uint8

// The reasons to ignore a transfer.
const (
	TransferToLearner  TransferReason = iota
	TransferInProgress                // to the same member already
	TransferToSelf
	TransferNoLeader    // nobody known to pass the request to
	TransferCampaigning // there is no leader yet
)

// StableReason is why a storage reply about an entry was ignored.
type StableReason uint8

// The reasons to ignore a storage reply about an entry.
const (
	StableMissing  StableReason = iota // it is not among the unstable ones
	StableSnapshot                     // at its index there is a snapshot
	StableMismatch                     // at its index there is an entry of another term
)
