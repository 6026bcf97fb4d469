package decode

import (
	"bytes"
	"hash/maphash"
	"time"

	"github.com/raftctl/raftctl/internal/wirefield"
)

// How soon what a clock says is written, at most.
const (
	// flight is how long a request is under way to the leader's log once nobody waits for its answer any
	// more: as long as etcd itself tries to hand it over where there is a leader, 5 s.
	flight = 5 * time.Second

	// creation is how long the API server works on a request: it gives up after 60 s. Its times have no
	// fraction, which is another second.
	creation = time.Minute + time.Second + flight

	// longestRenewal is how long who renews a lease may try before it says nothing of the time any more.
	longestRenewal = 2 * time.Minute
)

// nodeLeases is the namespace of the leases that nodes renew. A kubelet tries for a quarter of a lease's
// time. Who is elected must have given up before the lease ends.
var nodeLeases = []byte("kube-node-lease")

// addRequest takes in what a request says, and what the values do that it stores, whether or not a
// transaction did store them: they were proposed either way.
func (c *Clock) addRequest(index uint64, r *Request) {
	isPut := r.main.field != nil && r.main.field.msg == msgPut
	if !isPut && r.ofV2() { // etcd 2.x had IDs of other forms
		c.addSync(index, r)
		return
	}
	if r.ID != 0 {
		c.addProcess(index, r.ID)
	}
	switch {
	case isPut:
		if value := r.putValue(); mayHaveTimes(value) {
			c.addObject(&written{index: index, key: r.Key}, value)
		}
	case r.main.field != nil && r.main.field.msg == msgTxn:
		c.addTxn(index, r)
	}
}

var putValue = msgPut.lookup().named("value")

// putValue returns the value of a put.
func (r *Request) putValue() []byte {
	for i := r.top; i < len(r.values); i++ {
		if r.values[i].field == putValue {
			return r.values[i].data
		}
	}
	return nil
}

func (c *Clock) addTxn(index uint64, r *Request) {
	w := written{index: index, member: uint16(r.ID >> originMemberShift)}
	for a := range r.Accesses() {
		if a.Op != OpPut || !mayHaveTimes(a.Value) {
			continue
		}
		w.key, w.created = a.Key, a.Branch == BranchSuccess && r.creates(a.Key)
		c.addObject(&w, a.Value)
	}
}

// ofV2 reports whether the request is one of the v2 store.
func (r *Request) ofV2() bool {
	_, ok := r.body.(v2Request)
	return ok || r.main.field != nil && r.main.field.msg == msgV2
}

// written is a value's place.
type written struct {
	index   uint64
	member  uint16 // that proposed it, by the end of its ID
	key     []byte
	created bool // the key must not have been there before
}

// mayHaveTimes reports whether a value looks like an object of Kubernetes.
func mayHaveTimes(value []byte) bool {
	if len(value) > 0 && value[0] == '{' {
		_, _, ok := manifestKind(value)
		return ok
	}
	return bytes.HasPrefix(value, kubernetesMagic)
}

// creates reports whether a transaction asks that the key isn't there: its mod revision is 0.
func (r *Request) creates(key []byte) bool {
	for part := range msgTxn.lookup().known(r.main.data) {
		if part.field.msg != msgCompare {
			continue
		}
		var equal, mod, same, zero = true, false, false, true
		for v := range msgCompare.lookup().known(part.data) {
			switch v.field.name {
			case "result":
				equal = v.n == 0
			case "target":
				mod = v.n < uint64(len(compareTargets)) && compareTargets[v.n] == "MOD"
			case "key":
				same = bytes.Equal(v.data, key)
			case "mod_revision":
				zero = v.n == 0
			}
		}
		if equal && mod && same && zero {
			return true
		}
	}
	return false
}

// addSync takes in the time by which etcd's leader lets keys of the v2 store expire. It doesn't wait.
func (c *Clock) addSync(index uint64, r *Request) {
	if r.Op != opV2Sync {
		return
	}
	for v := range msgV2.lookup().known(r.main.data) {
		if v.field.name == "time" {
			name := memberName(uint16(r.ID >> originMemberShift))
			c.add(index, said{kind: ClockSync, name: name, at: int64(v.n), soon: flight})
		}
	}
}

// moments are the times in an object, in Unix nanoseconds; 0 for none.
type moments struct {
	created  int64 // metadata.creationTimestamp
	deleted  int64 // when the deletion was asked for
	changed  int64 // the last of metadata.managedFields
	reported int64 // of an event
	reporter []byte

	renewed, acquired int64 // of a lease
	holder            []byte
	lasts             time.Duration // the lease, without being renewed
	ofNode            bool
}

func (c *Clock) addObject(w *written, value []byte) {
	var m moments
	if value[0] == '{' {
		m.readJSON(value)
	} else {
		m.readProto(value)
	}
	if w.created && m.created != 0 {
		c.add(w.index, said{kind: ClockAPIServer, name: memberName(w.member), at: m.created, soon: creation})
	}
	if at := max(m.created, m.deleted, m.changed); at != 0 {
		c.add(w.index, said{kind: ClockObject, at: at})
	}
	if m.reported != 0 && len(m.reporter) > 0 {
		c.add(w.index, said{kind: ClockEvent, name: m.reporter, at: m.reported})
	}
	if m.renewed != 0 && len(m.holder) > 0 {
		c.addRenewal(w, &m)
	}
}

// addRenewal takes in a lease, if it was renewed: others write the time of its last renewal again, at any
// time later. The first one of a log may be such, and bounds from below only.
func (c *Clock) addRenewal(w *written, m *moments) {
	hash := maphash.Bytes(c.seed, w.key)
	last, known := c.renewed[hash]
	if known && m.renewed <= last || !known && len(c.renewed) >= maxLeases {
		return
	}
	if !plausible(m.renewed) {
		return
	}
	c.renewed[hash] = m.renewed
	s := said{kind: ClockHost, name: m.holder, at: m.renewed}
	if known || w.created {
		s.soon = m.soon()
	}
	c.add(w.index, s)
}

// soon returns how soon a lease is written that was renewed, 0 if nothing tells. Who isn't elected yet
// may wait for longer.
func (m *moments) soon() time.Duration {
	switch {
	case m.lasts <= 0 || m.acquired == m.renewed:
		return 0
	case m.ofNode:
		return m.lasts/4 + flight
	case m.renewed%int64(time.Second) == 0: // without fraction
		return m.lasts + time.Second + flight
	}
	return m.lasts + flight
}

// host returns the host of who holds a lease: what stands behind an underscore tells its processes apart.
func host(holder []byte) []byte {
	name, _, _ := bytes.Cut(holder, []byte{'_'})
	return name
}

// The fields of Kubernetes objects that have times.
const (
	metaCreation      = 8
	metaDeletion      = 9
	metaGrace         = 10
	metaAnnotations   = 12
	metaManagedFields = 17
	managedTime       = 4
	mapKey, mapValue  = 1, 2

	leaseSpec     = 2
	specHolder    = 1
	specSeconds   = 2
	specAcquired  = 3
	specRenewed   = 4
	eventSource   = 5
	eventFirst    = 6
	eventLast     = 7
	eventTime     = 10
	sourceHost    = 2
	timeSeconds   = 1
	timeNanos     = 2
	leaderElected = "control-plane.alpha.kubernetes.io/leader"
)

// readProto reads an object in protobuf: no more of it than its metadata, unless it is a lease or an
// event.
func (m *moments) readProto(value []byte) {
	unknown := value[len(kubernetesMagic):]
	raw := wirefield.Bytes(unknown, unknownRaw)
	switch string(wirefield.Bytes(wirefield.Bytes(unknown, unknownTypeMeta), typeMetaKind)) {
	case "Lease":
		m.readLease(wirefield.Bytes(raw, leaseSpec))
	case "Event":
		m.readEvent(raw)
	}
	m.readMeta(wirefield.Bytes(raw, objectMetadata))
}

func (m *moments) readMeta(meta []byte) {
	var deletion, grace int64
	for f, err := range wirefield.All(meta) {
		if err != nil {
			return
		}
		switch f.Num {
		case metaNamespace:
			m.ofNode = bytes.Equal(f.Bytes, nodeLeases)
		case metaCreation:
			m.created = protoTime(f.Bytes)
		case metaDeletion:
			deletion = protoTime(f.Bytes)
		case metaGrace:
			grace = int64(f.Uint)
		case metaAnnotations:
			if string(wirefield.Bytes(f.Bytes, mapKey)) == leaderElected {
				m.readLeader(wirefield.Bytes(f.Bytes, mapValue))
			}
		case metaManagedFields:
			m.changed = max(m.changed, protoTime(wirefield.Bytes(f.Bytes, managedTime)))
		}
	}
	m.setDeletion(deletion, grace)
}

// setDeletion sets when a deletion was asked for, which is not the time that the object has for it: that
// is when its grace ends.
func (m *moments) setDeletion(deletion, grace int64) {
	const longest = 1 << 32 // seconds
	if deletion != 0 && grace >= 0 && grace < longest {
		m.deleted = deletion - grace*int64(time.Second)
	}
}

func (m *moments) readLease(spec []byte) {
	for f, err := range wirefield.All(spec) {
		if err != nil {
			return
		}
		switch f.Num {
		case specHolder:
			m.holder = host(f.Bytes)
		case specSeconds:
			m.setDuration(int64(f.Uint))
		case specAcquired:
			m.acquired = protoTime(f.Bytes)
		case specRenewed:
			m.renewed = protoTime(f.Bytes)
		}
	}
}

func (m *moments) setDuration(seconds int64) {
	if seconds > 0 && seconds <= int64(longestRenewal/time.Second) {
		m.lasts = time.Duration(seconds) * time.Second
	}
}

func (m *moments) readEvent(event []byte) {
	for f, err := range wirefield.All(event) {
		if err != nil {
			return
		}
		switch f.Num {
		case eventSource:
			m.reporter = wirefield.Bytes(f.Bytes, sourceHost)
		case eventFirst, eventLast, eventTime:
			m.reported = max(m.reported, protoTime(f.Bytes))
		}
	}
}

// protoTime returns the time in a Time or a MicroTime, 0 if it has none that is plausible.
func protoTime(b []byte) int64 {
	var seconds, nanos int64
	for f, err := range wirefield.All(b) {
		if err != nil {
			return 0
		}
		switch f.Num {
		case timeSeconds:
			seconds = int64(f.Uint)
		case timeNanos:
			nanos = int64(f.Uint)
		}
	}
	return unixNano(seconds, nanos)
}

// unixNano returns a time in Unix nanoseconds, 0 if it isn't plausible.
func unixNano(seconds, nanos int64) int64 {
	const most = 1 << 33
	if seconds <= 0 || seconds > most || nanos < 0 || nanos >= int64(time.Second) {
		return 0
	}
	if at := seconds*int64(time.Second) + nanos; plausible(at) {
		return at
	}
	return 0
}
