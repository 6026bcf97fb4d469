package perf

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// BenchmarkRelay puts keys one after the other into two clusters of three etcds each in turn: one whose members talk to each other
// through `raftctl message record`, and one whose members do so directly. What is compared are medians: a put waits for disks,
// and the slowest ones for whatever else the machine does.
func BenchmarkRelay(b *testing.B) { benchRelay(b, nil) }

// BenchmarkRelayTLS is BenchmarkRelay of members that speak TLS, which the relay takes apart and makes anew.
func BenchmarkRelayTLS(b *testing.B) { benchRelay(b, etcdtest.NewCerts(b)) }

// benchRelay compares both clusters, whose members speak plain text if there are no certificates.
func benchRelay(b *testing.B, certs *etcdtest.Certs) {
	relayed, direct := newPutter(b, true, certs), newPutter(b, false, certs)
	var beside [][]time.Duration // what direct took, by run
	b.Run("impl=ours", func(b *testing.B) {
		relayed.took, direct.took = nil, nil
		for i := 0; b.Loop(); i++ {
			if i%2 == 0 {
				relayed.put(b)
				direct.put(b)
			} else {
				direct.put(b)
				relayed.put(b)
			}
		}
		beside = append(beside, direct.took)
		report(b, relayed.took)
	})
	b.Run("impl=direct", func(b *testing.B) { // measured above
		for b.Loop() {
		}
		if len(beside) > 0 {
			report(b, beside[0])
			beside = beside[1:]
		}
	})
}

// putter puts keys into a cluster, at its leader.
type putter struct {
	client *clientv3.Client
	took   []time.Duration
}

func newPutter(b *testing.B, relayed bool, certs *etcdtest.Certs) *putter {
	b.Helper()
	peers := etcdtest.Peers(b, 3)
	var flags, listen []string
	if certs != nil {
		flags = certs.PeerFlags()
	}
	for i := range peers {
		if certs != nil {
			peers[i].URL = strings.Replace(peers[i].URL, "http:", "https:", 1)
		}
		listen = append(listen, peers[i].URL)
	}
	if relayed {
		startRelay(b, peers, flags)
	}
	var servers []*etcdtest.Server
	for i, p := range peers {
		servers = append(servers, etcdtest.Launch(b, "3.6", b.TempDir(), append(flags, "--name", p.Name, "--listen-peer-urls", listen[i],
			"--initial-advertise-peer-urls", p.URL, "--initial-cluster", etcdtest.InitialCluster(peers))...))
	}
	for _, s := range servers {
		if err := s.WaitHealthy(); err != nil {
			b.Fatalf("%v\n%s", err, s.Log())
		}
	}
	p := &putter{client: leaderOf(b, servers)}
	for range 50 { // until all is warm
		p.put(b)
	}
	return p
}

// leaderOf returns a client of the member that leads.
func leaderOf(b *testing.B, servers []*etcdtest.Server) *clientv3.Client {
	b.Helper()
	for _, s := range servers {
		c, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Endpoint}})
		if err != nil {
			b.Fatal(err)
		}
		status, err := c.Status(context.Background(), s.Endpoint)
		if err != nil {
			b.Fatal(err)
		}
		if status.Leader == status.Header.MemberId {
			b.Cleanup(func() { _ = c.Close() })
			return c
		}
		_ = c.Close()
	}
	b.Fatal("nobody leads")
	return nil
}

// startRelay has the members reached through a relay that records, and changes their URLs. The flags are about TLS.
func startRelay(b *testing.B, peers []etcdtest.Peer, flags []string) {
	b.Helper()
	args := append([]string{"message", "record", "-o", filepath.Join(b.TempDir(), "talk")}, flags...)
	for i := range peers {
		at := etcdtest.FreeAddr(b)
		scheme, to, _ := strings.Cut(peers[i].URL, "://")
		args = append(args, "--listen", at, "--to", to)
		peers[i].URL = scheme + "://" + at
	}
	cmd := exec.Command(built(b, "raftctl"), args...)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // unless it has ended, which the next line tells
		if err := cmd.Wait(); err != nil {
			b.Errorf("relay: %v", err)
		}
	})
	for range 1000 {
		_, at, _ := strings.Cut(peers[len(peers)-1].URL, "://")
		c, err := net.Dial("tcp", at)
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("the relay doesn't listen")
}

func (p *putter) put(b *testing.B) {
	b.Helper()
	begin := time.Now()
	if _, err := p.client.Put(context.Background(), fmt.Sprint("key", len(p.took)), strings.Repeat("v", 256)); err != nil {
		b.Fatal(err)
	}
	p.took = append(p.took, time.Since(begin))
}

// report tells the median in place of the mean.
func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "ns/op")
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
}
