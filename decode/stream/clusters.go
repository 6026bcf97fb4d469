package stream

import "slices"

// The limits of what Clusters keeps.
const (
	maxHeld      = 1 << 11 // events that wait, at most
	maxHeldBytes = 8 << 20 // and their bytes
	maxClustered = 1 << 12 // members
)

// Clusters tells apart the events of several clusters, which one machine may run or hear of: members that exchange
// messages, or tell the same ID of their cluster, are of one. It holds the first events back until it has seen who
// talks to whom, 2048 of them or 8 MiB.
type Clusters struct {
	// Do is handed each event with the number of its cluster, from 0 on. One that may be of any, such as a gap, goes
	// to all there are; one of which neither end is known, and that is no gap, to none.
	Do func(cluster int, e *Event)
	// Join is told that two clusters turn out to be one, after both were handed events: there are no more events of
	// the second.
	Join func(into, from int)

	parent  map[uint64]uint64 // a forest: the root of a tree stands for the cluster
	told    map[uint64]uint64 // a member, by the cluster ID that it told
	numbers map[uint64]int    // by root
	n       int               // numbers given
	held    []*Event
	bytes   int64
	open    bool // nothing is held any more
}

// Add takes an event, which Clusters copies where it holds it.
func (c *Clusters) Add(e *Event) {
	c.learn(e)
	if c.open {
		c.give(e)
		return
	}
	c.held = append(c.held, e.Clone())
	c.bytes += e.Size
	if len(c.held) >= maxHeld || c.bytes >= maxHeldBytes {
		c.Flush()
	}
}

// Flush hands out what is held: at the end of the events.
func (c *Clusters) Flush() {
	c.open = true
	held := c.held
	c.held = nil
	for _, e := range held {
		c.give(e)
	}
}

// Unite says that members are of one cluster.
func (c *Clusters) Unite(members ...uint64) {
	for _, id := range members {
		c.unite(members[0], id)
	}
}

// Of returns the number of a member's cluster; ok is false where no event of it was handed out.
func (c *Clusters) Of(member uint64) (cluster int, ok bool) {
	cluster, ok = c.numbers[c.root(member)]
	return cluster, ok
}

// Members returns the members of a cluster, in ascending order.
func (c *Clusters) Members(cluster int) (ids []uint64) {
	for id := range c.parent {
		if n, ok := c.Of(id); ok && n == cluster {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// ID returns the ID of a cluster, 0 where none of its members told it.
func (c *Clusters) ID(cluster int) uint64 {
	for id, member := range c.told {
		if n, ok := c.Of(member); ok && n == cluster {
			return id
		}
	}
	return 0
}

// learn takes in what an event tells of who belongs together.
func (c *Clusters) learn(e *Event) {
	switch {
	case e.Kind == KindMessage || e.Kind == KindLinkHeartbeat:
		c.unite(e.From, e.To)
	case e.Kind == KindExchange && e.Exchange.Cluster != 0 && e.From != 0:
		if c.told == nil {
			c.told = map[uint64]uint64{}
		}
		if have, ok := c.told[e.Exchange.Cluster]; ok {
			c.unite(have, e.From)
		} else if len(c.told) < maxClustered {
			c.told[e.Exchange.Cluster] = e.From
		}
	}
}

// root returns the member that stands for a member's cluster.
func (c *Clusters) root(id uint64) uint64 {
	for {
		up, ok := c.parent[id]
		if !ok || up == id {
			return id
		}
		id = up
	}
}

// unite makes one cluster of those of two members.
func (c *Clusters) unite(a, b uint64) {
	if a == 0 || b == 0 {
		return
	}
	if c.parent == nil {
		c.parent, c.numbers = map[uint64]uint64{}, map[uint64]int{}
	}
	for _, id := range []uint64{a, b} {
		if _, ok := c.parent[id]; !ok && len(c.parent) < maxClustered {
			c.parent[id] = id
		}
	}
	into, from := c.root(a), c.root(b)
	if into == from || c.parent[into] == 0 || c.parent[from] == 0 {
		return
	}
	x, hasX := c.numbers[into]
	y, hasY := c.numbers[from]
	switch {
	case hasX && hasY && y < x, !hasX && hasY:
		into, from, x, y = from, into, y, x
	}
	c.parent[from] = into
	delete(c.numbers, from)
	if hasX && hasY && c.Join != nil {
		c.Join(x, y)
	}
}

// give hands out an event.
func (c *Clusters) give(e *Event) {
	id := e.From
	if _, ok := c.parent[id]; !ok {
		id = e.To
	}
	if _, ok := c.parent[id]; ok {
		c.Do(c.number(c.root(id)), e)
		return
	}
	if e.Kind != KindGap {
		return
	}
	for _, n := range c.numbers {
		c.Do(n, e)
	}
}

// number returns the number of the cluster of a root.
func (c *Clusters) number(root uint64) int {
	n, ok := c.numbers[root]
	if !ok {
		n = c.n
		c.numbers[root] = n
		c.n++
	}
	return n
}
