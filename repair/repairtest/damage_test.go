package repairtest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/raftctl/raftctl/wal"
)

// damage is one way in which a member comes to harm.
type damage struct {
	name string
	// do damages a specimen at a site. ok is false if that isn't possible there; nothing is changed then.
	do func(t *site) (l lesion, ok bool)
}

// damages are all of them, those of which the repair is tried most often as often as the others.
func damages() (list []damage) {
	for p := range parts {
		list = append(list, damage{"bit in " + p.String(), flipBit(p)}, damage{"byte in " + p.String(), otherByte(p)})
	}
	list = append(list, fieldDamages...)
	list = append(list, areaDamages...)
	list = append(list, endDamages...)
	list = append(list, segmentDamages...)
	return append(list, besideDamages...)
}

// place says in which segment a damage is.
type place int

const (
	firstSegment place = iota
	middleSegment
	lastSegment
	places
)

func (p place) String() string { return []string{"first", "middle", "last"}[p] }

// site picks a frame of a segment that is untouched. ok is false if there is none.
func (s *specimen) site(p place) (t *site, ok bool) {
	i := 0
	switch n := len(s.segs); p {
	case middleSegment:
		i = 1 + s.rng.IntN(max(n-2, 1))
	case lastSegment:
		i = n - 1
	}
	if i >= len(s.segs) {
		return nil, false
	}
	t = &site{specimen: s, seg: s.segs[i], last: i == len(s.segs)-1}
	at := slices.IndexFunc(s.files, func(f *file) bool { return f.name == t.seg.name.String() })
	if at < 0 || len(s.files[at].spans) != 1 || s.files[at].spans[0] != (span{0, len(t.seg.b), i, 0}) {
		return nil, false
	}
	t.file = s.files[at]
	t.pick(s.rng.IntN(len(t.seg.frames)))
	return t, true
}

func (t *site) pick(index int) { t.index, t.frame = index, t.seg.frames[index] }

// pickWith picks a frame for which a condition holds, from the one that is picked on.
func (t *site) pickWith(ok func(*frame) bool) bool {
	n := len(t.seg.frames)
	for i := range n {
		if at := (t.index + i) % n; ok(t.seg.frames[at]) {
			t.pick(at)
			return true
		}
	}
	return false
}

// inflict does a damage at a place, and notes the lesion.
func (s *specimen) inflict(d *damage, p place) bool {
	t, ok := s.site(p)
	if !ok {
		return false
	}
	l, ok := d.do(t)
	if !ok {
		return false
	}
	l.what = fmt.Sprintf("%s: %s, %s segment", d.name, l.what, p)
	s.lesions = append(s.lesions, l)
	s.sort()
	return true
}

// hurt inflicts the n-th damage, and sometimes some more.
func hurt(rng *rand.Rand, m *member, donors []*member, n int) *specimen {
	s := newSpecimen(rng, m, donors)
	all := damages()
	for i := range len(all) * int(places) {
		k := n + i
		if s.inflict(&all[k%len(all)], place(k/len(all)%int(places))) {
			break
		}
	}
	if n%4 != 3 {
		return s
	}
	for range 1 + rng.IntN(4) {
		s.inflict(&all[rng.IntN(len(all))], place(rng.IntN(int(places))))
	}
	return s
}

// rubbish returns n random bytes.
func rubbish(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// What may be found where bytes of a frame's part are others, if a frame follows that proves it.
var partClasses = [parts][]wal.Class{
	partSize:    {wal.ClassLengthField, wal.ClassZeroedLength},
	partPad:     {wal.ClassLengthField},
	partKindTag: {wal.ClassPrefix},
	partKind:    {wal.ClassKind},
	partCRCTag:  {wal.ClassPrefix},
	partCRC:     {wal.ClassCRCField},
	partLenTag:  {wal.ClassPrefix},
	partLen:     {wal.ClassPrefix},
	partHead:    {wal.ClassPayload},
	partData:    {wal.ClassPayload},
	partPadding: {wal.ClassPadding},
}
