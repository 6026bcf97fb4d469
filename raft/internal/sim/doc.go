// Package sim runs groups of raft members in a world that one seed decides: every fault and every
// choice comes from one random source, time is virtual, and one queue holds all that is to happen.
// The same seed gives the same run, to the last message.
//
// # The world
//
// Up to seven members, of which some are in the group from the start and some may join. Each has
//
//   - a RawNode, driven by the loop that package raft prescribes, in either storage mode;
//   - a disk, which keeps what was synced. A crash loses the rest, or keeps a first part of it;
//   - a state machine of a few registers, in memory or on disk, which takes snapshots and compacts;
//   - a clock of its own speed.
//
// The network loses, delays, duplicates and reorders messages, and cuts off members or links, in
// one direction or both. Disks stall. Clients put, get and compare-and-swap at any member, and try
// again elsewhere when no answer comes. An operator crashes members, transfers leadership and
// changes the membership in all ways there are.
//
// # What is checked
//
// After every call of a RawNode:
//
//   - election safety: one leader a term, elected once, by the votes of a quorum; one vote a term;
//   - leader append-only, and log matching: the same index and term mean the same entry after the
//     same one, on all members that ever had it;
//   - leader completeness: a new leader has all that was committed in terms before;
//   - commit: it never falls, nothing else is ever committed at an index, and what a leader commits
//     is of its term, and then on the disks of a quorum;
//   - membership changes one at a time; who campaigns is a voter, and has applied all changes that
//     it knows to be committed;
//   - promises: votes and acknowledgements that are sent are on the sender's disk, and what is
//     acknowledged is what the leader has;
//   - state machine safety: the same entries, in the same order, none left out, and the same state
//     and membership after each;
//   - that no member refuses another one's message, and nothing panics.
//
// At the end, that the faults being over, the group gets back to work and all members to one state;
// and that what the clients saw is linearizable. Reads by lease may be behind by as long as a
// leader can go on after the group has left it (two election timeouts, and what was on its way);
// such a read counts as having begun that much earlier.
//
// Some groups need not recover, because in them nobody can ever be elected, or a member never hears
// of a term; both follow from what the core does on purpose as the reference does. They are counted
// (Stats.Orphaned, Stats.Deaf).
//
// # Running it
//
// A seed that finds something prints the command that runs it again, and draws it:
//
//	go test ./raft/internal/sim -run TestWorlds -sim.seeds 100000 -timeout 0
//	go test ./raft/internal/sim -run TestWorlds -sim.first 1512 -sim.seeds 1 -sim.rows 0
//
// # The applications
//
// The loops here are what the documentation of package raft says. Worth noting:
//
//   - a snapshot is synced before anything is sent, whatever MustSync says;
//   - a snapshot is taken after each membership change, on disk before the next call. Else the
//     change could be forgotten in a crash, with the commit index, and the member campaign under a
//     membership that is over; and a new member could be sent a snapshot that it isn't in;
//   - in the asynchronous mode, requests for votes are sent when what was handed out with them is on
//     disk, as are answers (vote_test.go shows what could happen else);
//   - membership changes before a snapshot that the core took over are not applied any more, as
//     they would be made on top of the membership that came with it.
package sim
