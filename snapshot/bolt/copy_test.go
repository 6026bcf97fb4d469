package bolt_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// liveCopy copies the database at a path as Copy does.
func liveCopy(ctx context.Context, tb testing.TB, path string) ([]byte, error) {
	tb.Helper()
	src, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(filepath.Join(tb.TempDir(), "copy"))
	if err != nil {
		tb.Fatal(err)
	}
	defer dst.Close()
	size, err := bolt.Copy(ctx, src, func() (int64, error) {
		info, err := src.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}, dst, bolt.CopyOptions{})
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(dst.Name())
	if err != nil {
		tb.Fatal(err)
	}
	if int64(len(b)) != size {
		tb.Fatalf("a copy of %d bytes, said to have %d", len(b), size)
	}
	return b, nil
}

// items returns all that a database holds.
func items(b []byte) (all map[string]string, err error) {
	db, err := bolt.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	all = map[string]string{}
	for bucket, err := range db.Buckets() {
		if err != nil {
			return nil, err
		}
		for item, err := range bucket.All(nil) {
			if err != nil {
				return nil, fmt.Errorf("bucket %s: %w", bucket.Name, err)
			}
			all[bucket.Name+"/"+string(item.Key)] = string(item.Value)
		}
	}
	return all, nil
}

// The copy of a database that nobody writes to holds the same, and real bbolt finds nothing wrong with
// it.
func TestCopyAtRest(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		path := filepath.Join(log.Dir, "member", "snap", "db")
		got, err := liveCopy(t.Context(), t, path)
		if err != nil {
			t.Errorf("%s: %v", log.Name, err)
			continue
		}
		original, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := items(original)
		if err != nil {
			t.Fatal(err)
		}
		checkCopy(t, got, want)
	}
}

func checkCopy(t *testing.T, b []byte, want map[string]string) {
	t.Helper()
	got, err := items(b)
	if err != nil {
		t.Error(err)
		return
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%q: got %.40q, want %.40q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d items, want %d", len(got), len(want))
	}
	checkByBbolt(t, b)
}

func checkByBbolt(t *testing.T, b []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "checked")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o400, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("bbolt: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// hectic writes to a database without pause: each transaction changes some values and, with them, the
// sum that it keeps of all.
type hectic struct {
	db    *bbolt.DB
	pause time.Duration
	stop  atomic.Bool
	done  chan error
	txs   atomic.Int64
}

const hecticKeys = 4000

func startHectic(tb testing.TB, path string, o bbolt.Options, pause time.Duration) *hectic {
	tb.Helper()
	o.NoSync, o.NoGrowSync = true, true
	db, err := bbolt.Open(path, 0o600, &o)
	if err != nil {
		tb.Fatal(err)
	}
	h := &hectic{db: db, pause: pause, done: make(chan error, 1)}
	if err := db.Update(func(tx *bbolt.Tx) error { return h.change(tx, 0, hecticKeys) }); err != nil {
		tb.Fatal(err)
	}
	go h.run()
	return h
}

func (h *hectic) run() {
	rng := rand.New(rand.NewPCG(1, 2))
	for !h.stop.Load() {
		err := h.db.Update(func(tx *bbolt.Tx) error {
			for range 1 + rng.IntN(20) {
				if err := h.change(tx, rng.IntN(hecticKeys), 1); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			h.done <- err
			return
		}
		h.txs.Add(1)
		time.Sleep(time.Duration(rng.Int64N(int64(h.pause) + 1)))
	}
	h.done <- h.db.Close()
}

// change changes n values from one on, and the sum.
func (h *hectic) change(tx *bbolt.Tx, from, n int) error {
	keys, err := tx.CreateBucketIfNotExists([]byte("key"))
	if err != nil {
		return err
	}
	meta, err := tx.CreateBucketIfNotExists([]byte("meta"))
	if err != nil {
		return err
	}
	sum := number(meta.Get([]byte("sum")))
	for i := from; i < from+n; i++ {
		key := binary.BigEndian.AppendUint32(nil, uint32(i))
		sum -= number(keys.Get(key))
		value := rand.Uint64()
		sum += value
		// Of many sizes, so that pages are split, merged, and run over.
		b := append(binary.BigEndian.AppendUint64(nil, value), make([]byte, value%700)...)
		if value%500 == 0 {
			b = append(b, make([]byte, 20_000)...)
		}
		if err := keys.Put(key, b); err != nil {
			return err
		}
	}
	return meta.Put([]byte("sum"), binary.BigEndian.AppendUint64(nil, sum))
}

func number(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// A copy that was taken under writes is whole, and of one moment, or there is none.
func TestCopyUnderWrites(t *testing.T) {
	for name, tc := range map[string]struct {
		options bbolt.Options
		pause   time.Duration
		some    bool // copies are to be had
	}{
		"no pause":     {bbolt.Options{NoFreelistSync: true}, 0, false},
		"short pauses": {bbolt.Options{NoFreelistSync: true}, 3 * time.Millisecond, true},
		"long pauses":  {bbolt.Options{NoFreelistSync: true}, 40 * time.Millisecond, true},
		"freelist":     {bbolt.Options{}, 10 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "db")
			h := startHectic(t, path, tc.options, tc.pause)
			copies, before := 0, h.txs.Load()
			for range 20 {
				b, err := liveCopy(t.Context(), t, path)
				if errors.Is(err, bolt.ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					break
				}
				copies++
				checkSum(t, b)
			}
			txs := h.txs.Load() - before
			h.stop.Store(true)
			if err := <-h.done; err != nil {
				t.Error(err)
			}
			t.Logf("%d copies during %d transactions", copies, txs)
			if tc.some && copies == 0 {
				t.Error("no copy at all")
			}
		})
	}
}

func checkSum(t *testing.T, b []byte) {
	t.Helper()
	all, err := items(b)
	if err != nil {
		t.Error(err)
		return
	}
	sum, n := uint64(0), 0
	for k, v := range all {
		if k[:4] == "key/" {
			sum += number([]byte(v))
			n++
		}
	}
	if want := number([]byte(all["meta/sum"])); n != hecticKeys || sum != want {
		t.Errorf("%d values with sum %x, want %d with %x", n, sum, hecticKeys, want)
	}
	checkByBbolt(t, b)
}

// A database that a real etcd writes to is copied again and again; the etcd keeps its lock, and the file
// stays its own.
func TestCopyUnderRealEtcd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := etcdtest.Start(t, "3.7", dir, etcdtest.Quick...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 4)
	for w := range cap(done) {
		go func() { done <- writeTo(ctx, s.Endpoint, w) }()
	}
	path := filepath.Join(dir, "member", "snap", "db")
	for info, err := os.Stat(path); err != nil || info.Size() < 32<<20; info, err = os.Stat(path) {
		select {
		case <-t.Context().Done():
			t.Fatal("nothing is written")
		case <-time.After(50 * time.Millisecond):
		}
	}
	lastRev := ""
	for range 15 {
		b, err := liveCopy(t.Context(), t, path)
		if err != nil {
			t.Error(err)
			break
		}
		checkByBbolt(t, b)
		all, err := items(b)
		if err != nil {
			t.Error(err)
			break
		}
		lastRev = checkMoment(t, all, lastRev)
	}
	cancel()
	for range cap(done) {
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	s.Ctl("put", "still", "alive")
	s.Stop()
}

// writeTo puts keys through etcd's gateway, until ctx is done.
func writeTo(ctx context.Context, endpoint string, worker int) error {
	for i := 0; ; i++ {
		body := fmt.Sprintf(`{"key":"%s","value":"%s"}`,
			b64(fmt.Sprintf("key-%d-%d", worker, i%200)), b64(string(bytes.Repeat([]byte{'v'}, i%8000))))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint+"/v3/kv/put", bytes.NewBufferString(body))
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body) // what counts is the status
		if err := resp.Body.Close(); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// checkMoment checks that what the copy has was there at one moment: every put was one entry of the log
// and one revision, so that consistent index and last revision go together, and no revision is left out.
func checkMoment(t *testing.T, all map[string]string, before string) string {
	t.Helper()
	last, n := "", 0
	for k := range all {
		if rev, ok := bytes.CutPrefix([]byte(k), []byte("key/")); ok {
			last, n = max(last, string(rev)), n+1
		}
	}
	if last < before {
		t.Errorf("revision %x, but an earlier copy has %x", last, before)
	}
	rev, index := 1, number([]byte(all["meta/consistent_index"]))
	if last != "" {
		rev = int(number([]byte(last)))
	}
	if n != rev-1 { // the first put makes revision 2
		t.Errorf("%d records up to revision %d, want %d", n, rev, rev-1)
	}
	const others = 4 // entries that are no put: of a new leader, of the member, of the version
	if diff := int(index) - rev; diff < 0 || diff > others {
		t.Errorf("consistent index %d with revision %d", index, rev)
	}
	return last
}
