package correct_test

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// FuzzFind damages a built log as the input says, three bytes a place, and its first segment by what else
// there is. Whatever is corrected, the same is not found wrong once more; and one flipped bit is always put
// right.
func FuzzFind(f *testing.F) {
	f.Add(uint8(0), []byte{11, 0, 1}, []byte{})
	f.Add(uint8(1), []byte{40, 0, 0x55, 41, 0, 0xaa}, []byte{})
	f.Add(uint8(6), []byte{16, 0, 0xff, 17, 0, 1, 90, 1, 8}, []byte{})
	f.Add(uint8(2), []byte{}, build(raftpb.FlavorPbgo, false, 1).segs[0])
	f.Add(uint8(4), []byte{}, build(raftpb.FlavorGogo, true, 1).segs[0])
	f.Fuzz(func(t *testing.T, which uint8, flips, segment []byte) {
		const zeros = 40
		was := build(raftpb.Flavor(which&1), which&2 != 0, 2).files(int(which>>2&1), zeros)
		log := was.clone()
		name := log.names()[0]
		changed := 0 // bits, or 2 for more
		if len(segment) > 0 {
			log[name], changed = slices.Clone(segment), 2
		}
		for ; len(flips) >= 3; flips = flips[3:] {
			b := log[log.names()[int(flips[1]>>7)%len(log)]]
			off := int(binary.LittleEndian.Uint16(flips)&0x7fff) % len(b)
			b[off] ^= flips[2]
			changed += bits.OnesCount8(flips[2])
		}
		mendOnce(t, log, was)
		if changed == 1 && !log.equal(was) {
			t.Error("one bit was flipped, and not put right")
		}
	})
}

// mendOnce corrects what can be, and checks that nothing is corrected in vain.
func mendOnce(t *testing.T, log, was files) {
	type where struct {
		pos   wal.Position
		class wal.Class
	}
	seen := map[where]bool{}
	for !log.equal(was) {
		c, _ := mendOne(t, log)
		if c == nil {
			return
		}
		at := where{c.Pos, c.Class}
		if seen[at] {
			t.Fatalf("%v: %s is corrected once more: %s", c.Pos, c.Class, c.How)
		}
		seen[at] = true
		copy(log[c.Pos.Segment][c.Pos.Off:], c.New)
	}
}
