// Package ladder draws what members say to each other: a lane for each member from top to bottom, and an arrow
// from lane to lane for each message, in the order in which they were seen.
//
// A Ladder is filled event by event and then written in one of three forms:
//
//	HTML     one file with all that it needs, for any number of messages
//	SVG      a picture, for up to MaxSVG
//	Mermaid  text that becomes a picture elsewhere, for up to MaxMermaid
//
// It also tells terms, leaders and elections apart. They are read from the messages alone: a member leads a
// term from the first message on that only a leader sends; an election begins with the first vote or
// pre-vote that a member asks for in a term.
package ladder
