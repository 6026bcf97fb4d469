package repair

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// lostBehind says what a log that is to end with an entry lost behind it, where its damaged end tells that something
// was there; empty if it doesn't.
func (d *draft) lostBehind(last uint64) string {
	if head := d.lostHead(); head != "" && last <= d.view().LastIndex() {
		return head
	}
	if commit := d.claimedCommit(); commit > last {
		return fmt.Sprintf("what was written behind entry %d: damaged bytes seem to say that entries up to %d were committed",
			last, commit)
	}
	return ""
}

// lostHead says that the last segment has lost its head; empty if it hasn't. Nothing comes into a segment before its
// head is durable: this is no unfinished write, whatever the bytes look like.
func (d *draft) lostHead() string {
	segments := d.log.Segments()
	for i := range d.report.Findings {
		f := &d.report.Findings[i]
		if k := d.order(f.Pos.Segment); f.Class == wal.ClassTorn && f.Pos.Off == 0 && k > 0 && k == len(segments)-1 {
			return fmt.Sprintf("what was written behind entry %d: the head of %s is gone, and nothing tells what was behind it",
				d.view().LastIndex(), f.Pos.Segment)
		}
	}
	return ""
}

// leastFrame is the size of the frame of the shortest entry.
const leastFrame = 32

// claimedCommit returns the highest commit that hard states among the damaged bytes at the log's end still seem to
// tell of, if so many entries may have been there; 0 if there is none. Nothing proves it, but it can't be taken for
// nothing either.
func (d *draft) claimedCommit() (commit uint64) {
	if d.scanned == nil || !d.endsInDamage() || d.endsTorn() {
		return 0
	}
	v, room := d.view(), uint64(0)
	last, err := d.locate(v.LastIndex())
	for _, s := range d.scanned.skips {
		if err == nil && d.before(s.Place, edit.PlaceOf(last)) {
			continue
		}
		room += uint64(s.Len) / leastFrame
		for b := bytesOf(d.log, s.Position(), min(s.Len, maxLostBytes)); len(b) > 0; {
			data, n := frameAt(b, wal.KindState)
			var h raftpb.HardState
			if data != nil && h.Unmarshal(data) == nil && h.Term >= v.State.Term && h.Commit <= v.LastIndex()+room {
				commit = max(commit, h.Commit)
			}
			b = b[n:]
		}
	}
	return commit
}
