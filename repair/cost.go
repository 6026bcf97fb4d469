package repair

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// tellCost names the first of the entries that are lost, with what they say: those that are there, those that
// their damaged bytes still tell of, and those of which only the index is known.
func (d *draft) tellCost(c *Cost) {
	damaged := d.damagedEntries()
	for _, r := range c.Lost {
		intact := d.intactEntries(r, maxLost-len(c.Entries))
		for index := r.First; index <= r.Last && len(c.Entries) < maxLost; index++ {
			e, ok := intact[index]
			if !ok {
				e, ok = damaged[index]
			}
			if !ok {
				e.ID.Index = index
			}
			e.Committed, e.Applied = index <= d.committed(), index <= d.applied().Index
			c.Entries = append(c.Entries, e)
		}
	}
}

// intactEntries returns the first of some entries that are intact.
func (d *draft) intactEntries(r Range, most int) map[uint64]LostEntry {
	list := map[uint64]LostEntry{}
	inRanges := func(x wal.IndexRange) bool { return x.First <= r.Last && r.First <= x.Last }
	if most <= 0 || !slices.ContainsFunc(d.view().Ranges, inRanges) {
		return list
	}
	for e, err := range d.view().Entries(r.First) {
		if err != nil || e.Index > r.Last || len(list) == most {
			break
		}
		list[e.Index] = LostEntry{ID: e.ID(), Summary: summaryOf(e.Entry, decode.ValuesShort), Proven: !e.Record.Unchecked}
	}
	return list
}

// damagedEntries returns what the bytes that are left out still seem to say.
func (d *draft) damagedEntries() map[uint64]LostEntry {
	if d.found != nil || d.scanned == nil {
		return d.found
	}
	list := map[uint64]LostEntry{}
	d.found = list
	for _, s := range d.scanned.skips {
		for b := bytesOf(d.log, s.Position(), min(s.Len, maxLostBytes)); len(b) > 0; {
			data, n := frameAt(b, wal.KindEntry)
			var e raftpb.Entry
			if data != nil && e.UnmarshalAlias(data) == nil {
				list[e.Index] = LostEntry{ID: e.ID(), Summary: summaryOf(&e, decode.ValuesNone)} // its key may no longer tell a secret
			}
			b = b[n:]
		}
	}
	return list
}

// String says what is lost, in words.
func (c *Cost) String() string {
	if text := c.losses(); text != "" {
		return "loses " + text
	}
	if n := lengthOf(c.Folded); n > 0 {
		return fmt.Sprintf("no entry is lost; %d leave the log, which the database has applied", n)
	}
	return "no entry is lost"
}

// losses names what is lost.
func (c *Cost) losses() string {
	var list []string
	if len(c.Lost) > 0 {
		list = append(list, fmt.Sprintf("%s (%d known to be committed, %d intact)", rangesText(c.Lost), c.Committed, c.Intact))
	}
	if c.Beside != "" {
		list = append(list, c.Beside)
	}
	return strings.Join(list, "; ")
}

// lostJSON is a LostEntry in a stored plan.
type lostJSON struct {
	EntryID
	Committed bool   `json:"committed"`
	Applied   bool   `json:"applied"`
	Proven    bool   `json:"proven"`
	Summary   string `json:"summary"`
}

// MarshalJSON implements [json.Marshaler].
func (e LostEntry) MarshalJSON() ([]byte, error) {
	return json.Marshal(lostJSON{EntryID{e.ID.Term, e.ID.Index}, e.Committed, e.Applied, e.Proven, e.Summary})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *LostEntry) UnmarshalJSON(b []byte) error {
	var j lostJSON
	err := json.Unmarshal(b, &j)
	*e = LostEntry{ID: raftpb.EntryID{Term: j.Term, Index: j.Index}, Committed: j.Committed, Applied: j.Applied, Proven: j.Proven,
		Summary: j.Summary}
	return err
}
