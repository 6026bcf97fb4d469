package logs

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/raftctl/raftctl/raftpb"
)

// maxPrints is how many hashes of entries are kept of a log: some 5 MiB.
const maxPrints = 1 << 16

// maxStep is where prints end that are of no log: no index that it divides is reached.
const maxStep = 1 << 60

// seed is that of all hashes, so that those of several logs compare.
var seed = maphash.MakeSeed()

// prints are hashes of a log's entries, to tell whether those of another are the same. Where there are more
// than maxPrints, only every second, fourth and so on is kept, by index: which ones are kept depends on
// the log alone.
type prints struct {
	step atomic.Uint64 // a power of two: those with an index that it divides are kept

	mu   sync.Mutex
	hash map[raftpb.EntryID]uint64
}

func newPrints() *prints {
	p := &prints{hash: map[raftpb.EntryID]uint64{}}
	p.step.Store(1)
	return p
}

// add adds an entry. It may be called from several goroutines.
func (p *prints) add(e *raftpb.Entry) {
	if e.Index == 0 || e.Index%p.step.Load() != 0 {
		return
	}
	h := printOf(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Index%p.step.Load() != 0 || len(p.hash) > maxPrints { // the latter in forged logs only
		return
	}
	p.hash[e.ID()] = h
	for len(p.hash) > maxPrints && p.step.Load() < maxStep {
		step := p.step.Load() * 2
		p.step.Store(step)
		for id := range p.hash {
			if id.Index%step != 0 {
				delete(p.hash, id)
			}
		}
	}
}

// printOf returns the hash of what an entry says, in whichever flavour it is encoded.
func printOf(e *raftpb.Entry) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return maphash.Bytes(seed, e.Data) + odd*uint64(e.Type)
}

// differ returns the lowest entry that both have, each with other data; ok is false if there is none.
func (p *prints) differ(q *prints) (id raftpb.EntryID, ok bool) {
	for at, h := range p.hash {
		other, has := q.hash[at]
		if has && other != h && (!ok || at.Index < id.Index || at.Index == id.Index && at.Term < id.Term) {
			id, ok = at, true
		}
	}
	return id, ok
}
