package faultfs

import "math/rand/v2"

// Crash says what a power cut leaves of the changes that were not synced. The zero value leaves
// nothing of them.
type Crash struct {
	// Unit is the size in bytes of the blocks of a write that survive or don't, each on its own: 512
	// for sectors, 4096 for pages. Blocks are aligned in the file.
	Unit int64

	// Keep is the probability with which each block, and each change of a file's size, survives. 1
	// keeps everything, names included. In between, names survive up to some change, and not after.
	Keep float64

	// InOrder keeps of a file's changes a beginning: nothing behind the first block that doesn't survive.
	InOrder bool

	Rand *rand.Rand // may be nil if Keep is 0 or 1
}

func (c Crash) survives() bool {
	return c.Keep >= 1 || c.Keep > 0 && c.Rand.Float64() < c.Keep
}

// keep applies what survives of one change to a file's bytes, and reports whether all of it does.
func (c Crash) keep(disk []byte, p change) (kept []byte, whole bool) {
	if p.resize {
		if c.survives() {
			return p.apply(disk), true
		}
		return disk, false
	}
	whole = true
	unit := max(c.Unit, 1)
	for lo := p.off; lo < p.off+int64(len(p.data)); {
		hi := min(lo-lo%unit+unit, p.off+int64(len(p.data)))
		switch {
		case c.survives():
			disk = writeAt(disk, lo, p.data[lo-p.off:hi-p.off])
		case c.InOrder:
			return disk, false
		default:
			whole = false
		}
		lo = hi
	}
	return disk, whole
}

// names returns how many of n changes of names survive.
func (c Crash) names(n int) int {
	switch {
	case c.Keep >= 1:
		return n
	case c.Keep <= 0:
		return 0
	}
	return c.Rand.IntN(n + 1)
}

// Crash returns a file system as the machine finds it after a power cut now. The file system that
// it is called on goes on as if nothing had happened.
func (f *FS) Crash(c Crash) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	undo := f.settle(f.names[:c.names(len(f.names))])
	defer undo()
	clone := New()
	clone.root = f.root.survivor(c)
	return clone
}

// settle applies changes of names to the disk's view of the folders, and returns a function that
// takes them back.
func (f *FS) settle(changes []rename) (undo func()) {
	type was struct {
		dir  *node
		name string
		node *node
	}
	var before []was
	for _, r := range changes {
		for _, e := range r.entries {
			before = append(before, was{e.dir, e.name, e.dir.diskKids[e.name]})
		}
		r.apply()
	}
	return func() {
		for i := len(before) - 1; i >= 0; i-- {
			set(before[i].dir.diskKids, before[i].name, before[i].node)
		}
	}
}
