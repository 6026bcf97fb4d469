package walcmd

import (
	"encoding/hex"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// dumpTo dumps a log with --raw.
func dumpTo(t *testing.T, w io.Writer, dir string, output string) {
	t.Helper()
	o := dumpOptions{raw: true}
	if err := o.output.Set(output); err != nil {
		t.Fatal(err)
	}
	decoder, err := decode.New("etcd", decode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	d := newDumper(&ui.App{Out: w, Err: io.Discard, Now: fixedNow}, &o, decoder)
	if err := d.dump(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := d.finish(); err != nil {
		t.Fatal(err)
	}
}

// A large entry is shown as bytes in a few times its size: it is held once, perhaps twice while the
// reader makes room for it, and its text, two characters a byte, once.
func TestRawTakesLittleMemory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{WriterOptions: wal.WriterOptions{NoSync: true}})
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 24<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data) // never fails; always the same: some bytes look like a secret
	entries := []raftpb.Entry{{Term: 1, Index: 1, Data: data}, {Term: 1, Index: 2, Data: []byte("next")}}
	if err := w.Append(raftpb.HardState{Term: 1, Commit: 2}, entries); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, output := range []string{"table", "jsonl"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		dumpTo(t, io.Discard, dir, output)
		runtime.ReadMemStats(&after)
		if times := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(data)); times > 7 {
			t.Errorf("%s: %.1f times the entry's size allocated, want at most 7", output, times)
		}
	}
	var out strings.Builder
	dumpTo(t, &out, dir, "table")
	if !strings.Contains(out.String(), " "+hex.EncodeToString(data)+"\n") || !strings.Contains(out.String(), hex.EncodeToString([]byte("next"))) {
		t.Error("the bytes are not those of the entries")
	}
}
