package repair

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// loseEnd counts what a solution loses behind the entry that it ends with, as far as anything tells how far the log
// went: entries that lie somewhere on the disk, names of segments, damaged bytes.
func (d *draft) loseEnd(s *solution) {
	end := max(d.view().LastIndex(), d.lastOf(s).Index)
	if s.rewrite != nil && s.rewrite.Begin != nil {
		end = max(end, s.rewrite.Begin.Index)
	}
	told := end
	for _, r := range s.cost.Lost {
		told = max(told, r.Last)
	}
	if d.scanned != nil && d.scanned.stray.Index > told { // nothing tells that they aren't the log's
		s.cost.Lost = append(s.cost.Lost, Range{First: told + 1, Last: d.scanned.stray.Index})
		s.cost.Intact += d.scanned.stray.Index - told
		told = d.scanned.stray.Index
	}
	file, named := d.named()
	commit, entry := d.claimed()
	d.lose(&s.cost, told+1, max(named, commit, entry))

	var says []string
	if head := d.headless(); head != "" && end <= max(named, d.view().LastIndex()) {
		says = append(says, fmt.Sprintf("the head of %s is gone, and nothing tells what was behind it", head))
	}
	if named > end {
		says = append(says, fmt.Sprintf("the name of %s says that entries up to %d were written", file, named))
	}
	if commit > end {
		says = append(says, fmt.Sprintf("damaged bytes seem to say that entries up to %d were committed", commit))
	}
	if len(says) == 0 {
		return
	}
	if s.cost.Beside != "" {
		s.cost.Beside += "; "
	}
	s.cost.Beside += fmt.Sprintf("what was written behind entry %d: %s", end, strings.Join(says, "; "))
}

// headless returns the first of the segments at the end of the log of which no record is left that counts; empty if there
// is none. Nothing comes into a segment before its head is durable: this is no unfinished write, whatever the bytes look
// like.
func (d *draft) headless() string {
	if d.scanned == nil || d.scanned.head == "" {
		return ""
	}
	segments := d.log.Segments()
	if k := d.order(d.scanned.head) + 1; k < len(segments) {
		return segments[k].File
	}
	return ""
}

// named returns the last entry that the names of segments say was written, where none of the log's is in those segments:
// etcd names a segment after the entry that comes next.
func (d *draft) named() (file string, last uint64) {
	from := 0
	if pos, err := d.locate(d.view().Last.Index); err == nil {
		from = d.order(pos.Segment) + 1
	}
	for _, s := range d.log.Segments()[from:] {
		if s.Name.Index > last+1 {
			file, last = s.File, s.Name.Index-1
		}
	}
	return file, last
}

// leastFrame is the size of the frame of the shortest entry.
const leastFrame = 24

// claimed returns the highest commit of hard states and the last entry that the damaged bytes behind the log's last entry
// still seem to tell of, if so many entries may have been there; 0 where there is none. Nothing proves them, but they can't
// be taken for nothing either.
func (d *draft) claimed() (commit, entry uint64) {
	if d.scanned == nil || d.endsTorn() {
		return 0, 0
	}
	v := d.view()
	_, named := d.named()
	limit := max(v.LastIndex(), d.committed(), named)
	last, err := d.locate(v.Last.Index)
	for _, s := range d.scanned.skips {
		if err == nil && d.before(s.Place, edit.PlaceOf(last)) {
			continue
		}
		limit += uint64(s.Len) / leastFrame
		for b := bytesOf(d.log, s.Position(), min(s.Len, maxLostBytes)); len(b) > 0; {
			var h raftpb.HardState
			var e raftpb.Entry
			state, n := frameAt(b, wal.KindState)
			if state != nil && h.Unmarshal(state) == nil && h.Term >= v.State.Term && h.Commit <= limit && d.endsInDamage() {
				commit = max(commit, h.Commit)
			}
			if state == nil {
				var data []byte
				data, n = frameAt(b, wal.KindEntry)
				if data != nil && e.UnmarshalAlias(data) == nil && e.Term >= v.Last.Term && e.Index <= limit {
					entry = max(entry, e.Index)
				}
			}
			b = b[n:]
		}
	}
	return commit, entry
}
