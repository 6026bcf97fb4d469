package decode

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
)

// What follows makes values as Kubernetes stores them.

// pbUint returns a varint field.
func pbUint(num protowire.Number, n uint64) string {
	return string(protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), n))
}

// pbTime returns a Time or a MicroTime.
func pbTime(num protowire.Number, at time.Time, unit time.Duration) string {
	at = at.Truncate(unit)
	return pbBytes(num, pbUint(1, uint64(at.Unix()))+pbUint(2, uint64(at.Nanosecond())))
}

// storedObject returns an object: metadata, and what stands behind.
func storedObject(apiVersion, kind, meta, rest string) string {
	return "k8s\x00" + pbBytes(1, pbBytes(1, apiVersion)+pbBytes(2, kind)) + pbBytes(2, pbBytes(1, meta)+rest) +
		pbBytes(3, "") + pbBytes(4, "")
}

// leaseValue returns a lease of so many seconds.
func leaseValue(namespace, holder string, seconds int, renewed time.Time) string {
	meta := pbBytes(1, holder) + pbBytes(2, "") + pbBytes(3, namespace) +
		pbTime(8, renewed.Add(-time.Hour), time.Second)
	spec := pbBytes(1, holder) + pbUint(2, uint64(seconds)) + pbTime(4, renewed, time.Microsecond)
	return storedObject("coordination.k8s.io/v1", "Lease", meta, pbBytes(2, spec))
}

// createdValue returns an object that is created at a time.
func createdValue(name string, at time.Time) string {
	return storedObject("v1", "ConfigMap", pbBytes(1, name)+pbBytes(3, "default")+pbTime(8, at, time.Second), "")
}

// eventValue returns an event that a host reports.
func eventValue(host string, created, last time.Time) string {
	meta := pbBytes(1, "event") + pbBytes(3, "default") + pbTime(8, created, time.Second)
	return storedObject("v1", "Event", meta, pbBytes(5, pbBytes(1, "kubelet")+pbBytes(2, host))+
		pbTime(6, last, time.Second)+pbTime(7, last, time.Second))
}

// processID returns an ID as the generator of a server gives it.
func processID(member uint16, started time.Time) uint64 {
	return uint64(member)<<48 | uint64(started.UnixMilli())&(1<<40-1)<<8
}

// txnPut returns a request that writes a value if the key's mod revision is as given.
func txnPut(tb testing.TB, id uint64, key, value string, rev int64) []byte {
	return marshal(tb, &pb.InternalRaftRequest{Header: &pb.RequestHeader{ID: id}, Txn: &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte(key), Target: pb.Compare_MOD,
			TargetUnion: &pb.Compare_ModRevision{ModRevision: rev}}},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{
			Key: []byte(key), Value: []byte(value)}}}},
		Failure: []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte(key)}}}},
	}})
}

// clockLog is a log of requests, from index 1 on.
type clockLog struct {
	tb    testing.TB
	clock Clock
	index uint64
	r     Request
}

// add adds an entry, and returns its index.
func (l *clockLog) add(data []byte) uint64 {
	l.tb.Helper()
	l.index++
	if err := Payload(&l.r, normal(data)); err != nil {
		l.tb.Fatal(err)
	}
	l.clock.Add(l.index, &l.r)
	return l.index
}

// at is a moment for tests.
func at(seconds float64) time.Time {
	return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

// wantBounds checks bounds that are given in seconds from at(0); "?" is unknown.
func wantBounds(t *testing.T, got Bounds, lower, upper string) {
	t.Helper()
	text := func(x time.Time) string {
		if x.IsZero() {
			return "?"
		}
		return fmt.Sprint(x.Sub(at(0)))
	}
	if l, u := text(got.NotBefore), text(got.NotAfter); l != lower || u != upper {
		t.Errorf("got [%s, %s], want [%s, %s]", l, u, lower, upper)
	}
}

// A node's lease bounds on both sides once it is seen to be renewed: a second for the clock, a quarter of
// the lease's 40 s and 5 s for being late.
func TestClockLease(t *testing.T) {
	l := clockLog{tb: t}
	key := "/registry/leases/kube-node-lease/a"
	first := l.add(txnPut(t, 0, key, leaseValue("kube-node-lease", "a", 40, at(0)), 5))
	second := l.add(txnPut(t, 0, key, leaseValue("kube-node-lease", "a", 40, at(10)), 6))
	again := l.add(txnPut(t, 0, key, leaseValue("kube-node-lease", "a", 40, at(10)), 7)) // somebody else writes
	third := l.add(txnPut(t, 0, key, leaseValue("kube-node-lease", "a", 40, at(20)), 8))
	behind := l.add(txnPut(t, 0, "k", "v", 1))
	times := l.clock.Times()
	wantBounds(t, times.At(first), "-1s", "26s")
	wantBounds(t, times.At(second), "9s", "26s")
	wantBounds(t, times.At(again), "9s", "36s")
	wantBounds(t, times.At(third), "19s", "36s")
	wantBounds(t, times.At(behind), "19s", "?")
}

// The same times bound alike in whatever form they are written.
func TestClockForms(t *testing.T) {
	renewed := func(seconds float64, form string) string {
		return fmt.Sprintf(form, at(seconds).Format("2006-01-02T15:04:05.000000Z07:00"))
	}
	annotation := func(seconds float64) string {
		leader := renewed(seconds, `{"holderIdentity":"a_123","leaseDurationSeconds":15,"acquireTime":"2026-11-19T10:00:00Z","renewTime":"%s"}`)
		return storedObject("v1", "Endpoints", pbBytes(1, "e")+pbBytes(12, pbBytes(1, leaderElected)+pbBytes(2, leader)), "")
	}
	const plain = `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"x","namespace":"kube-system"},` +
		`"spec":{"holderIdentity":"a_123","leaseDurationSeconds":15,"renewTime":"%s"}}`
	for name, tt := range map[string]struct {
		value func(float64) string
		late  string
	}{
		"protobuf":   {func(s float64) string { return leaseValue("kube-system", "a_123", 15, at(s)) }, "31.5s"},
		"node":       {func(s float64) string { return leaseValue("kube-node-lease", "a", 40, at(s)) }, "26.5s"},
		"JSON":       {func(s float64) string { return renewed(s, plain) }, "31.5s"},
		"annotation": {annotation, "31.5s"},
	} {
		t.Run(name, func(t *testing.T) {
			l := clockLog{tb: t}
			l.add(txnPut(t, 0, "x", tt.value(0.5), 5))
			i := l.add(txnPut(t, 0, "x", tt.value(10.5), 6))
			times := l.clock.Times()
			wantBounds(t, times.At(i), "9.5s", tt.late)
			if s := times.Sources(); s[0].Name != "a" && s[len(s)-1].Name != "a" {
				t.Errorf("sources %v, want a", s)
			}
		})
	}
}

// What is created bounds on both sides, where the key must not have been there; else it may be old.
func TestClockCreation(t *testing.T) {
	l := clockLog{tb: t}
	id := processID(0xc071, at(-100))
	created := l.add(txnPut(t, id, "a", createdValue("a", at(0.7)), 0))
	changed := l.add(txnPut(t, id, "a", createdValue("a", at(0.7)), 5))
	times := l.clock.Times()
	wantBounds(t, times.At(created), "-1s", "1m7s")
	wantBounds(t, times.At(changed), "-1s", "?")
}

// The ID of a request bounds from below: the process ran.
func TestClockProcess(t *testing.T) {
	l := clockLog{tb: t}
	first := l.add(txnPut(t, processID(0xc071, at(0)), "a", "x", 0))
	again := l.add(txnPut(t, processID(0xc071, at(0)), "a", "x", 0))
	later := l.add(txnPut(t, processID(0xc071, at(50)), "a", "x", 0))
	times := l.clock.Times()
	wantBounds(t, times.At(first), "-1s", "?")
	wantBounds(t, times.At(again), "-1s", "?")
	wantBounds(t, times.At(later), "49s", "?")
}

// nodes writes the leases of nodes, each by a clock that is off by so many seconds, for some minutes.
func (l *clockLog) nodes(from, to float64, off map[string]float64) {
	l.tb.Helper()
	for s := from; s < to; s += 10 {
		for _, name := range slices.Sorted(maps.Keys(off)) {
			l.add(txnPut(l.tb, 0, name, leaseValue("kube-node-lease", name, 40, at(s+off[name])), 5))
		}
	}
}

// A clock that most contradict is thrown out, and named, ahead or behind.
func TestClockOutlier(t *testing.T) {
	for _, off := range []float64{3600, -3600, 90 * 86400} {
		l := clockLog{tb: t}
		l.nodes(0, 600, map[string]float64{"a": 0, "b": 0, "c": off})
		l.nodes(600, 1200, map[string]float64{"a": 0, "b": 0, "c": 0})
		times := l.clock.Times()
		wantBounds(t, times.At(30*3), "4m49s", "5m16s")
		got := slices.DeleteFunc(times.Outliers(), func(o ClockOutlier) bool { return o.Kind == ClockObject })
		if len(got) != 1 || got[0].Name != "c" {
			t.Fatalf("off by %v: outliers %v, want c", off, got)
		}
		if diff := got[0].Off - time.Duration(off*float64(time.Second)); diff.Abs() > 30*time.Second {
			t.Errorf("c is off by %v, want %v s", got[0].Off, off)
		}
		if got[0].First < 3 || got[0].Last > 60*3 {
			t.Errorf("c is off in %d..%d, want within 3..180", got[0].First, got[0].Last)
		}
		if times.Disputed() {
			t.Error("disputed, though two agree")
		}
	}
}

// A clock that was alone, and wrong, yields to those that speak later and agree.
func TestClockAlone(t *testing.T) {
	l := clockLog{tb: t}
	l.nodes(0, 2000, map[string]float64{"c": 3600})
	l.nodes(2000, 4000, map[string]float64{"a": 0, "b": 0, "d": 0})
	times := l.clock.Times()
	wantBounds(t, times.At(200+100*3), "49m49s", "50m16s")
	if got := times.Outliers(); len(got) != 1 || got[0].Name != "c" {
		t.Errorf("outliers %v, want c", got)
	}
}

// An object that is deleted has the time at which its grace ends, which may be to come.
func TestClockDeletion(t *testing.T) {
	for name, value := range map[string]string{
		"protobuf": storedObject("v1", "Pod", pbBytes(1, "p")+pbTime(9, at(30), time.Second)+pbUint(10, 30), ""),
		"JSON": `{"apiVersion":"v1","kind":"Pod","metadata":{"deletionGracePeriodSeconds":30,"deletionTimestamp":"` +
			at(30).Format(time.RFC3339) + `"}}`,
	} {
		l := clockLog{tb: t}
		l.add(txnPut(t, 0, "x", value, 5))
		if len(l.clock.evidence) != 1 || l.clock.evidence[0].early != at(0).UnixNano() {
			t.Errorf("%s: got %+v, want the time of asking for it", name, l.clock.evidence)
		}
	}
}

// Names are shown so that nothing in them acts on a terminal.
func TestClockNames(t *testing.T) {
	for _, kind := range ClockKinds() {
		text := ClockSource{Kind: kind, Name: "a\x1b[31m\u202e"}.String()
		if bad := badRune([]byte(text)); bad >= 0 || text == "" {
			t.Errorf("%s: %q has %U", kind, text, bad)
		}
	}
}

// Where two contradict each other nothing tells who is right: both may be.
func TestClockTwo(t *testing.T) {
	l := clockLog{tb: t}
	l.nodes(0, 600, map[string]float64{"a": 0, "b": 3600})
	times := l.clock.Times()
	wantBounds(t, times.At(30*2), "4m49s", "1h5m6s")
	if !times.Disputed() || len(times.Outliers()) > 0 {
		t.Errorf("disputed %v, outliers %v, want true and none", times.Disputed(), times.Outliers())
	}
	if m, ok := times.Before(at(300)); ok && m.NotAfter.Sub(m.NotBefore) < 4*time.Minute {
		t.Errorf("5m0s is known within %v", m.Bounds)
	}
}

// A clock that contradicts itself bounds nothing in between.
func TestClockJump(t *testing.T) {
	l := clockLog{tb: t}
	l.nodes(0, 600, map[string]float64{"a": 0})
	for _, s := range []float64{-1000, -990} { // another lease, an earlier time
		l.add(txnPut(t, 0, "b", leaseValue("kube-node-lease", "a", 40, at(s)), 5))
	}
	l.nodes(600, 1200, map[string]float64{"a": 0})
	times := l.clock.Times()
	if !times.Disputed() {
		t.Error("not disputed")
	}
	for i := range l.index {
		if b := times.At(i + 1); i < 60 && !b.holds(at(float64(i)*10)) || i > 61 && !b.holds(at(float64(i-2)*10)) {
			t.Fatalf("entry %d: %v does not hold what a says", i+1, b)
		}
	}
}

// A gap in the log may hide a renewal: what is newer behind it may be old.
func TestClockGap(t *testing.T) {
	l := clockLog{tb: t}
	l.nodes(0, 20, map[string]float64{"a": 0})
	l.index += 5
	i := l.add(txnPut(t, 0, "a", leaseValue("kube-node-lease", "a", 40, at(60)), 5))
	wantBounds(t, l.clock.Times().At(i), "59s", "?")
}

// Clocks that are elected behind the same host are one; who acquires a lease may have waited for long.
func TestClockElection(t *testing.T) {
	l := clockLog{tb: t}
	for i := range 4 {
		spec := pbBytes(1, fmt.Sprint("cp_", i)) + pbUint(2, 15) + pbTime(3, at(0), time.Microsecond) +
			pbTime(4, at(float64(i)*2), time.Microsecond)
		l.add(txnPut(t, 0, "x", storedObject("coordination.k8s.io/v1", "Lease", pbBytes(3, "kube-system"), pbBytes(2, spec)), 0))
	}
	times := l.clock.Times()
	if s := times.Sources(); len(s) != 1 || s[0].Name != "cp" || s[0].Entries != 4 {
		t.Errorf("sources %+v, want cp in 4 entries", s)
	}
	wantBounds(t, times.At(1), "-1s", "24s") // by the second one
}

// What no clock of a cluster shows is no evidence.
func TestClockImplausible(t *testing.T) {
	for _, s := range []float64{-20 * 365 * 86400, 200 * 365 * 86400} {
		l := clockLog{tb: t}
		l.nodes(s, s+40, map[string]float64{"a": 0})
		wantBounds(t, l.clock.Times().At(2), "?", "?")
	}
}

// Nothing was added: nothing is known.
func TestClockEmpty(t *testing.T) {
	times := new(Clock).Times()
	first, last := times.Span()
	if m, ok := times.Before(at(0)); ok || first != (Bounds{}) || last != (Bounds{}) || m != (Moment{}) {
		t.Errorf("got %v, %v, %v, %v", m, ok, first, last)
	}
}

// Memory is bounded, and what is lost for it is precision only.
func TestClockIsBounded(t *testing.T) {
	for _, tt := range []struct {
		hosts, rounds int
		width         time.Duration
	}{{10, 25_000, 2 * time.Minute}, {2000, 300, 45 * time.Second}} {
		var c Clock
		c.init()
		index := uint64(0)
		for round := range tt.rounds {
			for host := range tt.hosts {
				index++
				c.first, c.last = 1, index
				now := at(float64(round)*10 + float64(host)*10/float64(tt.hosts)).UnixNano()
				c.add(index, said{ClockHost, fmt.Append(nil, host), now, 15 * time.Second})
				if len(c.evidence) >= maxEvidence {
					c.thin()
				}
			}
		}
		if len(c.evidence) > maxEvidence || cap(c.evidence) > 2*maxEvidence {
			t.Errorf("%d pieces of evidence in %d, want %d at most", len(c.evidence), cap(c.evidence), maxEvidence)
		}
		times := c.Times()
		for i := uint64(4000); i < index-10_000; i += 997 {
			b, truth := times.At(i), at(float64(i-1)*10/float64(tt.hosts))
			if width, ok := b.Width(); !b.holds(truth) || !ok || width > tt.width {
				t.Fatalf("%d hosts: entry %d: got %v, want a width of %v at most around %v", tt.hosts, i, b, tt.width, truth)
			}
		}
	}
}
