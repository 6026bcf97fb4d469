package rows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// text is a row of text.
type text struct{ b []byte }

func (x *text) Size() int { return len(x.b) }

func (x *text) Keep(buf []byte) {
	copy(buf, x.b)
	x.b = buf
}

// lines prints n rows, one of which is large, from a buffer that is used again.
func lines(t *testing.T, w *Writer, n int, bad int) error {
	t.Helper()
	workers := Workers[text]{N: 3, New: func() func(*Batch[text]) {
		return func(b *Batch[text]) {
			for i := range b.Items {
				b.Out = append(append(b.Out, b.Items[i].b...), '\n')
				b.EndLine()
				b.Marks++
				if bad >= 0 && string(b.Items[i].b) == fmt.Sprint(bad) {
					b.DropLine()
					b.Err = errBad
					return
				}
			}
		}
	}}
	return Print(t.Context(), w, workers, func(_ context.Context, p *Pipeline[text, *text]) error {
		buf := make([]byte, 0, 2*Large)
		for i := range n {
			buf = fmt.Append(buf[:0], i)
			if i == n/2 {
				buf = append(buf, bytes.Repeat([]byte{'x'}, Large)...)
			}
			if err := p.Add(&text{buf}); err != nil {
				return err
			}
		}
		return nil
	})
}

var errBad = errors.New("bad")

// Rows come in their order, whatever happens to the buffer that they were read into.
func TestOrder(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	const n = 5 * MaxBatch
	if err := errors.Join(lines(t, w, n, -1), w.Flush()); err != nil {
		t.Fatal(err)
	}
	i := 0
	for line := range strings.Lines(out.String()) {
		if want := fmt.Sprint(i); strings.TrimRight(line, "x\n") != want {
			t.Fatalf("line %d is %.40q", i, line)
		}
		i++
	}
	if i != n || w.Shown != n || w.Marks != n {
		t.Errorf("%d lines, %d shown, %d marks, want %d", i, w.Shown, w.Marks, n)
	}
}

// An error of a batch ends the printing behind the lines before it, and a limit at its line.
func TestEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		limit, bad, shown int
		err               error
	}{"bad row": {0, 1500, 1500, errBad}, "limit": {7, -1, 7, ErrEnough}, "limit at the end": {100, -1, 100, ErrEnough}} {
		var out bytes.Buffer
		w := NewWriter(&out)
		w.Limit = tc.limit
		err := lines(t, w, 100*MaxBatch, tc.bad)
		if !errors.Is(err, tc.err) || w.Flush() != nil || strings.Count(out.String(), "\n") != tc.shown {
			t.Errorf("%s: %v, %d lines, want %v, %d", name, err, strings.Count(out.String(), "\n"), tc.err, tc.shown)
		}
	}
}
