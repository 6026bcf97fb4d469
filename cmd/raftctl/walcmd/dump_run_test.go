package walcmd

import (
	"errors"
	"io"
	"iter"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// endless yields entries until it is stopped, or until far more were read than a dump that has
// enough should read. It tells how many were.
func endless(n *int) iter.Seq2[*wal.Record, error] {
	e := raftpb.Entry{Term: 1, Index: 1, Data: []byte("an entry like all others")}
	rec := wal.Record{Kind: wal.KindEntry, Data: e.Marshal(raftpb.FlavorGogo), ID: e.ID(), Len: 64}
	return func(yield func(*wal.Record, error) bool) {
		for *n = 0; *n < 1<<21; *n++ {
			if !yield(&rec, nil) {
				return
			}
		}
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// A dump that has shown enough, or that nobody reads any more, stops reading.
func TestEnoughEndsReading(t *testing.T) {
	decoder, err := decode.New("etcd", decode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		out   io.Writer
		limit int
		want  error
	}{
		"limit":       {io.Discard, 3, rows.ErrEnough},
		"closed pipe": {closedPipe{}, 0, syscall.EPIPE},
	} {
		read := 0
		d := newDumper(&ui.App{Out: tc.out, Err: io.Discard}, &dumpOptions{limit: tc.limit}, decoder)
		d.render = d.newRenderer()
		if err := d.print(t.Context(), endless(&read)); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		// What is on its way when the end comes: some batches a worker, and a buffer of output.
		if most := 200 * rows.MaxBatch; read > most {
			t.Errorf("%s: %d records read, want at most %d", name, read, most)
		}
	}
}
