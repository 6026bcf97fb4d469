package perf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// nodeCluster is a cluster of processes that is started when it is first wanted.
type nodeCluster struct {
	b       *testing.B // outlives those of the single loads
	impl    string
	size    int
	talks   string // a folder for recordings of what its members say to each other; empty: they make none
	servers []*etcdtest.Server
}

func lazyCluster(b *testing.B, impl string, size int) *nodeCluster {
	return &nodeCluster{b: b, impl: impl, size: size}
}

func (c *nodeCluster) start() {
	if c.servers != nil {
		return
	}
	peers := etcdtest.Peers(c.b, c.size)
	for _, p := range peers {
		args := []string{
			"--name", p.Name, "--listen-peer-urls", p.URL, "--initial-advertise-peer-urls", p.URL,
			"--initial-cluster", etcdtest.InitialCluster(peers),
		}
		if c.talks != "" {
			args = append(args, "--record-messages", filepath.Join(c.talks, p.Name), "--record-messages-keep", "0")
		}
		c.servers = append(c.servers, launchMember(c.b, c.impl, c.b.TempDir(), args...))
	}
	for _, s := range c.servers {
		if err := s.WaitHealthy(); err != nil {
			c.b.Fatalf("%v\n%s", err, s.Log())
		}
	}
	c.servers[0].Ctl("put", benchKey, strings.Repeat("v", 256))
}

// launchMember starts one of nodeImpls on a data directory.
func launchMember(b *testing.B, impl, dir string, args ...string) *etcdtest.Server {
	if version, ok := strings.CutPrefix(impl, "etcd-"); ok {
		return etcdtest.Launch(b, version, dir, args...)
	}
	return etcdtest.LaunchProgram(b, []string{built(b, "raftctl"), "node", "run"}, "3.7", dir, args...)
}

func (c *nodeCluster) stop() {
	for _, s := range c.servers {
		s.Kill()
	}
}

// checkTalks stops the members, and checks that they have recorded all that they said.
func (c *nodeCluster) checkTalks() {
	c.b.Helper()
	for _, s := range c.servers {
		s.Stop()
	}
	messages := 0
	for i := range c.servers {
		r, err := recording.Open(os.DirFS(c.talks), fmt.Sprint("m", i+1))
		if err != nil {
			c.b.Fatal(err)
		}
		for e, err := range r.Events() {
			if err != nil {
				c.b.Fatal(err)
			}
			if e.Kind == stream.KindGap {
				c.b.Errorf("in m%d's recording: %s", i+1, e.Gap.Reason)
			}
			if e.Kind == stream.KindMessage {
				messages++
			}
		}
		if err := r.Close(); err != nil {
			c.b.Fatal(err)
		}
	}
	if messages == 0 {
		c.b.Error("nothing was recorded")
	}
}

// tool runs etcd's benchmark tool on the cluster and returns what it printed.
func (c *nodeCluster) tool(b *testing.B, args ...string) []byte {
	b.Helper()
	var endpoints []string
	for _, s := range c.servers {
		endpoints = append(endpoints, s.Endpoint)
	}
	args = append(args, "--precise", "--endpoints", strings.Join(endpoints, ","))
	out, err := exec.Command(built(b, filepath.Join("bin", "benchmark")), args...).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return out
}

// cpu returns the processors' time that the members have taken so far.
func (c *nodeCluster) cpu(b *testing.B) (sum time.Duration) {
	for _, s := range c.servers {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
		if err != nil {
			b.Fatal(err)
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(after) // the first is field 3 of proc(5)
		for _, ticks := range fields[11:13] {
			n, err := strconv.ParseInt(ticks, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}

// figure returns the number that a pattern finds in the output of etcd's benchmark tool; 0 if it has none.
func figure(b *testing.B, out []byte, pattern string) float64 {
	m := regexp.MustCompile(pattern).FindSubmatch(out)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		b.Fatalf("%q: %v", m[0], err)
	}
	return n
}
