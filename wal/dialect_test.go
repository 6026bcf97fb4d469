package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

const (
	kindSpoken  Kind = KindOwn     // a varint that counts, then text
	kindSpeaker Kind = KindOwn + 1 // who speaks from here on: 'S' and a name
)

// toyDialect is a dialect with two kinds of records, one of which is carried over.
func toyDialect(tb testing.TB) *Dialect {
	tb.Helper()
	d, err := NewDialect(DialectOptions{
		Suffix:   ".rec",
		Metadata: func(data []byte) bool { return bytes.HasPrefix(data, []byte("toy")) },
		Kinds: []KindOptions{
			{Kind: kindSpoken, Name: "spoken", Fits: fitsSpoken},
			{Kind: kindSpeaker, Name: "speaker", Carried: true, Fits: func(data []byte) bool {
				return len(data) > 1 && data[0] == 'S'
			}},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func fitsSpoken(data []byte) bool {
	_, n := binary.Uvarint(data)
	return n > 0 && bytes.HasPrefix(data[n:], []byte(": "))
}

func spoken(i int) []byte {
	return fmt.Appendf(binary.AppendUvarint(nil, uint64(i)), ": %s", strings.Repeat("word ", 1+i%40))
}

// writeToy writes a toy log of several segments, and returns its directory.
func writeToy(t *testing.T, d *Dialect, records int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "talk")
	w, err := Create(nil, dir, CreateOptions{
		RawMetadata: []byte("toy 1"), WriterOptions: WriterOptions{Dialect: d, segmentSize: 4096},
	})
	if err != nil {
		t.Fatal(err)
	}
	addToy(t, w, 0, records)
	mustClose(t, w)
	return dir
}

func addToy(t *testing.T, w *Writer, lo, hi int) {
	t.Helper()
	for i := lo; i < hi; i++ {
		k, data := kindSpoken, spoken(i)
		if i%10 == 0 {
			check(t, w.AppendRecord(kindSpeaker, fmt.Appendf(nil, "Speaker %d", i/10)))
		}
		check(t, w.AppendRecord(k, data))
		if w.Size() > 4096 {
			check(t, w.Roll())
		}
	}
}

func openToy(t *testing.T, d *Dialect, dir string) *Log {
	t.Helper()
	l, err := d.Open(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// heard returns the numbers of the spoken records, and the damage.
func heard(t *testing.T, l *Log) (numbers []int, damages []Finding) {
	t.Helper()
	for rec, err := range l.Records(Inspect) {
		if err != nil {
			t.Fatal(err)
		}
		switch rec.Kind {
		case kindSpoken:
			n, _ := binary.Uvarint(rec.Data)
			numbers = append(numbers, int(n))
		case KindDamage:
			damages = append(damages, *rec.Damage)
		}
	}
	return numbers, damages
}

func upTo(n int, without ...int) (numbers []int) {
	for i := range n {
		if !slices.Contains(without, i) {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// Another application's log is written, verified, read and appended to by what serves etcd's.
func TestDialect(t *testing.T) {
	d := toyDialect(t)
	dir := writeToy(t, d, 200)
	l := openToy(t, d, dir)
	segs := l.Segments()
	if len(segs) < 4 || segs[1].File != "0000000000000001-0000000000000001.rec" {
		t.Fatalf("segments %v, want several with the dialect's suffix", segs)
	}
	if got, damages := heard(t, l); !slices.Equal(got, upTo(200)) || len(damages) > 0 {
		t.Errorf("heard %v, damage %v", got, damages)
	}
	r, err := l.Verify(context.Background(), VerifyOptions{})
	if err != nil || r.Verdict != VerdictOK || len(r.Findings) > 0 {
		t.Errorf("verdict %v (%v), findings:\n%s", r.Verdict, err, findingLines(r))
	}
	checkCarried(t, l)
	if _, err := Open(os.DirFS(dir), "."); !errors.Is(err, ErrNoLog) {
		t.Errorf("opened as a log of etcd: %v, want ErrNoLog", err)
	}
	w, _, err := OpenForAppend(nil, dir, AppendOptions{WriterOptions: WriterOptions{Dialect: d, segmentSize: 4096}})
	if err != nil {
		t.Fatal(err)
	}
	addToy(t, w, 200, 300)
	if err := w.AppendRecord(KindEntry, []byte{0x10, 1, 0x18, 1}); err == nil {
		t.Error("an entry was appended to a log that has none")
	}
	if err := w.AppendRecord(kindSpoken, []byte("no number")); err != nil && w.Err() != nil {
		t.Errorf("a refused record stops the writer: %v", w.Err())
	} else if err == nil {
		t.Error("a record that doesn't decode was appended")
	}
	mustClose(t, w)
	l = openToy(t, d, dir)
	if got, damages := heard(t, l); !slices.Equal(got, upTo(300)) || len(damages) > 0 {
		t.Errorf("after appending: heard %v, damage %v", got, damages)
	}
	checkCarried(t, l)
}

// checkCarried checks that every segment but the first begins with the last record of the kind that
// is carried over.
func checkCarried(t *testing.T, l *Log) {
	t.Helper()
	last, n, file := "", 0, ""
	for rec, err := range l.Records(Inspect) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Pos.Segment != file {
			file, n = rec.Pos.Segment, 0
		}
		if n == 2 && last != "" && (rec.Kind != kindSpeaker || string(rec.Data) != last) {
			t.Errorf("%v: %q behind the head, want %q", rec.Pos, rec.Data, last)
		}
		if rec.Kind == kindSpeaker {
			last = string(rec.Data)
		}
		n++
	}
}

// Damage in another application's log is told as in etcd's: class, place, and what goes on behind it.
func TestDialectDamage(t *testing.T) {
	d := toyDialect(t)
	intact := writeToy(t, d, 200)
	var at Position // of the record with number 57
	for rec, err := range openToy(t, d, intact).Records(Inspect) {
		check(t, err)
		if n, _ := binary.Uvarint(rec.Data); rec.Kind == kindSpoken && n == 57 {
			at = rec.Pos
		}
	}
	for name, c := range map[string]struct {
		corrupt func(b []byte)
		class   Class
		lost    []int
	}{
		"data":             {func(b []byte) { b[20] ^= 4 }, ClassPayload, []int{57}},
		"type, to another": {func(b []byte) { b[9] = byte(kindSpeaker) }, ClassKind, nil},
		"type, to etcd's":  {func(b []byte) { b[9] = byte(KindEntry) }, ClassKind, nil},
		"type, to a gap":   {func(b []byte) { b[9] = 77 }, ClassKind, nil},
		"checksum":         {func(b []byte) { b[12] ^= 1 }, ClassCRCField, nil},
		"length":           {func(b []byte) { b[0] ^= 1 }, ClassLengthField, nil},
		"the whole frame":  {func(b []byte) { copy(b[:16], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") }, "", []int{57}},
	} {
		dir := filepath.Join(t.TempDir(), "talk")
		check(t, os.CopyFS(dir, os.DirFS(intact)))
		path := filepath.Join(dir, at.Segment)
		b, err := os.ReadFile(path)
		check(t, err)
		c.corrupt(b[at.Off:])
		check(t, os.WriteFile(path, b, 0o600))
		l := openToy(t, d, dir)
		got, damages := heard(t, l)
		if !slices.Equal(got, upTo(200, c.lost...)) {
			t.Errorf("%s: heard %v", name, got)
		}
		if len(damages) != 1 || c.class != "" && damages[0].Class != c.class || damages[0].Pos.Segment != at.Segment {
			t.Errorf("%s: damage %v, want one of class %s", name, damages, c.class)
		}
		r, err := l.Verify(context.Background(), VerifyOptions{})
		check(t, err)
		if r.Verdict != VerdictProblem || strings.Contains(findingLines(r), "etcd 3") {
			t.Errorf("%s: verdict %s, findings:\n%s", name, r.Verdict, findingLines(r))
		}
	}
}

// A record of etcd in another application's log is unknown there, however well it is formed.
func TestDialectRefusesForeignKinds(t *testing.T) {
	d := toyDialect(t)
	e := raftpb.Entry{Term: 1, Index: 1, Data: []byte("x")}
	st := raftpb.HardState{Term: 1, Vote: 1, Commit: 1}
	for k, data := range map[Kind][]byte{
		KindEntry: e.Marshal(raftpb.FlavorGogo), KindState: st.Marshal(raftpb.FlavorGogo),
		KindSnapshot: new(Snapshot).AppendTo(nil, raftpb.FlavorGogo),
	} {
		var b []byte
		sum := uint32(0)
		for _, r := range []Record{{Kind: KindCRC}, {Kind: KindMetadata, Data: []byte("toy")}, {Kind: k, Data: data}} {
			sum = updateCRC(sum, r.Data)
			b = appendFrame(b, r.Kind, sum, r.Data)
		}
		dir := filepath.Join(t.TempDir(), "talk")
		check(t, os.Mkdir(dir, 0o700))
		check(t, os.WriteFile(filepath.Join(dir, d.FileName(SegmentName{})), b, 0o600))
		if _, damages := heard(t, openToy(t, d, dir)); len(damages) != 1 || damages[0].Class != ClassUnknownKind ||
			!strings.Contains(damages[0].Evidence, "want 1, 4, 16, 17") {
			t.Errorf("%v: %v, want an unknown kind", k, damages)
		}
	}
}

func TestNewDialectRefuses(t *testing.T) {
	fits := func([]byte) bool { return true }
	good := KindOptions{Kind: KindOwn, Name: "a", Fits: fits}
	for name, o := range map[string]DialectOptions{
		"no suffix":      {},
		"two dots":       {Suffix: ".a.b"},
		"etcd's kind":    {Suffix: ".a", Kinds: []KindOptions{{Kind: KindEntry, Name: "a", Fits: fits}}},
		"two bytes":      {Suffix: ".a", Kinds: []KindOptions{{Kind: 128, Name: "a", Fits: fits}}},
		"no name":        {Suffix: ".a", Kinds: []KindOptions{{Kind: KindOwn, Fits: fits}}},
		"nothing fits":   {Suffix: ".a", Kinds: []KindOptions{{Kind: KindOwn, Name: "a"}}},
		"one kind twice": {Suffix: ".a", Kinds: []KindOptions{good, good}},
	} {
		if _, err := NewDialect(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewDialect(DialectOptions{Suffix: ".a", Kinds: []KindOptions{good}}); err != nil {
		t.Error(err)
	}
}
