package kv_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// IDs of the member whose log is replayed.
const benchMember, benchCluster = 0x8e9e05c52164694d, 0xcdf818194e3a8c32

// BenchmarkReplay replays a log that no snapshot covers into an empty database, as a process, beside real
// etcds that boot on it: from their start until they serve. It reports the most memory that each took.
func BenchmarkReplay(b *testing.B) {
	sizes := []int{20_000}
	if os.Getenv("RAFTCTL_BENCH_BYTES") != "" {
		sizes = []int{250_000, 1_000_000}
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("entries=%d/value=256B", n), func(b *testing.B) {
			log := benchLog(b, n)
			b.Run("impl=ours", func(b *testing.B) {
				bench(b, n, func(dir string) int { return benchOurs(b, log, dir) })
			})
			for _, version := range []string{"3.6", "3.7"} {
				b.Run("impl=etcd-"+version, func(b *testing.B) {
					bench(b, n, func(dir string) int { return benchBoot(b, version, log, dir) })
				})
			}
		})
	}
}

// bench measures do, which works in a folder of its own and returns how many KiB it took.
func bench(b *testing.B, n int, do func(dir string) (peak int)) {
	peak := 0
	for b.Loop() {
		peak = max(peak, do(b.TempDir()))
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}

func benchOurs(b *testing.B, log, dir string) (peak int) {
	b.Helper()
	out, err := process(b, "bench", log, dir).Output()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if peak, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil {
		b.Fatal(err)
	}
	return peak
}

func benchBoot(b *testing.B, version, log, dir string) (peak int) {
	b.Helper()
	b.StopTimer() // it writes into the log, and gets a copy
	if err := os.CopyFS(dir, os.DirFS(log)); err != nil {
		b.Fatal(err)
	}
	b.StartTimer()
	s := etcdtest.StartWithin(b, 10*time.Minute, version, dir,
		append([]string{"--unsafe-no-fsync"}, etcdtest.Quick...)...)
	b.StopTimer()
	peak = s.PeakKiB()
	s.Kill()
	b.StartTimer()
	return peak
}

// benchProcess replays a log, a few entries at a time, and says how many KiB it took at most.
func benchProcess(args []string) error {
	log, err := wal.Open(os.DirFS(args[0]), ".")
	if err != nil {
		return err
	}
	view, err := log.View(context.Background())
	if err != nil {
		return err
	}
	s, err := kv.Open(args[1], kv.Options{Member: benchMember, Cluster: benchCluster, NoSync: true, WaitCompaction: true})
	if err != nil {
		return err
	}
	var some []raftpb.Entry
	for e, err := range view.Replay(1, view.State.Commit) {
		if err != nil {
			return err
		}
		kept := *e.Entry
		kept.Data = slices.Clone(kept.Data)
		if some = append(some, kept); len(some) < 64 && kept.Index < view.State.Commit {
			continue
		}
		if _, err := s.Apply(some); err != nil {
			return err
		}
		some = some[:0]
	}
	if err := s.Close(); err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	peak := 0
	_, err = fmt.Sscan(after, &peak)
	fmt.Println(peak)
	return err
}

// benchLog returns a data directory with a log of so many puts to 100,000 keys. It is made once, and kept
// in build/bench.
func benchLog(b *testing.B, n int) (dir string) {
	b.Helper()
	_, file, _, _ := runtime.Caller(0)
	dir = filepath.Join(filepath.Dir(file), "..", "..", "build", "bench", fmt.Sprintf("replay-256-%d", n))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tmp := dir + ".part"
	check(b, os.RemoveAll(tmp))
	check(b, os.MkdirAll(filepath.Join(tmp, "member", "snap"), 0o700))
	w, err := wal.Create(vfs.OS, filepath.Join(tmp, "member", "wal"), wal.CreateOptions{
		Metadata:      wal.Metadata{NodeID: benchMember, ClusterID: benchCluster},
		WriterOptions: wal.WriterOptions{NoSync: true},
	})
	check(b, err)
	entries := make([]raftpb.Entry, n)
	entries[0] = change(1, raftpb.ConfChange{NodeID: benchMember, Context: fmt.Appendf(nil,
		`{"id":%d,"peerURLs":["http://localhost:2380"],"name":"default"}`, uint64(benchMember))})
	for i := 1; i < n; i++ {
		entries[i] = raftpb.Entry{Term: 2, Index: uint64(i) + 1, Data: benchPut(b, i)}
	}
	for some := range slices.Chunk(entries, 64) {
		state := raftpb.HardState{Term: 2, Vote: benchMember, Commit: some[len(some)-1].Index}
		check(b, w.Append(state, some))
	}
	check(b, w.Close())
	check(b, os.Rename(tmp, dir))
	return dir
}

func benchPut(b *testing.B, i int) []byte {
	data, err := proto.Marshal(&etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: benchMember&0xffff<<48 + uint64(i)},
		Put: &etcdserverpb.PutRequest{
			Key:   fmt.Appendf(nil, "/registry/pods/default/web-%08d", uint64(i)*0x9e3779b1%100_000),
			Value: []byte(strings.Repeat("value of a put. ", 16)),
		},
	})
	check(b, err)
	return data
}
