package decode

import (
	"hash/maphash"
	"time"
)

// Clock gathers what the entries of a log tell of the time at which they were written: etcd records
// none, but what it stores does. The zero value is ready.
//
//   - The ID of a request has the time at which the process that proposed it was started: the entry
//     was written later.
//   - A Lease of Kubernetes has the time at which it was renewed, by the clock of its holder: every
//     node renews one each ten seconds, every elected leader one each few seconds. Who renews gives up
//     after some seconds, so the entry was written soon after.
//   - An object that is created has the time of that, by the clock of the API server, which gives up
//     after a minute.
//   - Events, managedFields and deletions have times too, but may be written long after.
//   - The leader of etcd 3.5 and before writes its time where keys of the v2 store expire.
//
// A clock is right if it is within a second of the true time. Where several clocks speak, as many as
// are needed for a majority must bear a bound out: what fewer than half of them say, wrong as it may
// be, moves no bound. [Times] has what comes of it.
//
// Memory is bounded, to some 100 MB whatever the log holds. Beyond a hundred thousand pieces of
// evidence, which is half a day of a cluster of twenty nodes, what a clock says within some seconds
// is taken together, or of hundreds of clocks only every second one is heard.
type Clock struct {
	first, last uint64 // entries
	evidence    []evidence
	clocks      []ClockSource
	tails       []int32          // by clock: where its last evidence lies, -1 for none
	names       map[string]int32 // clocks by kind and name
	members     map[uint16]int32 // clocks of processes by the end of the member's ID
	recent      [4]proposer      // of processes that proposed last, by the last bits of the member's ID
	renewed     map[uint64]int64 // when a lease was renewed last, by its key's hash
	seed        maphash.Seed
	grain       int64 // of evidence: what a clock says within it is taken together
	every       int32 // one in so many clocks is heard
	name        []byte
}

// ClockKind tells what a clock is known by.
type ClockKind string

// The kinds of clocks. Those that say how soon what they say is written bound time on both sides.
const (
	ClockHost      ClockKind = "host"       // renews leases: a node, or who is elected; both sides
	ClockAPIServer ClockKind = "api_server" // creates objects through the member with that end of its ID; both sides
	ClockSync      ClockKind = "sync"       // etcd's leader with that end of its ID; both sides
	ClockProcess   ClockKind = "process"    // of the member with that end of its ID, when it started
	ClockEvent     ClockKind = "event"      // reports events
	ClockObject    ClockKind = "object"     // API servers, in what objects say of their changes
)

// ClockKinds returns all kinds.
func ClockKinds() []ClockKind {
	return []ClockKind{ClockHost, ClockAPIServer, ClockSync, ClockProcess, ClockEvent, ClockObject}
}

// ClockSource is a clock that a log tells of.
type ClockSource struct {
	Kind    ClockKind
	Name    string // of the host, or the last four hex digits of the member's ID
	Entries int64  // that it spoke in
}

// bounded reports whether what the clock says is written soon after.
func (k ClockKind) bounded() bool { return k == ClockHost || k == ClockAPIServer || k == ClockSync }

// evidence is what one clock says in one entry, or in several within a grain of time.
type evidence struct {
	from, to    uint64 // the first and the last entry
	early, late int64  // from was written at early or later, to at late or earlier; Unix nanoseconds
	clock       int32
}

// Limits of memory. Names of hosts have 253 characters at most.
const (
	maxEvidence  = 1 << 17
	maxClocks    = 1 << 13
	maxClockName = 253
	maxLeases    = 1 << 16
	manyClocks   = 128 // that speak at the same time: half of them will do
)

// firstGrain is what is lost of precision at least.
const firstGrain = int64(time.Second)

// Add takes in an entry that r was decoded from. Entries come in the order of their indexes, and each
// once: those that no later record overwrites. It keeps nothing of r.
func (c *Clock) Add(index uint64, r *Request) {
	if c.names == nil {
		c.init()
	}
	switch {
	case c.first == 0:
		c.first = index
	case index <= c.last:
		return
	case index > c.last+1: // a lease may have been renewed in between, so what comes next may be old
		clear(c.renewed)
	}
	c.last = index
	c.addRequest(index, r)
	if len(c.evidence) >= maxEvidence {
		c.thin()
	}
}

func (c *Clock) init() {
	c.names, c.members, c.renewed = map[string]int32{}, map[uint16]int32{}, map[uint64]int64{}
	c.seed, c.grain, c.every = maphash.MakeSeed(), firstGrain, 1
}

// proposer is what the ID of a request tells of its process.
type proposer struct {
	id    uint64 // without the bits that change from request to request
	clock int32
}

// startShift is how many bits of an ID change within 65,536 requests.
const startShift = 16

// addProcess takes in when a process was started, by the ID of a request. The time in it goes on with the
// number of requests, but far more slowly than time. Every entry comes through here, and most tell nothing
// new.
func (c *Clock) addProcess(index, id uint64) {
	if id>>originMemberShift == 0 { // no server's
		return
	}
	s := &c.recent[id>>originMemberShift%uint64(len(c.recent))]
	if s.id != id>>startShift {
		*s = proposer{id >> startShift, c.process(uint16(id >> originMemberShift))}
		if s.clock >= 0 {
			c.take(evidence{from: index, to: index, early: startOf(id) * int64(time.Millisecond), clock: s.clock})
		}
	}
	if s.clock >= 0 {
		c.clocks[s.clock].Entries++
	}
}

// process returns the clock of a member's processes.
func (c *Clock) process(member uint16) int32 {
	clock, ok := c.members[member]
	if !ok {
		clock = c.clock(ClockProcess, memberName(member))
		c.members[member] = clock
	}
	return clock
}

// memberName returns the last four digits of a member's ID.
func memberName(member uint16) []byte { return appendHexDigits(nil, member) }

func appendHexDigits(dst []byte, n uint16) []byte {
	return append(dst, hexDigits[n>>12], hexDigits[n>>8&0xf], hexDigits[n>>4&0xf], hexDigits[n&0xf])
}

// clock returns the number of a clock, -1 if there are too many.
func (c *Clock) clock(kind ClockKind, name []byte) int32 {
	name = name[:min(len(name), maxClockName)]
	c.name = append(append(append(c.name[:0], kind...), 0), name...)
	if n, ok := c.names[string(c.name)]; ok {
		return n
	}
	if len(c.clocks) >= maxClocks {
		return -1
	}
	n := int32(len(c.clocks))
	c.names[string(c.name)] = n
	c.clocks = append(c.clocks, ClockSource{Kind: kind, Name: string(name)})
	c.tails = append(c.tails, -1)
	return n
}

// said is what a clock says in an entry.
type said struct {
	kind ClockKind
	name []byte
	at   int64         // Unix nanoseconds
	soon time.Duration // it was written within that time; 0: at any time later
}

// add takes in what a clock says.
func (c *Clock) add(index uint64, s said) {
	clock := c.clock(s.kind, s.name)
	if clock < 0 || !plausible(s.at) {
		return
	}
	c.clocks[clock].Entries++
	if !c.hears(clock) {
		return
	}
	e := evidence{from: index, to: index, early: s.at, clock: clock}
	if s.soon > 0 {
		e.late = s.at + int64(s.soon)
	}
	c.take(e)
}

// plausible reports whether a time may be one at which etcd ran.
func plausible(at int64) bool {
	const from, to = originEpoch * int64(time.Millisecond), 7258118400 * int64(time.Second) // 2012, 2200
	return at >= from && at < to
}

// hears reports whether a clock is one of those that are heard.
func (c *Clock) hears(clock int32) bool {
	return c.every == 1 || c.clocks[clock].Kind != ClockHost || clock%c.every == 0
}

// take takes in evidence, together with what the same clock said before if that is within the grain. A
// process says the same until it is started anew, then perhaps an earlier time. Of what is said without
// an end only that counts which is later.
func (c *Clock) take(next evidence) {
	if at := c.tails[next.clock]; at >= 0 {
		e := &c.evidence[at]
		passed := next.early - e.early
		switch {
		case passed >= c.grain:
		case next.late > 0 && passed >= 0:
			e.to, e.late = next.to, next.late
			return
		case next.late > 0 || passed <= -c.grain && c.clocks[next.clock].Kind == ClockProcess:
		default:
			return
		}
	}
	c.tails[next.clock] = int32(len(c.evidence))
	c.evidence = append(c.evidence, next)
}

// thin makes room for more evidence.
func (c *Clock) thin() {
	for len(c.evidence) > maxEvidence/2 {
		if c.speaking() > manyClocks {
			c.every *= 2
		} else {
			c.grain *= 2
		}
		c.condense()
	}
}

// speaking returns how many hosts have spoken of late.
func (c *Clock) speaking() int {
	seen := make(map[int32]bool)
	for _, e := range c.evidence[len(c.evidence)*7/8:] {
		if c.clocks[e.clock].Kind == ClockHost {
			seen[e.clock] = true
		}
	}
	return len(seen)
}

// condense takes together what is within the grain by now, and leaves out who isn't heard any more. Where
// that is of no use, as if processes started all the time, it forgets the older half.
func (c *Clock) condense() {
	all := c.evidence
	if c.grain > int64(time.Hour) {
		all, c.grain = all[len(all)/2:], firstGrain
	}
	c.evidence = c.evidence[:0]
	for i := range c.tails {
		c.tails[i] = -1
	}
	for _, e := range all {
		if c.hears(e.clock) {
			c.take(e)
		}
	}
}
