package wal

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
)

// Action is what etcd does when it is started on a log.
type Action string

// The actions. ActionUnknown says that the model of etcd doesn't reach that far.
const (
	ActionBoots    Action = "boots"     // reads all of it
	ActionDropsEnd Action = "drops_end" // first cuts the end off, with nothing but a log line
	ActionMisreads Action = "misreads"  // boots, and without a word reads other entries than there are
	ActionRefuses  Action = "refuses"
	ActionUnknown  Action = "unknown"
)

// String says the action as the rest of a sentence that begins with "etcd".
func (a Action) String() string {
	switch a {
	case ActionDropsEnd:
		return "boots, and drops the end"
	case ActionMisreads:
		return "boots, and misreads the log"
	case ActionUnknown:
		return "may or may not boot"
	}
	return string(a)
}

// IndexRange is a range of entries by index, both inclusive.
type IndexRange struct{ First, Last uint64 }

// Len returns how many entries the range has.
func (r IndexRange) Len() uint64 { return r.Last - r.First + 1 }

// String names the range as "entry 7" or "entries 7..9".
func (r IndexRange) String() string { return entryRange(r.First, r.Last) }

// Outlook is what some releases of etcd do with a log at start, as far as the log alone decides it:
// what applying the entries brings, and a database that doesn't fit, are other matters.
type Outlook struct {
	// From and To are the first and the last release that it holds for: "3.5.7", or "3.6" for the
	// whole minor release.
	From, To string

	Action  Action
	Start   raftpb.EntryID // snapshot that the entries are read from; Index 0 for the beginning
	Entries uint64         // how many entries after Start it reads
	Last    raftpb.EntryID // the last of them; Start when there is none
	State   raftpb.HardState
	Cut     *Position    // where it cuts the last segment off, though there are more bytes
	Lost    []IndexRange // live entries that it doesn't read
	Ghosts  []IndexRange // entries it reads although a later record overwrote or replaced them

	// Unexplained are entries that it reads from records that are not intact by our rules.
	Unexplained []IndexRange

	Commits uint64 // how many of the lost entries were committed
	Error   string // the error in etcd's own words
	Log     string // the server's last log line, which carries Error
	Better  string // where it refuses: the first later release of the same minor version that boots

	// At is where it refuses to read on: behind the last record that it took. Nil where it doesn't, or
	// refuses for what is about no place.
	At *Position

	read       []span // what it reads
	repaired   bool   // it cuts before it reads; else it overwrites what it didn't read
	betterCuts bool   // Better boots after a repair
	fileBase   bool   // Start is the newest snapshot that has a file
	cause      etcdCause
}

// good reports whether nothing speaks against starting etcd, as far as can be told.
func (o *Outlook) good() bool { return o.Action == ActionBoots || o.Action == ActionUnknown }

// boots reports whether etcd starts, with whatever it then has.
func (o *Outlook) boots() bool { return o.Action != ActionRefuses && o.Action != ActionUnknown }

// String says it in one line.
func (o *Outlook) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "etcd %s %s", o.Releases(), o.Action)
	if !o.boots() {
		for _, s := range []string{o.Log, o.Error} {
			if s != "" {
				b.WriteString(": " + s)
			}
		}
		if o.Better != "" {
			fmt.Fprintf(&b, "; %s or later %s", o.Better, o.betterText())
		}
		return b.String()
	}
	if o.Cut != nil {
		fmt.Fprintf(&b, ", all behind offset %d of %s", o.Cut.Off, o.Cut.Segment)
	}
	if len(o.Lost) > 0 {
		fmt.Fprintf(&b, "; loses %s, %s", joinRanges(o.Lost), committedText(o.Commits))
	}
	if len(o.Ghosts) > 0 {
		fmt.Fprintf(&b, "; brings %s back from the dead", joinRanges(o.Ghosts))
	}
	if len(o.Unexplained) > 0 {
		fmt.Fprintf(&b, "; reads %s, which are not intact here", joinRanges(o.Unexplained))
	}
	if o.Entries > 0 {
		fmt.Fprintf(&b, "; reads %s", IndexRange{o.Start.Index + 1, o.Last.Index})
	}
	return b.String()
}

func (o *Outlook) betterText() string {
	if o.betterCuts {
		return "repairs this"
	}
	return "boots"
}

func committedText(n uint64) string {
	if n == 0 {
		return "none known to be committed"
	}
	return fmt.Sprintf("%d of them committed", n)
}

func joinRanges(rs []IndexRange) string {
	const most = 4
	var parts []string
	for _, r := range rs[:min(len(rs), most)] {
		parts = append(parts, r.String())
	}
	if len(rs) > most {
		parts = append(parts, fmt.Sprintf("%d ranges more", len(rs)-most))
	}
	return strings.Join(parts, ", ")
}

// span is a stretch of entries of one term.
type span struct {
	first, last uint64
	term        uint64
}

// minus returns what a has that b lacks or holds with another term. Both ascend.
func minus(a, b []span) (out []span) {
	for _, s := range a {
		for lo := s.first; lo <= s.last; {
			for len(b) > 0 && b[0].last < lo {
				b = b[1:]
			}
			hi, missing := s.last, true
			if len(b) > 0 && b[0].first <= lo {
				hi, missing = min(hi, b[0].last), b[0].term != s.term
			} else if len(b) > 0 {
				hi = min(hi, b[0].first-1)
			}
			if missing {
				out = append(out, span{lo, hi, s.term})
			}
			lo = hi + 1
		}
	}
	return out
}

// indexRanges drops the terms.
func indexRanges(spans []span) (out []IndexRange) {
	for _, s := range spans {
		out = appendRange(out, IndexRange{s.first, s.last})
	}
	return out
}

func appendRange(out []IndexRange, r IndexRange) []IndexRange {
	if n := len(out); n > 0 && out[n-1].Last+1 == r.First {
		out[n-1].Last = r.Last
		return out
	}
	return append(out, r)
}

// above returns the part of spans with indexes above index.
func above(spans []span, index uint64) (out []span) {
	for _, s := range spans {
		if s.last > index {
			s.first = max(s.first, index+1)
			out = append(out, s)
		}
	}
	return out
}
