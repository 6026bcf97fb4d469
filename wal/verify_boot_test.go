package wal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
)

// appendRecord adds a record behind the last one of a segment, continuing its chain.
func appendRecord(tb testing.TB, b []byte, k Kind, data []byte) {
	tb.Helper()
	offs := frameOffsets(b)
	f, ok := parseFrame(b[offs[len(offs)-2]:], 0, int64(len(b)), false)
	if !ok {
		tb.Fatal("no last record")
	}
	copy(b[offs[len(offs)-1]:], appendFrame(nil, k, updateCRC(f.crc, data), data))
}

// nthFromEnd returns the frame that has n frames behind it.
func nthFromEnd(b []byte, n int) []byte {
	offs := frameOffsets(b)
	return b[offs[len(offs)-2-n]:]
}

// TestRealEtcdDoesAsForetold damages the log of a real member and starts real etcds on it. Each must
// do what Verify says: start, or refuse with these words.
func TestRealEtcdDoesAsForetold(t *testing.T) {
	tests := map[string]struct {
		corrupt func(t *testing.T, b []byte) []byte
		action  Action
	}{
		"nothing": {func(_ *testing.T, b []byte) []byte { return b }, ActionBoots},
		"last record cut": {func(_ *testing.T, b []byte) []byte {
			return b[:endOf(b)-4]
		}, ActionDropsEnd},
		"a length is zero": {func(_ *testing.T, b []byte) []byte {
			clear(nthFromEnd(b, 6)[:8])
			return b
		}, ActionDropsEnd},
		"a value changes": {func(_ *testing.T, b []byte) []byte {
			nthFromEnd(b, 6)[24] ^= 0x40
			return b
		}, ActionRefuses},
		"an unknown type": {func(_ *testing.T, b []byte) []byte {
			nthFromEnd(b, 6)[9] = 9
			return b
		}, ActionRefuses},
		"a record's tag changes": {func(_ *testing.T, b []byte) []byte {
			nthFromEnd(b, 6)[10] = 0xff
			return b
		}, ActionRefuses},
		"commit beyond the last entry": {func(t *testing.T, b []byte) []byte {
			st := raftpb.HardState{Term: 50, Vote: 1, Commit: 1 << 20}
			appendRecord(t, b, KindState, st.Marshal(raftpb.FlavorGogo))
			return b
		}, ActionRefuses},
		"an entry is missing": {func(t *testing.T, b []byte) []byte {
			e := raftpb.Entry{Term: 50, Index: 1 << 20}
			appendRecord(t, b, KindEntry, e.Marshal(raftpb.FlavorGogo))
			return b
		}, ActionRefuses},
	}
	for name, tt := range tests {
		for _, version := range []string{"3.6", "3.7"} {
			t.Run(name+"/"+version, func(t *testing.T) {
				t.Parallel()
				dir := corpus.Copy(t, "chain-1n-after"+strings.ReplaceAll(version, ".", ""))
				file := filepath.Join(dir, "member", "wal", SegmentName{}.String())
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, tt.corrupt(t, b), 0o600); err != nil {
					t.Fatal(err)
				}
				l := openCorpus(t, dir)
				r, err := l.Verify(t.Context(), VerifyOptions{Snapshots: snapFiles(t, l)})
				if err != nil {
					t.Fatal(err)
				}
				o := &r.Etcd
				if version == "3.6" {
					o = &r.Etcd36
				}
				if o.Action != tt.action {
					t.Fatalf("outlook %v, want %q", o, tt.action)
				}
				compareServer(t, version, dir, o)
			})
		}
	}
}

// compareServer starts a real etcd and compares what it does with the outlook.
func compareServer(t *testing.T, version, dir string, o *Outlook) {
	t.Helper()
	s, err := etcdtest.TryStart(t, version, dir)
	if boots := err == nil; boots == (o.Action == ActionRefuses) {
		t.Fatalf("%v; etcd: %v\n%s", o, err, s.Log())
	}
	log := strings.ReplaceAll(s.Log(), "\u00a0", " ")
	for _, words := range []string{o.Log, o.Error} {
		quoted, err := json.Marshal(words)
		if err != nil {
			t.Fatal(err)
		}
		words = strings.TrimSuffix(strings.Trim(string(quoted), `"`), "(an address)")
		if !strings.Contains(log, words) {
			t.Errorf("etcd doesn't say %q:\n%s", words, log)
		}
	}
}
