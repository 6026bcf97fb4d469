package wal

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

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

// lengthOf returns the header of the frame that has n frames behind it.
func lengthOf(b []byte, n int) []byte { return nthFromEnd(b, n)[:frameHeaderSize] }

// rechained returns a segment with other metadata, and with the chain that goes with it.
func rechained(t *testing.T, b, metadata []byte) []byte {
	t.Helper()
	offs := frameOffsets(b)
	out, sum := make([]byte, 0, len(b)), uint32(0)
	for _, off := range offs[:len(offs)-1] {
		f, ok := parseFrame(b[off:], int64(off), int64(len(b)), false)
		if !ok {
			t.Fatalf("no frame at %d", off)
		}
		data := b[f.dataOff : f.dataOff+f.dataLen]
		if f.kind == KindMetadata {
			data = metadata
		}
		sum = updateCRC(sum, data)
		out = appendFrame(out, f.kind, sum, data)
	}
	return append(out, make([]byte, 1024)...)
}

// appendPut adds an entry that puts a value of size bytes behind the last one.
func appendPut(t *testing.T, b []byte, id raftpb.EntryID, size int) []byte {
	put := protowire.AppendTag(nil, 1, protowire.BytesType)
	put = protowire.AppendString(put, "large")
	put = protowire.AppendBytes(protowire.AppendTag(put, 2, protowire.BytesType),
		bytes.Repeat([]byte("x"), size))
	data := protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), put)
	header := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 7)
	data = protowire.AppendBytes(protowire.AppendTag(data, 100, protowire.BytesType), header)
	e := raftpb.Entry{Term: id.Term, Index: id.Index + 1, Data: data}
	appendRecord(t, b, KindEntry, e.Marshal(raftpb.FlavorGogo))
	return b
}

// TestRealEtcdDoesAsForetold damages the log of a real member and starts real etcds of all groups of
// releases on it. Each must do what Verify says: start, or refuse with these words.
func TestRealEtcdDoesAsForetold(t *testing.T) {
	tests := map[string]struct {
		corrupt func(t *testing.T, b []byte, last raftpb.EntryID) []byte
		action  Action
		but     map[string]Action // releases that do something else
	}{
		"nothing": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte { return b },
			ActionBoots, nil},
		"last record cut": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			return b[:endOf(b)-20]
		}, ActionDropsEnd, map[string]Action{"3.5.6": ActionRefuses}},
		"last record cut by less than a header": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			return b[:endOf(b)-4]
		}, ActionDropsEnd, nil}, // 3.5.5 computes that the record still fits
		"a length is zero": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			clear(lengthOf(b, 6))
			return b
		}, ActionDropsEnd, nil},
		"a length exceeds the file": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			lengthOf(b, 6)[3] |= 0x20
			return b
		}, ActionDropsEnd, map[string]Action{
			"3.4": ActionRefuses, "3.5.4": ActionRefuses, "3.5.6": ActionRefuses}},
		"a length exceeds all memory": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			lengthOf(b, 6)[6] = 2
			return b
		}, ActionDropsEnd, map[string]Action{"3.4.9": ActionRefuses,
			"3.4": ActionRefuses, "3.5.4": ActionRefuses, "3.5.6": ActionRefuses}},
		"a record of 11 MiB": {func(t *testing.T, b []byte, last raftpb.EntryID) []byte {
			return appendPut(t, b, last, 11<<20)
		}, ActionBoots, map[string]Action{"3.4": ActionRefuses, "3.5.4": ActionRefuses}},
		"a value changes": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			nthFromEnd(b, 6)[24] ^= 0x40
			return b
		}, ActionRefuses, nil},
		"an unknown type": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			nthFromEnd(b, 6)[9] = 9
			return b
		}, ActionRefuses, nil},
		"a record's tag changes": {func(_ *testing.T, b []byte, _ raftpb.EntryID) []byte {
			nthFromEnd(b, 6)[10] = 0xff
			return b
		}, ActionRefuses, nil},
		"commit beyond the last entry": {func(t *testing.T, b []byte, _ raftpb.EntryID) []byte {
			st := raftpb.HardState{Term: 50, Vote: 1, Commit: 1 << 20}
			appendRecord(t, b, KindState, st.Marshal(raftpb.FlavorGogo))
			return b
		}, ActionRefuses, nil},
		"metadata of another system": {func(t *testing.T, b []byte, _ raftpb.EntryID) []byte {
			return rechained(t, b, []byte("\x0a\x05swarm"))
		}, ActionRefuses, nil},
		"an entry is missing": {func(t *testing.T, b []byte, _ raftpb.EntryID) []byte {
			e := raftpb.Entry{Term: 50, Index: 1 << 20}
			appendRecord(t, b, KindEntry, e.Marshal(raftpb.FlavorGogo))
			return b
		}, ActionRefuses, nil},
	}
	for name, tt := range tests {
		for _, release := range etcdtest.Releases {
			t.Run(name+"/"+release, func(t *testing.T) {
				t.Parallel()
				dir := corpus.Copy(t, "chain-1n-after"+release[:1]+release[2:3])
				file := filepath.Join(dir, "member", "wal", SegmentName{}.String())
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				b = tt.corrupt(t, b, verifyMember(t, dir).Last)
				if err := os.WriteFile(file, b, 0o600); err != nil {
					t.Fatal(err)
				}
				o := verifyMember(t, dir).Outlook(release)
				want := tt.action
				if a, ok := tt.but[release]; ok {
					want = a
				}
				if o.Action != want {
					t.Fatalf("outlook %v, want %q", o, want)
				}
				compareServer(t, release, dir, o)
			})
		}
	}
}

func verifyMember(t *testing.T, dir string) *Report {
	t.Helper()
	l := openCorpus(t, dir)
	r, err := l.Verify(t.Context(), VerifyOptions{Snapshots: snapFiles(t, l)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// compareServer starts a real etcd and compares what it does with the outlook.
func compareServer(t *testing.T, release, dir string, o *Outlook) {
	t.Helper()
	s, err := etcdtest.TryStart(t, release, dir, etcdtest.Quick...)
	if boots := err == nil; boots == (o.Action == ActionRefuses) {
		t.Fatalf("%v; etcd: %v\n%s", o, err, s.Log())
	}
	log := strings.ReplaceAll(s.Log(), "\u00a0", " ")
	for _, words := range []string{o.Log, o.Error} {
		quoted, err := json.Marshal(words)
		if err != nil {
			t.Fatal(err)
		}
		quotedWords := strings.TrimSuffix(strings.Trim(string(quoted), `"`), "(an address)")
		plain := strings.TrimSuffix(words, "(an address)") // what the runtime or 3.4 prints
		if !strings.Contains(log, quotedWords) && !strings.Contains(log, plain) {
			t.Errorf("etcd doesn't say %q:\n%s", words, log)
		}
	}
}
