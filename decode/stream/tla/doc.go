// Package tla explains messages by a run of the TLA+ specification of etcd's raft, and writes that run as a trace for
// its trace validation: the files that Traceetcdraft.tla of etcd-io/raft 3.6 and 3.7 reads, which an etcd built with
// the tag with_tla writes of itself.
//
// Messages don't tell all that members did. What they prove is written where they prove it, together with the steps of
// the specification that must have come before:
//
//	message seen      proves                                       events
//	MsgVote           the sender campaigns                         BecomeCandidate and its own vote, SendRequestVoteRequest
//	MsgVoteResp       the sender took the request                  ReceiveRequestVoteRequest, SendRequestVoteResponse
//	MsgApp, MsgSnap,  the sender leads: it took enough votes       ReceiveRequestVoteResponse, BecomeLeader
//	MsgHeartbeat      its log has these entries                    Replicate or ChangeConf, its own acknowledgement
//	                  it committed that far: it took the           ReceiveAppendEntriesResponse, Commit,
//	                  acknowledgements that it takes               ApplyConfChange where a change had to be applied
//	                  itself                                       SendAppendEntriesRequest
//	MsgAppResp,       the sender took the request, by its answer   ReceiveAppendEntriesRequest, SendAppendEntriesResponse
//	MsgHeartbeatResp
//
// Of messages that were seen after one that they were sent before, as each connection is written by itself, those are taken
// first; and what etcd leaves unanswered, since it sends but the last of several acknowledgements at once, is received all
// the same. InitState and Ready stand where the specification needs them: at the beginning of each member, and before anybody
// takes what a member sent. State, role, log and conf of an event are those of the run.
//
// What is not written: messages whose effect is not seen are sent and never received, which the specification allows.
// MsgPreVote, MsgTimeoutNow, MsgReadIndex and MsgProp are not part of it. A restart is not told by messages. The
// specification begins with logs of term 1: a trace that TLC can follow to its end needs messages from the beginning of the
// cluster on. Its response to a snapshot is one that no event can receive, so that what was acknowledged by it counts
// only with the next acknowledgement.
//
// Each step is checked against the guards of the specification before it is written. A message that no run explains, be it for
// want of another, because its receiver answered as the specification doesn't (a refusal for the sake of a lease, an
// answer to a message that came twice), or as a member was wrong, is left out and counted.
package tla
