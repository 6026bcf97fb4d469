package decode

import (
	"testing"
	"time"
)

// BenchmarkClock takes in the requests of a log: most say nothing of time.
func BenchmarkClock(b *testing.B) {
	id := processID(0xb37a, at(0))
	lease := leaseValue("kube-node-lease", "node", 40, at(0))
	for _, bm := range []struct {
		name string
		data []byte
	}{
		{"put", putOf(b, 128)},
		{"txn", txnPut(b, id, "k", "value", 7)},
		{"lease", txnPut(b, id, "/registry/leases/kube-node-lease/node", lease, 7)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			var r Request
			var c Clock
			if err := Payload(&r, normal(bm.data)); err != nil {
				b.Fatal(err)
			}
			index := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				index++
				c.Add(index, &r)
			}
		})
	}
}

// BenchmarkTimes settles a full clock.
func BenchmarkTimes(b *testing.B) {
	var c Clock
	c.init()
	for i := range maxEvidence - 1 {
		c.last++
		now := at(float64(i)).UnixNano()
		c.add(c.last, said{ClockHost, []byte{'a' + byte(i%20)}, now, 15 * time.Second})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Times()
	}
}
