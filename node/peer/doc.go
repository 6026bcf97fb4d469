// Package peer carries messages between the members of a cluster, over etcd's own wire: a member of ours
// and real etcds from 3.4 to 3.7 talk to each other. Package raftpb/stream has the forms of what travels;
// here are the connections.
//
// # Channels
//
// Who receives a stream dials it. Between two members there are four connections that stay, two of them
// dialled by either, and others that come and go:
//
//	member A                                           member B
//
//	streamReader  -- GET /raft/stream/message/A ->  streamWriter   messages of B
//	              -- GET /raft/stream/msgapp/A --->  streamWriter   appends of B
//	streamWriter  <- GET /raft/stream/message/B --  streamReader   messages of A
//	              <- GET /raft/stream/msgapp/B ---  streamReader   appends of A
//	pipeline      -- POST /raft ----------------->  receiveMessage   what has no stream, of A
//	SendSnapshot  -- POST /raft/snapshot -------->  receiveSnapshot  a database of A
//	probe         -- GET /raft/probing ---------->  answerProbe
//
// A MsgApp goes over the append stream; if the other hasn't dialled that, it goes as the rest does: over
// the message stream, or by POST if there is none either. A MsgSnap never goes over a stream. Order holds
// within a stream, and nowhere else.
//
// # Goroutines
//
// None of a member's goroutines waits for another member. Send puts a message on a queue and returns:
//
//	Send -> queue -> streamWriter.run, one a stream ----> connection that B has dialled
//	             \-> pipeline.run, four ----------------> POST
//
//	connection that A has dialled -> listen, one a stream -> queue of received  -> process -> Handler
//	                                                     \-> queue of proposals -> process -> Handler
//
// A proposal may wait until there is a leader; it has a queue of its own, so that the messages that make
// a leader don't wait behind it. What is to be reported to the Handler goes through reports, never
// from within Send.
//
// # Bounds
//
// Every queue is bounded in messages and in bytes, and what finds no room is dropped: Raft sends it
// again. What others may have this member do at a time is bounded too; so is every length that they
// tell, by raftpb/stream. A stream on which nothing moves for 5 s is given up, which is why each carries
// a link heartbeat three times as often; so is a snapshot of which nothing moves for a minute.
//
// # Refusals
//
// They are etcd's, word for word, as etcd compares words. One of them makes the other member stop for
// good, and is given only if the Handler says that it was removed: status 410 to a stream. So would 403 to
// a message, which no etcd gives, and this transport never does.
package peer
