package database

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/dbtest"
)

// busy makes a database of some hundred changes of some dozen keys.
func busy(tb testing.TB, seed uint64) *DB {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "db")
	s := dbtest.New(tb, path)
	rng := rand.New(rand.NewPCG(seed, 1))
	key := func() string { return fmt.Sprintf("k%02d", rng.IntN(40)) }
	s.Grant(7, 100)
	for range 300 {
		switch rng.IntN(10) {
		case 0:
			s.Delete(key(), "")
		case 1:
			s.Delete(key(), "k99")
		case 2:
			k := key()
			s.Txn(func(put func(k, v string), del func(k string)) {
				put(k, "in a txn")
				put("x"+k, "too")
			})
		default:
			s.Put(key(), fmt.Sprint(rng.Uint64()), int64(rng.IntN(2)*7))
		}
	}
	s.Compact(s.Put("last", "one", 0) / 3)
	s.Close()
	db, err := Open(tb.Context(), os.DirFS(filepath.Dir(path)), "db", Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// Keys that are followed in parts, for want of room, come out as if there were room for all.
func TestHistoryInParts(t *testing.T) {
	follow := func(db *DB, limit int) *history {
		h := newHistory(0)
		h.table.limit = limit
		if err := db.follow(t.Context(), h, nil); err != nil {
			t.Fatal(err)
		}
		return h
	}
	for seed := range uint64(20) {
		db := busy(t, seed)
		whole, parts := follow(db, tableBytes), follow(db, 5)
		if parts.table.parts < 4 {
			t.Fatalf("%d parts, want several", parts.table.parts)
		}
		if parts.live != whole.live || parts.leased != whole.leased {
			t.Errorf("seed %d: %d keys, %d leased, want %d and %d", seed, parts.live, parts.leased, whole.live, whole.leased)
		}
		for i := range int64(len(whole.kept) * 64) {
			if parts.kept.has(i) != whole.kept.has(i) {
				t.Errorf("seed %d: change %d: kept %v, want %v", seed, i, parts.kept.has(i), whole.kept.has(i))
			}
		}
	}
}

// The findings about a history that is checked in parts are those about the whole, once each.
func TestCheckInParts(t *testing.T) {
	check := func(db *DB, limit int) ([]Finding, *historyCheck) {
		found := newFindings()
		h := newHistoryCheck(found, &Meta{}) // as if nothing was compacted: much is missing then
		h.table.limit = limit
		v := verification{db: db, ctx: t.Context(), o: &VerifyOptions{}, isEtcd: true, found: found}
		err := v.checkPages(h)
		if err == nil {
			err = h.finish(t.Context(), db)
		}
		if err != nil {
			t.Fatal(err)
		}
		list, _ := found.sorted()
		return list, h
	}
	for seed := range uint64(20) {
		db := busy(t, seed)
		want, whole := check(db, tableBytes)
		got, parts := check(db, 5)
		if len(want) < 3 || parts.table.parts < 4 {
			t.Fatalf("%d findings in %d parts, want more", len(want), parts.table.parts)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: (-whole +parts):\n%s", seed, diff)
		}
		if diff := cmp.Diff(whole.leases, parts.leases); diff != "" || whole.live != parts.live {
			t.Errorf("seed %d: %d keys, want %d; leases (-whole +parts):\n%s", seed, parts.live, whole.live, diff)
		}
	}
}

// Keys that are sorted in runs come out as if there were room for all.
func TestSortInRuns(t *testing.T) {
	for seed := range uint64(20) {
		db := busy(t, seed)
		sorted := func(limit int) (list []string, runs int) {
			s := newSorter()
			defer s.close()
			s.limit = limit
			for c, err := range db.records(t.Context(), Revision{}, nil) {
				if err == nil {
					err = s.add(c)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			db.fetch(t.Context(), s, &Query{}, func(kv *KeyValue, err error) bool {
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, fmt.Sprintf("%+v", *kv))
				return true
			})
			return list, len(s.runs) - 1
		}
		want, _ := sorted(sortLimit)
		got, runs := sorted(1000)
		if runs < 3 {
			t.Fatalf("%d runs, want several", runs)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: (-whole +runs):\n%s", seed, diff)
		}
	}
}

func TestJoinCRC(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{2})
	for _, size := range []int{0, 1, 7, 1024, lowPowers - 1, lowPowers, lowPowers + 1, 3*lowPowers + 5, 20 << 20} {
		data := make([]byte, 100+size)
		_, _ = rng.Read(data) // never fails
		a, b := data[:100], data[100:]
		got := joinCRC(crc32.Checksum(a, castagnoli), crc32.Checksum(b, castagnoli), int64(size))
		if want := crc32.Checksum(data, castagnoli); got != want {
			t.Errorf("%d bytes: got %08x, want %08x", size, got, want)
		}
	}
	zeros := bytes.Repeat([]byte{0}, 1<<27) // all rows of the table
	if got, want := joinCRC(7, 0, 1<<27)^7, crc32.Update(7, castagnoli, zeros)^crc32.Checksum(zeros, castagnoli)^7; got != want {
		t.Errorf("%d zeros: got %08x, want %08x", len(zeros), got, want)
	}
}
