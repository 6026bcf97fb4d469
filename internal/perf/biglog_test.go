package perf

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// logBytes returns how large the logs are: 64 MiB, or what RAFTCTL_BENCH_BYTES says.
func logBytes(tb testing.TB) int64 {
	tb.Helper()
	text := os.Getenv("RAFTCTL_BENCH_BYTES")
	if text == "" {
		return 64 << 20
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		tb.Fatalf("RAFTCTL_BENCH_BYTES: %v", err)
	}
	return n
}

// bigLog is a data directory with a log of puts.
type bigLog struct {
	dir   string // holds member/wal
	files []string
	size  int64
}

// bigMember and bigCluster are the IDs of the member whose log it is.
const bigMember, bigCluster = 0x8e9e05c52164694d, 0xcdf818194e3a8c32

// newBigLog returns the log of a member of its own, of puts with values of a size, as our writer writes it. It
// is made once and kept in build/bench.
func newBigLog(tb testing.TB, valueSize int) bigLog {
	tb.Helper()
	want := logBytes(tb)
	l := bigLog{dir: filepath.Join(buildDir(), "bench", fmt.Sprintf("member-%d-%d", valueSize, want))}
	if _, err := os.Stat(l.dir); err != nil {
		l.make(tb, valueSize, want)
	}
	files, err := filepath.Glob(filepath.Join(l.dir, "member", "wal", "*.wal"))
	if err != nil {
		tb.Fatal(err)
	}
	l.files = files
	for _, name := range files {
		fi, err := os.Stat(name)
		if err != nil {
			tb.Fatal(err)
		}
		l.size += fi.Size()
	}
	return l
}

// warm reads the log, so that whoever is measured finds it in the page cache.
func (l *bigLog) warm(b *testing.B) { crcRead(b, l.files) }

func (l *bigLog) make(tb testing.TB, valueSize int, want int64) {
	tb.Helper()
	tmp := l.dir + ".part"
	member := filepath.Join(tmp, "member")
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	check(os.RemoveAll(tmp))
	check(os.MkdirAll(filepath.Join(member, "snap"), 0o700))
	w, err := wal.Create(vfs.OS, filepath.Join(member, "wal"), wal.CreateOptions{
		Metadata:      wal.Metadata{NodeID: bigMember, ClusterID: bigCluster},
		WriterOptions: wal.WriterOptions{NoSync: true},
	})
	check(err)
	const batch = 64
	entries := make([]raftpb.Entry, batch)
	first := bigMemberAdded()
	check(w.Append(raftpb.HardState{Term: 2, Vote: bigMember, Commit: first.Index}, []raftpb.Entry{first}))
	for index := first.Index + 1; want > 0; {
		for i := range entries {
			entries[i] = raftpb.Entry{Term: 2, Index: index, Data: put(tb, index, valueSize)}
			want -= int64(len(entries[i].Data)) + 48
			index++
		}
		state := raftpb.HardState{Term: 2, Vote: bigMember, Commit: index - 1}
		check(w.Append(state, entries))
	}
	check(w.Close())
	check(os.Rename(tmp, l.dir))
}

// bigMemberAdded returns the entry that such a log begins with.
func bigMemberAdded() raftpb.Entry {
	cc := raftpb.ConfChange{NodeID: bigMember, Context: fmt.Appendf(nil,
		`{"id":%d,"peerURLs":["http://localhost:2380"],"name":"default"}`, uint64(bigMember))}
	return raftpb.Entry{Type: raftpb.EntryConfChange, Term: 1, Index: 1, Data: cc.Marshal(raftpb.FlavorGogo)}
}

// put returns the request that etcd's client makes of a put of printable text.
func put(tb testing.TB, n uint64, valueSize int) []byte {
	const text = `{"kind":"Pod","namespace":"default","labels":{"app":"web"},"phase":"Running"} `
	value := make([]byte, 0, valueSize+len(text))
	for len(value) < valueSize {
		value = append(value, text...)
	}
	data, err := proto.Marshal(&pb.InternalRaftRequest{
		Header: &pb.RequestHeader{ID: 0x694d_0000_0000_0000 + n},
		Put: &pb.PutRequest{
			Key:   fmt.Appendf(nil, "/registry/pods/default/web-%08d", n%100_000),
			Value: value[:valueSize],
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// buildDir returns the folder that the Makefile builds into.
func buildDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "build")
}
