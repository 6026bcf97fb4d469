package raftpb

import "strconv"

var entryTypeNames = [...]string{
	EntryNormal:       "EntryNormal",
	EntryConfChange:   "EntryConfChange",
	EntryConfChangeV2: "EntryConfChangeV2",
}

var messageTypeNames = [...]string{
	MsgHup:               "MsgHup",
	MsgBeat:              "MsgBeat",
	MsgProp:              "MsgProp",
	MsgApp:               "MsgApp",
	MsgAppResp:           "MsgAppResp",
	MsgVote:              "MsgVote",
	MsgVoteResp:          "MsgVoteResp",
	MsgSnap:              "MsgSnap",
	MsgHeartbeat:         "MsgHeartbeat",
	MsgHeartbeatResp:     "MsgHeartbeatResp",
	MsgUnreachable:       "MsgUnreachable",
	MsgSnapStatus:        "MsgSnapStatus",
	MsgCheckQuorum:       "MsgCheckQuorum",
	MsgTransferLeader:    "MsgTransferLeader",
	MsgTimeoutNow:        "MsgTimeoutNow",
	MsgReadIndex:         "MsgReadIndex",
	MsgReadIndexResp:     "MsgReadIndexResp",
	MsgPreVote:           "MsgPreVote",
	MsgPreVoteResp:       "MsgPreVoteResp",
	MsgStorageAppend:     "MsgStorageAppend",
	MsgStorageAppendResp: "MsgStorageAppendResp",
	MsgStorageApply:      "MsgStorageApply",
	MsgStorageApplyResp:  "MsgStorageApplyResp",
	MsgForgetLeader:      "MsgForgetLeader",
}

var confChangeTypeNames = [...]string{
	ConfChangeAddNode:        "ConfChangeAddNode",
	ConfChangeRemoveNode:     "ConfChangeRemoveNode",
	ConfChangeUpdateNode:     "ConfChangeUpdateNode",
	ConfChangeAddLearnerNode: "ConfChangeAddLearnerNode",
}

var confChangeTransitionNames = [...]string{
	ConfChangeTransitionAuto:          "ConfChangeTransitionAuto",
	ConfChangeTransitionJointImplicit: "ConfChangeTransitionJointImplicit",
	ConfChangeTransitionJointExplicit: "ConfChangeTransitionJointExplicit",
}

// String returns the name that raft.proto gives the type, or its number if it gives none.
func (t EntryType) String() string { return enumName(entryTypeNames[:], int32(t)) }

// String returns the name that raft.proto gives the type, or its number if it gives none.
func (t MessageType) String() string { return enumName(messageTypeNames[:], int32(t)) }

// String returns the name that raft.proto gives the type, or its number if it gives none.
func (t ConfChangeType) String() string { return enumName(confChangeTypeNames[:], int32(t)) }

// String returns the name that raft.proto gives the transition, or its number if it gives none.
func (t ConfChangeTransition) String() string {
	return enumName(confChangeTransitionNames[:], int32(t))
}

func enumName(names []string, v int32) string {
	if v >= 0 && int(v) < len(names) {
		return names[v]
	}
	return strconv.Itoa(int(v))
}
