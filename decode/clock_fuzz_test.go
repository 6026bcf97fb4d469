package decode

import (
	"testing"
)

// FuzzClock gives the clock any value. Whatever it is, it tells little, and nothing that can't be.
func FuzzClock(f *testing.F) {
	for _, value := range []string{
		leaseValue("kube-node-lease", "a", 40, at(0)), createdValue("a", at(0)), eventValue("a", at(0), at(1)),
		kubernetesValue("v1", "Pod", "a", "b"), "k8s\x00", "{", `{"apiVersion":"v1","kind":"Event","metadata":{"creationTimestamp":` +
			`"2026-11-20T12:00:00Z","deletionTimestamp":"2026-11-20T12:00:30Z","deletionGracePeriodSeconds":30,"managedFields":` +
			`[{"time":"2026-11-20T12:00:00Z"}],"annotations":{"control-plane.alpha.kubernetes.io/leader":"{\"renewTime\":\"x\"}"}},` +
			`"source":{"host":"a"},"lastTimestamp":"2026-11-20T12:00:00Z"}`,
		`{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"namespace":"kube-node-lease"},"spec":` +
			`{"holderIdentity":"a","leaseDurationSeconds":40,"renewTime":"2026-11-20T12:00:00.000000Z"}}`,
	} {
		f.Add(value, true)
		f.Add(value, false)
	}
	f.Fuzz(func(t *testing.T, value string, fresh bool) {
		if len(value) > 1<<16 {
			return
		}
		l := clockLog{tb: t}
		rev := int64(7)
		if fresh {
			rev = 0
		}
		const writes = 3
		for range writes {
			l.add(txnPut(t, processID(0xa, at(0)), "k", value, rev))
		}
		if n := len(l.clock.evidence); n > 5*writes {
			t.Fatalf("%d pieces of evidence in %d values", n, writes)
		}
		for _, c := range l.clock.clocks {
			if len(c.Name) > maxClockName {
				t.Fatalf("a name of %d bytes", len(c.Name))
			}
		}
		for _, e := range l.clock.evidence {
			if !plausible(e.early) || e.late != 0 && (e.late < e.early || e.late > e.early+int64(longestRenewal+flight+creation)) {
				t.Fatalf("implausible: %+v", e)
			}
		}
		times := l.clock.Times()
		for i := range uint64(writes) {
			if b := times.At(i + 1); !b.NotBefore.IsZero() && !b.NotAfter.IsZero() && b.NotAfter.Before(b.NotBefore) {
				t.Fatalf("entry %d: %v is before %v", i+1, b.NotAfter, b.NotBefore)
			}
		}
	})
}
