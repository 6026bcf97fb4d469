package decode

import (
	"fmt"
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

// wantBounds checks bounds that are given in seconds from at(0); a NaN stands for unknown.
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
	wantBounds(t, times.At(first), "-1h0m1s", "26s")
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
