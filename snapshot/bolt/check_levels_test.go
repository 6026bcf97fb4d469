package bolt_test

import (
	"encoding/binary"
	"strings"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// deep returns a database without a list of free pages whose bucket k has leaves on the third level, and
// the page at which the bucket begins.
func deep(t *testing.T) (raw []byte, root int) {
	t.Helper()
	o := bbolt.Options{PageSize: smallPage, NoFreelistSync: true, NoSync: true}
	raw = recipe{options: o, steps: steps(fill("k", 5000, 60))}.bytes(t)
	b, err := open(t, raw).Bucket("k")
	if err != nil || b == nil {
		t.Fatal(b, err)
	}
	return raw, int(b.Root)
}

// child returns what element i of a branch page refers to, and where it says so.
func child(raw []byte, page, i int) (id, off int) {
	off = page*smallPage + 16 + 16*i + 8
	return int(binary.LittleEndian.Uint64(raw[off:])), off
}

// What no checksum tells, and bbolt's own check passes over, is found where it lies: a branch that refers
// to a leaf further below, a leaf that has lost its elements, an element that says it is a bucket.
func TestCheckTree(t *testing.T) {
	for name, tc := range map[string]struct {
		damage func(raw []byte, root int) (off int)
		want   string
	}{
		"leaf below": {func(raw []byte, root int) int {
			branch, off := child(raw, root, 1)
			for {
				first, _ := child(raw, branch, 0)
				if raw[first*smallPage+8] == 2 {
					binary.LittleEndian.PutUint64(raw[off:], uint64(first))
					return first * smallPage
				}
				branch = first
			}
		}, "a leaf on level 1, and page "},
		"no elements": {func(raw []byte, root int) int {
			branch, _ := child(raw, root, 1)
			leaf, _ := child(raw, branch, 0)
			for raw[leaf*smallPage+8] != 2 {
				leaf, _ = child(raw, leaf, 0)
			}
			clear(raw[leaf*smallPage+10:][:2])
			return leaf*smallPage + 10
		}, "a leaf without elements below a branch"},
		"no bucket": {func(raw []byte, root int) int {
			leaf := root
			for raw[leaf*smallPage+8] != 2 {
				leaf, _ = child(raw, leaf, 0)
			}
			for i := 1; ; i++ { // the value of the first is zeros
				off := leaf*smallPage + 16 + 16*i
				if binary.LittleEndian.Uint32(raw[off+12:]) >= 16 {
					raw[off] = 1
					return off
				}
			}
		}, "want one from 2 to "},
	} {
		t.Run(name, func(t *testing.T) {
			raw, root := deep(t)
			off := tc.damage(raw, root)
			r := check(t, open(t, raw), bolt.CheckOptions{})
			if len(r.Findings) != 1 || !r.Lost || r.Findings[0].Class != bolt.ClassPage ||
				r.Findings[0].Off != int64(off) || !strings.Contains(r.Findings[0].Err.Error(), tc.want) {
				t.Errorf("got %v, want one at offset %d: %s", r.Findings, off, tc.want)
			}
		})
	}
}
