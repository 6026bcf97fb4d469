package walcmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// manySegments makes a log of some segments, with an overwrite in the last but one.
func manySegments(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{WriterOptions: wal.WriterOptions{NoSync: true}})
	if err != nil {
		t.Fatal(err)
	}
	write := func(term, index uint64) {
		t.Helper()
		e := raftpb.Entry{Term: term, Index: index, Data: fmt.Appendf(nil, "%d of term %d", index, term)}
		if err := w.Append(raftpb.HardState{Term: term}, []raftpb.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	term := uint64(1)
	for index := range uint64(60) {
		if index > 0 && index%10 == 0 {
			if err := w.Roll(); err != nil {
				t.Fatal(err)
			}
		}
		write(term, index+1)
		if index == 47 { // a new leader overwrites entries 44..48
			term = 2
			for again := range uint64(5) {
				write(term, 44+again)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// dumpOf dumps a log with jsonl, and returns the lines and the number of entries that were read.
func dumpOf(t *testing.T, dir string, o dumpOptions) (lines [][]byte, read int) {
	t.Helper()
	if err := o.output.Set("jsonl"); err != nil {
		t.Fatal(err)
	}
	decoder, err := decode.New("text", decode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	d := newDumper(&ui.App{Out: &out, Err: &errs, Now: fixedNow}, &o, decoder)
	if err := d.dump(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := d.finish(); err != nil {
		t.Fatal(err)
	}
	return bytes.SplitAfter(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n")), d.entries
}

// The last records are those of a whole dump, of whatever filter and however many; no more segments
// are read than they lie in.
func TestLastReadsFromTheEnd(t *testing.T) {
	dir := manySegments(t)
	for _, o := range []dumpOptions{{}, {physical: true}, {filter: filter{kinds: []string{"entry"}}}} {
		all, total := dumpOf(t, dir, o)
		for _, n := range []int{1, 2, 9, 10, 11, 25, len(all), len(all) + 7} {
			o.last = n
			got, read := dumpOf(t, dir, o)
			want := all[max(0, len(all)-n):]
			if !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
				t.Errorf("physical %v, last %d: got\n%swant\n%s", o.physical, n, bytes.Join(got, nil), bytes.Join(want, nil))
			}
			if n < 10 && read > total/3 {
				t.Errorf("physical %v, last %d: %d of %d entries read", o.physical, n, read, total)
			}
		}
	}
}

// A log that is not sound is read from its beginning: damage anywhere counts.
func TestLastSeesAllDamage(t *testing.T) {
	dir := manySegments(t)
	names, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(names[2]); err != nil {
		t.Fatal(err)
	}
	o := dumpOptions{filter: filter{kinds: []string{"damage"}}}
	all, _ := dumpOf(t, dir, o)
	o.last = 1
	got, _ := dumpOf(t, dir, o)
	if len(all) == 0 || len(all[0]) == 0 || !bytes.Equal(got[0], all[len(all)-1]) {
		t.Errorf("got %s, want the last of\n%s", got, bytes.Join(all, nil))
	}
}
