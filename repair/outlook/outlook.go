package outlook

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Outlook is what some releases of etcd do with a member's files at start, up to where they have
// applied what they read.
type Outlook struct {
	Read   wal.Outlook // what reading the log comes to
	Action wal.Action  // what it all comes to: Stop's action, or Read's
	Stop   *Stop       // what ends them after reading; nil if nothing is known to

	// Applied is the index up to which entries were looked at: what is applied as soon as the server
	// starts. It is 0 where the log isn't read, or none of it is applied.
	Applied uint64

	// Unjudged says what the outlook leaves open; empty where nothing is.
	Unjudged string
}

// Stop is what ends a server that has read its log.
type Stop struct {
	Trigger string         // what it comes to, as the JSON contract names it
	Action  wal.Action     // how it ends
	Entry   raftpb.EntryID // the entry that it ends on; zero if it is no entry
	Pos     wal.Position   // the entry's record, or the file, in member/snap
	Words   string         // etcd's own; "…" stands for what differs from release to release
	Advice  string         // what to do
}

// String says the outlook on one line.
func (o *Outlook) String() string {
	s := o.Stop
	if s == nil {
		if o.Unjudged == "" {
			return o.Read.String()
		}
		return fmt.Sprintf("%s (%s)", o.Read.String(), o.Unjudged)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "etcd %s %s", o.Read.Releases(), s.Action)
	switch {
	case s.Entry.Index > 0:
		fmt.Fprintf(&b, " on entry %d (term %d)", s.Entry.Index, s.Entry.Term)
	default:
		fmt.Fprintf(&b, " over %s", s.Pos.Segment)
	}
	fmt.Fprintf(&b, ": %s", s.Words)
	return b.String()
}

// Fold returns one outlook for each stretch of releases that come to the same end, with the words
// of the newest of them. The list is in ascending order of releases.
func Fold(list []Outlook) (out []Outlook) {
	for _, o := range list {
		if n := len(out); n > 0 && out[n-1].agrees(&o) {
			o.Read.From = out[n-1].Read.From
			out[n-1] = o
			continue
		}
		out = append(out, o)
	}
	return out
}

func (o *Outlook) agrees(p *Outlook) bool {
	sameStop := (o.Stop == nil) == (p.Stop == nil)
	if o.Stop != nil && p.Stop != nil {
		sameStop = o.Stop.Trigger == p.Stop.Trigger && o.Stop.Action == p.Stop.Action &&
			o.Stop.Entry == p.Stop.Entry && o.Stop.Pos == p.Stop.Pos
	}
	return sameStop && o.Unjudged == p.Unjudged && o.Applied == p.Applied && o.Read.Agrees(&p.Read)
}
