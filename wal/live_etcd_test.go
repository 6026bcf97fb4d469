package wal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/wal"
)

// TestLookAtRunningEtcd looks at the logs of real etcds under writes of 60 to 200 KB, which they
// write in several pieces. None of the looks may raise an alarm; damage that is planted in an older
// segment is found all the same.
func TestLookAtRunningEtcd(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			s := etcdtest.Start(t, version, dir)
			ctx, stop := context.WithCancel(t.Context())
			var writers sync.WaitGroup
			for i := range 3 {
				writers.Go(func() { putLargeValues(ctx, t, s.Endpoint, uint64(i)) })
			}
			defer writers.Wait()
			defer stop()
			for n := 0; n < etcdtest.Looks(t, 25) || segments(t, dir) < 2; n++ {
				if r := look(t, dir); r.Verdict != wal.VerdictOK {
					t.Fatalf("look %d: verdict %s: %v", n, r.Verdict, r.Findings)
				}
				countDamage(t, dir, n)
			}
			plant(t, filepath.Join(dir, "member", "wal", wal.SegmentName{}.String()))
			r := look(t, dir)
			if r.Verdict != wal.VerdictProblem || r.Findings[0].Pos.Segment != (wal.SegmentName{}).String() {
				t.Errorf("verdict %s on planted damage: %v", r.Verdict, r.Findings)
			}
		})
	}
}

// putLargeValues puts values until ctx ends.
func putLargeValues(ctx context.Context, t *testing.T, endpoint string, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 15))
	for ctx.Err() == nil {
		value := make([]byte, 60_000+rng.IntN(140_000))
		for i := range value {
			value[i] = byte(rng.Uint32())
		}
		body := fmt.Sprintf(`{"key":"%s","value":"%s"}`,
			base64.StdEncoding.EncodeToString([]byte{'k', byte(rng.IntN(16))}),
			base64.StdEncoding.EncodeToString(value))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost,
			"http://"+endpoint+"/v3/kv/put", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := http.DefaultClient.Do(req)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			t.Error(err)
			return
		case resp.StatusCode != http.StatusOK:
			t.Errorf("put: status %s", resp.Status)
			return
		}
		_ = resp.Body.Close()
	}
}

func look(t *testing.T, dir string) *wal.Report {
	t.Helper()
	l, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Verify(t.Context(), wal.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// countDamage reads the records, as dump and stat do, and checks that they hold what they say.
func countDamage(t *testing.T, dir string, n int) {
	t.Helper()
	l, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sum, table := uint32(0), crc32.MakeTable(crc32.Castagnoli)
	for r, err := range l.Records(wal.Inspect) {
		if err != nil {
			t.Fatalf("look %d: %v", n, err)
		}
		if sum = crc32.Update(sum, table, r.Data); r.Kind == wal.KindCRC {
			sum = r.CRC
		}
		if sum != r.CRC {
			t.Fatalf("look %d: %v at %v: what it holds gives crc %08x, not %08x", n, r.Kind, r.Pos, sum, r.CRC)
		}
		if r.Kind == wal.KindDamage {
			t.Fatalf("look %d: %v", n, r.Damage)
		}
	}
}

func segments(t *testing.T, dir string) int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// plant changes a byte in the middle of a segment.
func plant(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const off = 20_000_000
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
}
