package snapshot_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

const snapDir = "member/snap"

// Every snapshot that real etcd wrote is intact, is the one that its name says, and holds the v2
// store as JSON.
func TestReadReal(t *testing.T) {
	files := 0
	for _, log := range corpus.Logs(t) {
		fsys := os.DirFS(log.Dir)
		ids, err := snapshot.List(fsys, snapDir)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			snap, err := snapshot.Read(fsys, snapDir, id)
			if err != nil {
				t.Errorf("%s: %v", log.Name, err)
				continue
			}
			if !json.Valid(snap.Data) || len(snap.Metadata.ConfState.Voters) == 0 {
				t.Errorf("%s: %v: %d voters, data %.40q", log.Name, id, len(snap.Metadata.ConfState.Voters), snap.Data)
			}
			files++
		}
	}
	if files < 100 {
		t.Errorf("%d snapshots read, want at least 100", files)
	}
}

func TestList(t *testing.T) {
	fsys := fstest.MapFS{
		"0000000000000002-0000000000000010.snap":        {},
		"0000000000000002-000000000000000f.snap":        {},
		"0000000000000003-0000000000000001.snap":        {},
		"0000000000000003-0000000000000001.snap.broken": {},
		"0000000000000003-000000000000000A.snap":        {},
		"000000000000003-00000000000000001.snap":        {},
		"000000000000001f.snap.db":                      {},
		"0000000000000020.snap.db":                      {},
		"db":                                            {},
	}
	got, err := snapshot.List(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []raftpb.EntryID{{Term: 3, Index: 1}, {Term: 2, Index: 16}, {Term: 2, Index: 15}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("snapshots (-want +got):\n%s", diff)
	}
	dbs, err := snapshot.ListDB(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint64{0x20, 0x1f}, dbs); diff != "" {
		t.Errorf("databases (-want +got):\n%s", diff)
	}
	if _, err := snapshot.List(fsys, "missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v, want %v", err, fs.ErrNotExist)
	}
}

func TestNames(t *testing.T) {
	id := raftpb.EntryID{Term: 0xa, Index: 1<<64 - 1}
	if got, ok := snapshot.ParseFileName(snapshot.FileName(id)); !ok || got != id {
		t.Errorf("%s: got %v, %v", snapshot.FileName(id), got, ok)
	}
	if got, ok := snapshot.ParseDBFileName(snapshot.DBFileName(17)); !ok || got != 17 {
		t.Errorf("%s: got %v, %v", snapshot.DBFileName(17), got, ok)
	}
}

// file wraps data as a .snap file with the given checksum.
func file(crc uint32, data []byte) []byte {
	b := []byte{0x08}
	for ; crc >= 0x80; crc >>= 7 {
		b = append(b, byte(crc)|0x80)
	}
	b = append(b, byte(crc), 0x12, byte(len(data)))
	return append(b, data...)
}

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func TestParseDamage(t *testing.T) {
	data := (&raftpb.Snapshot{
		Data:     []byte(`{"Root":{}}`),
		Metadata: raftpb.SnapshotMetadata{ConfState: raftpb.ConfState{Voters: []uint64{1}}, Index: 7, Term: 2},
	}).Marshal(raftpb.FlavorGogo)
	good := file(sum(data), data)
	dataOff := int64(len(good) - len(data))
	for _, tc := range []struct {
		name    string
		corrupt func([]byte) []byte
		off     int64
		is      error
	}{
		{"nothing in it", func([]byte) []byte { return nil }, 0, snapshot.ErrEmpty},
		{"no data", func([]byte) []byte { return []byte{0x08, 0x01} }, 0, snapshot.ErrEmpty},
		{"crc 0", func([]byte) []byte { return file(0, data) }, 1, snapshot.ErrEmpty},
		{"crc changed", func(b []byte) []byte { b[1] ^= 1; return b }, 1, nil},
		{"data changed", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, 1, nil},
		{"cut in the data", func(b []byte) []byte { return b[:len(b)-1] }, dataOff - 2, io.ErrUnexpectedEOF},
		{"cut in the crc", func(b []byte) []byte { return append(b, b[:2]...) }, int64(len(good)), io.ErrUnexpectedEOF},
		{"zeroed", func(b []byte) []byte { clear(b); return b }, 0, nil},
		{"crc of another type", func(b []byte) []byte { return append(b, 0x0a, 0x00) }, int64(len(good)), nil},
		{"data of another type", func(b []byte) []byte { return append(b, 0x10, 0x00) }, int64(len(good)), nil},
		{"no snapshot inside", func([]byte) []byte { return file(sum([]byte{0x0a, 0x7f}), []byte{0x0a, 0x7f}) }, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			snap, err := snapshot.Parse(tc.corrupt(bytes.Clone(good)))
			var corrupt *snapshot.CorruptError
			if !errors.As(err, &corrupt) {
				t.Fatalf("got %v, %v, want a CorruptError", snap, err)
			}
			if tc.off != 0 && corrupt.Off != tc.off {
				t.Errorf("%v: offset %d, want %d", err, corrupt.Off, tc.off)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("got %v, want %v", err, tc.is)
			}
		})
	}
}

// No proper prefix of a real file and no flipped bit passes for an intact snapshot.
func TestParseEveryPrefixAndFlip(t *testing.T) {
	good := realFile(t)
	for n := range good {
		if _, err := snapshot.Parse(good[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes pass for a snapshot", n, len(good))
		}
	}
	for off := range good {
		for bit := range 8 {
			good[off] ^= 1 << bit
			if _, err := snapshot.Parse(good); err == nil {
				t.Errorf("offset %d: bit %d flipped, and still a snapshot", off, bit)
			}
			good[off] ^= 1 << bit
		}
	}
}

func realFile(tb testing.TB) []byte {
	tb.Helper()
	name := filepath.Join(corpus.Dir(tb, "c36-restored-m1"), snapDir, "0000000000000001-0000000000000003.snap")
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// A snapshot under another's name is not what it says it is.
func TestReadWrongName(t *testing.T) {
	id := raftpb.EntryID{Term: 9, Index: 3}
	fsys := fstest.MapFS{snapshot.FileName(id): {Data: realFile(t)}}
	_, err := snapshot.Read(fsys, ".", id)
	want := "0000000000000009-0000000000000003.snap: offset 0: snapshot of 3 (term 1), but its name says 3 (term 9)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(realFile(f))
	f.Add([]byte{0x08, 0x01, 0x12, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		snap, err := snapshot.Parse(b)
		var corrupt *snapshot.CorruptError
		switch {
		case err == nil && snap == nil:
			t.Error("neither snapshot nor error")
		case err != nil && !errors.As(err, &corrupt):
			t.Errorf("got %v, want a CorruptError", err)
		case err != nil && (corrupt.Off < 0 || corrupt.Off > int64(len(b))):
			t.Errorf("%v: outside of %d bytes", err, len(b))
		}
	})
}

// The bytes that the package comment shows.
func TestDocBytes(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, dump, _ := strings.Cut(string(doc), "voter 1:\n//\n")
	dump, _, _ = strings.Cut(dump, "\n//\n")
	b, err := hex.DecodeString(strings.NewReplacer("//", "", "\t", "", " ", "", "\n", "").Replace(dump))
	if err != nil {
		t.Fatal(err)
	}
	if want := encoded(t, id(2, 7)); !bytes.Equal(b, want) {
		t.Errorf("% x, want % x", b, want)
	}
}

func ExampleRead() {
	fsys := fstest.MapFS{"0000000000000002-0000000000000007.snap": {Data: []byte{0x08, 0x01}}}
	ids, _ := snapshot.List(fsys, ".")
	_, err := snapshot.Read(fsys, ".", ids[0])
	fmt.Println(ids[0], err)
	// Output: 7 (term 2) 0000000000000002-0000000000000007.snap: offset 0: empty snapshot: no data
}
