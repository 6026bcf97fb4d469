package wal

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	etcdpb "go.etcd.io/raft/v3/raftpb"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// benchWriter is one way of making a batch durable.
type benchWriter interface {
	append() error
	Close() error
}

// benchBatch is what every caller appends: the same entries again and again, each time overwritten,
// so that callers needn't agree on an order.
func benchBatch(entries, size int) []raftpb.Entry {
	batch := make([]raftpb.Entry, entries)
	for i := range batch {
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(i*31 + j*7 + 1)
		}
		batch[i] = raftpb.Entry{Term: 3, Index: uint64(i + 1), Data: data}
	}
	return batch
}

var benchWriters = []struct {
	impl string
	open func(b *testing.B, dir string, batch []raftpb.Entry) benchWriter
}{
	{"ours", openOurs},
	{"etcd", openEtcd},
	{"bare", openBare},
}

type oursBench struct {
	*Writer
	batch []raftpb.Entry
}

func openOurs(b *testing.B, dir string, batch []raftpb.Entry) benchWriter {
	return oursBench{mustCreate(b, dir, WriterOptions{Flavor: raftpb.FlavorPbgo}), batch}
}

func (w oursBench) append() error { return w.Append(raftpb.HardState{}, w.batch) }

// etcdBench is etcd's package; concurrent callers take turns.
type etcdBench struct {
	etcdWriter
	batch []*etcdpb.Entry
	state etcdpb.HardState
	mu    sync.Mutex
}

func openEtcd(b *testing.B, dir string, batch []raftpb.Entry) benchWriter {
	w := &etcdBench{etcdWriter: mustCreateEtcd(b, dir, raftpb.FlavorPbgo)}
	for _, e := range batch {
		w.batch = append(w.batch, &etcdpb.Entry{Term: &e.Term, Index: &e.Index, Data: e.Data})
	}
	return w
}

func (w *etcdBench) append() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Save(&w.state, w.batch)
}

// bareBench writes the bytes of a batch and syncs them, and does nothing else. Files are
// preallocated and of the size of a segment.
type bareBench struct {
	dir   string
	file  vfs.File
	bytes []byte
	off   int64
	mu    sync.Mutex
}

func openBare(b *testing.B, dir string, batch []raftpb.Entry) benchWriter {
	w := &bareBench{dir: dir}
	var out batchOf
	e := encoder{flavor: raftpb.FlavorPbgo, limit: SegmentSize}
	e.save(&out.batch, raftpb.HardState{}, batch, true)
	w.bytes = out.buf
	if err := os.Mkdir(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	if err := w.next(); err != nil {
		b.Fatal(err)
	}
	return w
}

// batchOf keeps vet from taking a batch for one that is copied.
type batchOf struct{ batch }

func (w *bareBench) next() (err error) {
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			return err
		}
	}
	w.off = 0
	const flag = os.O_RDWR | os.O_CREATE | os.O_TRUNC
	if w.file, err = vfs.OS.OpenFile(filepath.Join(w.dir, "bare"), flag, 0o600); err != nil {
		return err
	}
	return w.file.Allocate(SegmentSize)
}

func (w *bareBench) append() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.off+int64(len(w.bytes)) > SegmentSize {
		if err := w.next(); err != nil {
			return err
		}
	}
	if _, err := w.file.WriteAt(w.bytes, w.off); err != nil {
		return err
	}
	w.off += int64(len(w.bytes))
	return w.file.Sync()
}

func (w *bareBench) Close() error { return w.file.Close() }

// BenchmarkAppend measures one caller. The implementations take turns, append by append, so that
// whatever else the machine does hits all alike: the first of a case's benchmarks measures all
// three.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{128, 1024} {
		for _, entries := range []int{1, 10, 100} {
			r := appendRace{batch: benchBatch(entries, size), callers: 1, turn: 1}
			r.bench(b, fmt.Sprintf("size=%d/entries=%d", size, entries))
		}
	}
}

// BenchmarkAppendConcurrent measures callers that append an entry each, at the same time. Time is
// per append, of whichever caller. The implementations take turns of 16 appends a caller.
func BenchmarkAppendConcurrent(b *testing.B) {
	for _, size := range []int{128, 1024} {
		for _, callers := range []int{1, 8, 64} {
			r := appendRace{batch: benchBatch(1, size), callers: callers, turn: 16}
			r.bench(b, fmt.Sprintf("size=%d/callers=%d", size, callers))
		}
	}
}

// appendRace measures all implementations in turn.
type appendRace struct {
	batch   []raftpb.Entry
	callers int
	turn    int                // appends of each caller in a turn
	took    [3][]time.Duration // per append, by implementation
}

func (r *appendRace) bench(b *testing.B, name string) {
	for i, w := range benchWriters {
		b.Run(name+"/impl="+w.impl, func(b *testing.B) {
			if i == 0 || r.took[i] == nil {
				r.run(b)
			}
			reportTimes(b, r.took[i])
		})
	}
}

func (r *appendRace) run(b *testing.B) {
	var logs []benchWriter
	for i, w := range benchWriters {
		r.took[i] = nil
		logs = append(logs, w.open(b, filepath.Join(b.TempDir(), "wal"), r.batch))
	}
	for b.Loop() {
		for i, log := range logs {
			start := time.Now()
			if err := r.takeTurn(log); err != nil {
				b.Fatal(err)
			}
			r.took[i] = append(r.took[i], time.Since(start)/time.Duration(r.callers*r.turn))
		}
	}
	for _, log := range logs {
		if err := log.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func (r *appendRace) takeTurn(log benchWriter) error {
	if r.callers == 1 {
		return r.call(log)
	}
	errs := make([]error, r.callers)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = r.call(log) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r *appendRace) call(log benchWriter) error {
	for range r.turn {
		if err := log.append(); err != nil {
			return err
		}
	}
	return nil
}

// reportTimes reports the mean, the median and the 99th percentile.
func reportTimes(b *testing.B, took []time.Duration) {
	sorted := slices.Sorted(slices.Values(took))
	total := time.Duration(0)
	for _, d := range sorted {
		total += d
	}
	b.ReportMetric(float64(total)/float64(len(sorted)), "ns/op")
	b.ReportMetric(float64(sorted[len(sorted)/2]), "p50-ns/op")
	b.ReportMetric(float64(sorted[len(sorted)*99/100]), "p99-ns/op")
}

// BenchmarkEncode measures what an append costs beside the disk.
func BenchmarkEncode(b *testing.B) {
	for _, size := range []int{128, 1024} {
		b.Run(fmt.Sprintf("size=%d/entries=100", size), func(b *testing.B) {
			batch := benchBatch(100, size)
			out := new(batchOf)
			e := encoder{flavor: raftpb.FlavorPbgo, limit: SegmentSize}
			b.SetBytes(int64(100 * size))
			b.ReportAllocs()
			for b.Loop() {
				out.buf, e.flushed = out.buf[:0], flushModel{}
				e.save(&out.batch, raftpb.HardState{}, batch, true)
			}
		})
	}
}

// BenchmarkZerosAhead measures what writing zeros ahead of the records gains over space that is
// only reserved, turn by turn.
func BenchmarkZerosAhead(b *testing.B) {
	for _, size := range []int{256, 1024, 4096, 16 << 10, zeroBatch} {
		var took [2][]time.Duration
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i*7 + 1)
		}
		for i, impl := range []string{"ours", "reserved"} {
			b.Run(fmt.Sprintf("size=%d/impl=%s", size, impl), func(b *testing.B) {
				if i == 0 || took[0] == nil {
					took = raceTails(b, data)
				}
				reportTimes(b, took[i])
			})
		}
	}
}

// raceTails returns how long appending data took with zeros written ahead, and without.
func raceTails(b *testing.B, data []byte) (took [2][]time.Duration) {
	var tails [2]tail
	for b.Loop() {
		for i := range tails {
			t := &tails[i]
			if t.off+int64(len(data)) > t.allocated {
				*t = newBenchTail(b)
			}
			if i == 1 {
				t.zeroed = math.MaxInt64 // nothing left to do
			}
			start := time.Now()
			if err := errors.Join(t.write(data), t.sync()); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	return took
}

func newBenchTail(b *testing.B) tail {
	f, err := vfs.OS.OpenFile(filepath.Join(b.TempDir(), "tail"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	if err := f.Allocate(SegmentSize); err != nil {
		b.Fatal(err)
	}
	return tail{file: f, allocated: SegmentSize}
}
