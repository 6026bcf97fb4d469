package node_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/raftctl/raftctl/node"
)

// BenchmarkPut is what a single member takes in without clients' connections, at so many callers.
func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			n := start(b, node.Config{DataDir: b.TempDir(), ListenPeerURLs: []string{freeURL(b)}})
			value := strings.Repeat("v", 256)
			var next atomic.Int64
			b.SetParallelism(callers / 2)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					put(b, n, fmt.Sprintf("key%d", next.Add(1)%100_000), value)
				}
			})
		})
	}
}
