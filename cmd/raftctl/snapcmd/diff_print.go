package snapcmd

import (
	"bufio"
	"bytes"
	"fmt"
	"iter"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/snapshot/database"
)

// differ prints differences.
type differ struct {
	a      *ui.App
	o      *diffOptions
	out    *bufio.Writer
	frame  *ui.Frame // nil: for people
	shown  int
	counts diffCounts
	line   []byte
}

func newDiffer(a *ui.App, o *diffOptions) *differ {
	d := &differ{a: a, o: o, frame: o.output.Frame()}
	w := a.Out
	if d.frame == nil {
		w = a.Text()
	}
	d.out = bufio.NewWriter(w)
	return d
}

// print prints the differences, up to the limit.
func (d *differ) print(diffs iter.Seq2[*database.Difference, error]) error {
	for x, err := range diffs {
		if err != nil {
			return err
		}
		change := changeOf(x)
		d.counts.add(change, x.Key())
		if d.o.summary {
			continue
		}
		d.line = d.appendLine(d.line[:0], x, change)
		if _, err := d.out.Write(d.line); err != nil {
			return err
		}
		if d.shown++; d.shown == d.o.limit {
			return errEnough
		}
	}
	return nil
}

// change says how a key differs.
type change int

// The changes.
const (
	added change = iota
	removed
	changed
	rewritten // with the value that it had
	changeKinds
)

var changeNames = [...]string{added: "added", removed: "removed", changed: "changed", rewritten: "rewritten"}

// changeMarks are the marks for people, with their colours.
var changeMarks = [...]struct {
	mark  string
	color ui.Color
}{added: {"+", ui.Green}, removed: {"-", ui.Red}, changed: {"~", ui.Yellow}, rewritten: {"~", ui.Yellow}}

func (c change) String() string { return changeNames[c] }

func changeOf(x *database.Difference) change {
	switch {
	case x.Before == nil:
		return added
	case x.After == nil:
		return removed
	case x.Same():
		return rewritten
	}
	return changed
}

func (d *differ) appendLine(b []byte, x *database.Difference, c change) []byte {
	if d.frame == nil {
		return d.appendText(b, x, c)
	}
	b = append(b, d.frame.Before(d.shown)...)
	return append(d.appendJSON(b, x, c), d.frame.End...)
}

// appendText appends a difference for people: a line, which is cut at the terminal's width, and those that
// say what changed in the value.
func (d *differ) appendText(b []byte, x *database.Difference, c change) []byte {
	m := changeMarks[c]
	line := decode.AppendKey([]byte{' '}, x.Key())
	line = append(line, "  "...)
	var below []byte
	switch c {
	case added:
		line = d.appendState(line, x.After)
	case removed:
		line = d.appendState(line, x.Before)
	default:
		line = append(strconv.AppendInt(append(line, "rev "...), x.Before.ModRevision, 10), " → "...)
		line = append(strconv.AppendInt(line, x.After.ModRevision, 10), "  "...)
		if x.Before.Lease != x.After.Lease {
			line = append(line, "lease "...)
			line = append(appendLease(line, x.Before.Lease), " → "...)
			line = append(appendLease(line, x.After.Lease), "  "...)
		}
		switch {
		case bytes.Equal(x.Before.Value, x.After.Value):
			line = append(line, "same value"...)
		default:
			below = d.appendValueDiff(nil, x)
		}
	}
	if w := d.a.Width; w > 1 {
		line = cutLine(line, w-1, d.a.ASCII)
	}
	b = append(b, d.a.Paint(m.color, m.mark)...)
	b = append(append(b, bytes.TrimRight(line, " ")...), '\n')
	return append(b, below...)
}

func cutLine(line []byte, width int, ascii bool) []byte {
	if display.Width(line) <= width {
		return line
	}
	ellipsis := display.Ellipsis
	if ascii {
		ellipsis = display.ASCIIEllipsis
	}
	return display.Cut(line, width, ellipsis)
}

// appendState appends a key that only one side has.
func (d *differ) appendState(b []byte, kv *database.KeyValue) []byte {
	b = append(strconv.AppendInt(append(b, "rev "...), kv.ModRevision, 10), "  "...)
	if kv.Lease != 0 {
		b = append(appendLease(append(b, "lease "...), kv.Lease), "  "...)
	}
	return decode.AppendValue(b, kv.Key, kv.Value, &d.o.values.style)
}

func appendLease(b []byte, id int64) []byte {
	if id == 0 {
		return append(b, "none"...)
	}
	return strconv.AppendUint(b, uint64(id), 16)
}

// diffIndent is what stands before the lines that say what changed in a value.
const diffIndent = "    "

// appendValueDiff appends what changed in a value, in lines of their own.
func (d *differ) appendValueDiff(b []byte, x *database.Difference) []byte {
	style := d.o.values.style
	style.Width = max(d.a.Width-len(diffIndent), 0)
	v := decode.DiffValues(x.Key(), x.Before.Value, x.After.Value, &style)
	return v.AppendLines(b, diffIndent, &style)
}

// appendJSON appends a difference as one object: see docs/json.md.
func (d *differ) appendJSON(b []byte, x *database.Difference, c change) []byte {
	b = append(append(append(b, `{"change":"`...), c.String()...), '"')
	b = jsontext.AppendBytes(b, "key", x.Key())
	b = d.appendStateJSON(b, "before", x.Before)
	b = d.appendStateJSON(b, "after", x.After)
	if c == changed && !bytes.Equal(x.Before.Value, x.After.Value) {
		v := decode.DiffValues(x.Key(), x.Before.Value, x.After.Value, &d.o.values.style)
		b = v.AppendJSON(jsontext.AppendName(b, "value_diff"), &d.o.values.style)
	}
	return append(b, '}')
}

func (d *differ) appendStateJSON(b []byte, name string, kv *database.KeyValue) []byte {
	if kv == nil {
		return b
	}
	b = append(jsontext.AppendName(b, name), '{')
	b = jsontext.AppendInt(jsontext.AppendName(b, "create_revision"), kv.CreateRevision)
	b = jsontext.AppendInt(jsontext.AppendName(b, "mod_revision"), kv.ModRevision)
	b = jsontext.AppendInt(jsontext.AppendName(b, "version"), kv.Version)
	if kv.Lease != 0 {
		b = jsontext.AppendID(jsontext.AppendName(b, "lease"), uint64(kv.Lease))
	}
	b = decode.AppendValueJSON(b, kv.Key, kv.Value, &d.o.values.style)
	return append(b, '}')
}

// finish writes what stands behind the differences: the counts, where all were seen or the limit ended
// it.
func (d *differ) finish(err error) error {
	switch {
	case err != nil && err != errEnough && (d.frame == nil || d.o.summary):
		return d.out.Flush()
	case d.frame == nil:
		_, err = d.out.Write(d.counts.text(d.a, d.shown > 0, err == errEnough))
	case d.o.summary:
		if err := d.out.Flush(); err != nil {
			return err
		}
		return d.o.output.Write(d.a.Out, d.counts.json(d.o), nil)
	default:
		_, err = d.out.Write(d.frame.After(d.shown))
	}
	if err != nil {
		return err
	}
	return d.out.Flush()
}

// diffText says in a few words what a count is of.
func diffText(c *changeCount) string {
	return fmt.Sprintf("%s added, %s removed, %s changed, %s written again with the same value", ui.Count(c[added]),
		ui.Count(c[removed]), ui.Count(c[changed]), ui.Count(c[rewritten]))
}
