package msgcmd

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/report"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/verdict"
)

// checkPrinter prints a report.
type checkPrinter struct {
	a       *ui.App
	report  *check.Report
	sources []string
	names   *stream.Names
	title   string
	cluster uint64 // 0: not known
	members []uint64
}

func (p *checkPrinter) heading() string { return p.title }

// print prints the report for people: the verdict, the rules, and the violations.
func (p *checkPrinter) print(w io.Writer) error {
	var b bytes.Buffer
	kv := ui.NewFacts(&b).Wrap(p.a.Width)
	kv.Add("verdict", "%s", report.Verdict(p.a, p.report.Verdict))
	kv.Add("events", "%s", ui.Count(p.report.Events))
	_ = kv.Flush() // a buffer takes everything
	t := ui.NewHeldTable(ui.TextColumn("RULE"), ui.TextColumn("VERDICT"), ui.NumberColumn("CHECKED"), ui.NumberColumn("GIVEN"),
		ui.NumberColumn("UNCHECKED"), ui.TextColumn("WHY"))
	for i := range p.report.Rules {
		r := &p.report.Rules[i]
		t.Add(string(r.Name), string(r.Verdict), ui.Count(r.Checked), ui.Count(r.Given), ui.Count(r.Unchecked), why(r))
	}
	t.Print(&b, p.a.Screen())
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	return p.findings().Print(w, p.a)
}

// why says why something could not be checked.
func why(r *check.Result) string {
	var parts []string
	for _, x := range r.Reasons {
		s := x.Why
		if x.Count > 0 && len(r.Reasons) > 1 {
			s += " (" + ui.Count(x.Count) + ")"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

// findings returns the violations as they are told, each with its messages.
func (p *checkPrinter) findings() *report.Findings {
	f := &report.Findings{Omitted: map[string]int{}}
	for i := range p.report.Rules {
		r := &p.report.Rules[i]
		for j := range r.Violations {
			v := &r.Violations[j]
			x := report.Finding{
				Class: string(r.Name), Severity: verdict.Error, Doc: "it is a rule that " + r.Doc,
				Place: placeOf(&v.Second.Pos), Evidence: v.Found,
			}
			for _, e := range []*stream.Event{v.First, v.Second} {
				if e != nil {
					x.Notes = append(x.Notes, p.line(e))
				}
			}
			f.List = append(f.List, x)
		}
		if r.Omitted > 0 {
			f.Omitted[string(r.Name)] = int(r.Omitted)
		}
	}
	return f
}

// placeOf says where an event lies.
func placeOf(pos *stream.Pos) string {
	if pos.Packet > 0 {
		return fmt.Sprintf("%s: packet %d", ui.Printable(pos.Path()), pos.Packet)
	}
	return fmt.Sprintf("%s: offset %d", ui.Printable(pos.Path()), pos.Off)
}

// line shows an event on a line, with its place.
func (p *checkPrinter) line(e *stream.Event) string {
	var b []byte
	if !e.Time.IsZero() {
		b = append(appendClock(b, e.Time), ' ')
	}
	b = appendMember(b, e.From, p.names.Of(e.From))
	b = append(b, "→"...)
	b = appendMember(b, e.To, p.names.Of(e.To))
	x := tableRenderer{entries: decode.ValuesNone}
	b = x.appendMessage(append(b, ' '), e.Message)
	return string(b) + "  (" + placeOf(&e.Pos) + ")"
}

// appendJSON appends an event as an object: what dump shows with --entries none.
func (p *checkPrinter) appendJSON(b []byte, e *stream.Event) []byte {
	r := msgrow.NewRow(msgrow.Options{Entries: decode.ValuesNone})
	item := msgrow.NewItem(e, p.names)
	r.Set(&item)
	return r.AppendJSON(b)
}
