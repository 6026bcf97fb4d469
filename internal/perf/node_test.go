package perf

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// nodeImpls are the members that are measured: ours, and real etcds.
var nodeImpls = []string{"ours", "etcd-3.6", "etcd-3.7"}

// BenchmarkNode has etcd's benchmark tool load clusters of ours and of real etcds: values of 256 B under
// 100,000 keys, by so many clients on up to 100 connections. Beside the time of a request it reports the 99th
// percentile, and the processors' time that the members took for it.
func BenchmarkNode(b *testing.B) {
	for _, size := range []int{1, 3} {
		for _, impl := range nodeImpls {
			c := lazyCluster(b, impl, size)
			for _, clients := range []int{1, 100, 1000} {
				for _, load := range nodeLoads {
					name := fmt.Sprintf("%s/members=%d/clients=%d/impl=%s", load.name, size, clients, impl)
					b.Run(name, func(b *testing.B) { c.request(b, clients, load.args) })
				}
			}
			c.stop()
		}
	}
}

// benchKey is what is read.
const benchKey = "a key of its own"

// nodeLoads are the requests, by the arguments of etcd's benchmark tool.
var nodeLoads = []struct {
	name string
	args []string
}{
	{"Put", []string{"put", "--val-size", "256", "--key-size", "16", "--key-space-size", "100000"}},
	{"Range", []string{"range", benchKey, "--consistency", "l"}},
	{"RangeSerializable", []string{"range", benchKey, "--consistency", "s"}},
}

// request has the tool send b.N requests, and takes its word for how long they took.
func (c *nodeCluster) request(b *testing.B, clients int, load []string) {
	c.start()
	b.ResetTimer()
	c.send(b, b.N, clients, load).report(b)
}

// figures are what some requests took.
type figures struct{ ns, p99, cpu float64 } // each and the slowest hundredth, in ns and ms; processors' time each, in µs

func (f figures) report(b *testing.B) {
	b.ReportMetric(f.ns, "ns/op")
	b.ReportMetric(f.p99, "p99-ms")
	b.ReportMetric(f.cpu, "cpu-µs/op")
}

// send has the tool send so many requests.
func (c *nodeCluster) send(b *testing.B, requests, clients int, load []string) figures {
	args := []string{
		"--clients", strconv.Itoa(clients), "--conns", strconv.Itoa(min(clients, 100)), "--total", strconv.Itoa(requests),
	}
	before := c.cpu(b)
	out := c.tool(b, slices.Concat(load, args)...)
	used := c.cpu(b) - before
	return figures{
		ns:  1e9 / figure(b, out, `Requests/sec:\s+([0-9.e+]+)`),
		p99: 1e3 * figure(b, out, `99% in ([0-9.e+-]+) secs`),
		cpu: float64(used.Microseconds()) / float64(requests),
	}
}

// BenchmarkNodeRecord puts into a cluster whose members record their messages, and into one whose members don't, in turn: what
// else the machine does meets both. What it reports of each are the medians of the turns.
func BenchmarkNodeRecord(b *testing.B) {
	turns, puts := 2, 500
	if os.Getenv("RAFTCTL_BENCH_BYTES") != "" {
		turns, puts = 20, 5000
	}
	impls := []string{"ours", "unrecorded"}
	for _, clients := range []int{1, 100} {
		var clusters [2]*nodeCluster
		for i := range clusters {
			clusters[i] = lazyCluster(b, "ours", 3)
		}
		clusters[0].talks = b.TempDir()
		var took [2][]figures
		for i, impl := range impls {
			b.Run(fmt.Sprintf("members=3/clients=%d/impl=%s", clients, impl), func(b *testing.B) {
				if i == 0 {
					took = inTurn(b, clusters, turns, max(puts*clients/100, puts/10), clients)
				}
				middle(took[i]).report(b)
			})
		}
		if took[0] != nil {
			clusters[0].checkTalks()
		}
		clusters[1].stop()
	}
}

// inTurn puts into two clusters, now the one first and now the other.
func inTurn(b *testing.B, clusters [2]*nodeCluster, turns, puts, clients int) (took [2][]figures) {
	for _, c := range clusters {
		c.start()
		c.send(b, puts, clients, nodeLoads[0].args) // connections are there, files have grown
	}
	for turn := range turns {
		for k := range clusters {
			i := (turn + k) % len(clusters)
			took[i] = append(took[i], clusters[i].send(b, puts, clients, nodeLoads[0].args))
		}
	}
	return took
}

// middle returns the median of each figure.
func middle(all []figures) figures {
	of := func(which func(figures) float64) float64 {
		var list []float64
		for _, f := range all {
			list = append(list, which(f))
		}
		slices.Sort(list)
		return list[len(list)/2]
	}
	return figures{
		ns:  of(func(f figures) float64 { return f.ns }),
		p99: of(func(f figures) float64 { return f.p99 }),
		cpu: of(func(f figures) float64 { return f.cpu }),
	}
}

// BenchmarkNodeWatch measures how long after a put's answer 100 watchers of its key had it, 100 puts a second. An
// operation is a put.
func BenchmarkNodeWatch(b *testing.B) {
	for _, impl := range nodeImpls {
		c := lazyCluster(b, impl, 1)
		b.Run("impl="+impl, func(b *testing.B) {
			c.start()
			out := c.tool(b, "watch-latency", "--val-size", "256", "--put-total", strconv.Itoa(b.N))
			_, events, _ := bytes.Cut(out, []byte("Watch events summary"))
			b.ReportMetric(1e9*figure(b, events, `Average:\s+([0-9.e+-]+) secs`), "ns/op")
			b.ReportMetric(1e3*figure(b, events, `99% in ([0-9.e+-]+) secs`), "p99-ms")
		})
		c.stop()
	}
}

// BenchmarkNodeMemory puts so many keys, a million for `make bench`, and reports the most memory that a member
// took until all were there. An operation is a put.
func BenchmarkNodeMemory(b *testing.B) {
	keys := "10000"
	if os.Getenv("RAFTCTL_BENCH_BYTES") != "" {
		keys = "1000000"
	}
	for _, impl := range nodeImpls {
		c := lazyCluster(b, impl, 1)
		b.Run("keys="+keys+"/impl="+impl, func(b *testing.B) {
			c.start()
			for range b.N {
				out := c.tool(b, "put", "--sequential-keys", "--key-space-size", keys, "--total", keys, "--val-size", "256",
					"--key-size", "16", "--clients", "200", "--conns", "100")
				b.ReportMetric(1e9/figure(b, out, `Requests/sec:\s+([0-9.e+]+)`), "ns/op")
			}
			b.ReportMetric(float64(c.servers[0].PeakKiB())/1024, "peak-MiB")
		})
		c.stop()
	}
}

// BenchmarkNodeStart boots members on a log that no snapshot covers and that no database stands beside: from
// their start until they serve, without syncing the disk.
func BenchmarkNodeStart(b *testing.B) {
	l := newBigLog(b, 1024)
	for _, impl := range nodeImpls {
		b.Run("impl="+impl, func(b *testing.B) {
			b.SetBytes(l.size)
			peak := 0
			for b.Loop() {
				b.StopTimer() // they write into it
				dir := b.TempDir()
				if err := os.CopyFS(dir, os.DirFS(l.dir)); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				s := launchMember(b, impl, dir, append([]string{"--unsafe-no-fsync"}, etcdtest.Quick...)...)
				err := s.WaitHealthyWithin(10 * time.Minute)
				b.StopTimer()
				if err != nil {
					b.Fatalf("%v\n%s", err, s.Log())
				}
				peak = max(peak, s.PeakKiB())
				s.Kill()
				b.StartTimer()
			}
			b.ReportMetric(float64(peak)/1024, "peak-MiB")
		})
	}
}
