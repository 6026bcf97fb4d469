package verdict

import "sync"

// Kept collects findings, the first of each class up to a number, and counts the others. It may be used
// concurrently.
type Kept[Class comparable, Finding any] struct {
	most int
	mu   sync.Mutex
	list []Finding
	kept map[Class]int
	more map[Class]int
}

// Keep returns a collection of at most so many findings of a class.
func Keep[Class comparable, Finding any](most int) *Kept[Class, Finding] {
	return &Kept[Class, Finding]{most: most, kept: map[Class]int{}, more: map[Class]int{}}
}

// Add adds a finding of a class.
func (k *Kept[Class, Finding]) Add(c Class, f Finding) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept[c] == k.most {
		k.more[c]++
		return
	}
	k.kept[c]++
	k.list = append(k.list, f)
}

// LeftOut counts n findings of a class that were left out elsewhere.
func (k *Kept[Class, Finding]) LeftOut(c Class, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.more[c] += n
}

// All returns the findings that are kept, in the order in which they were added, and how many of each
// class are not. Nothing may be added any more.
func (k *Kept[Class, Finding]) All() (list []Finding, omitted map[Class]int) { return k.list, k.more }
