package msgcmd

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/paste"
	"github.com/raftctl/raftctl/raftpb"
)

// decoded is what is told of bytes; docs/json.md is the contract.
type decoded struct {
	Form       paste.Form  `json:"form"`
	Size       int         `json:"size"`
	Candidates []candidate `json:"candidates"`
}

// candidate is what the bytes may be.
type candidate struct {
	Kind  paste.Kind `json:"kind"`
	Exact bool       `json:"exact"`
	Rest  int        `json:"rest"`
	Lines []string   `json:"lines"` // a line for the thing, or for each message of a stream
}

func newDecoded(r paste.Reading, list []paste.Candidate, s *decode.Style) decoded {
	d := decoded{Form: r.Form, Size: len(r.Bytes)}
	for i := range list {
		c := &list[i]
		d.Candidates = append(d.Candidates, candidate{Kind: c.Kind, Exact: c.Exact, Rest: c.Rest, Lines: describe(c, s)})
	}
	return d
}

// describe says what a candidate is, in lines of its own for each message.
func describe(c *paste.Candidate, s *decode.Style) (lines []string) {
	text := ""
	switch {
	case c.Entry != nil:
		text = raftpb.DescribeEntry(*c.Entry, formatter(s))
	case c.HardState != nil:
		text = raftpb.DescribeHardState(*c.HardState)
	case c.ConfChange != nil:
		change := *c.ConfChange
		note := hideContext(&change.Context, s)
		text = raftpb.DescribeConfChange(change) + note
	case c.ConfChangeV2 != nil:
		change := *c.ConfChangeV2
		note := hideContext(&change.Context, s)
		text = raftpb.DescribeConfChange(change) + note
	case c.ConfState != nil:
		text = raftpb.DescribeConfState(*c.ConfState)
	case c.Snapshot != nil:
		text = fmt.Sprintf("%s, %d bytes of data", raftpb.DescribeSnapshot(*c.Snapshot), len(c.Snapshot.Data))
	case c.Record != nil:
		text = c.Record.Kind
		if w := c.Record.Within; w != nil {
			text += ": " + strings.Join(describe(w, s), " ")
		}
	}
	if text != "" {
		lines = append(lines, oneLine(text))
	}
	for i := range c.Messages {
		lines = append(lines, oneLine(raftpb.DescribeMessage(c.Messages[i], formatter(s))))
	}
	return lines
}

// hideContext takes away the context of a change if it is not that of etcd, which is JSON: bytes that are no change
// at all may hold a secret there. It returns what to say in its place.
func hideContext(context *[]byte, s *decode.Style) string {
	if s.ShowSecrets || len(*context) == 0 || json.Valid(*context) {
		return ""
	}
	n := len(*context)
	*context = nil
	return fmt.Sprintf(" context of %d bytes", n)
}

// formatter shows what an entry asks for as etcd understands it, on one line.
func formatter(s *decode.Style) raftpb.EntryFormatter {
	var r decode.Request
	return func(data []byte) string {
		_ = decode.Payload(&r, &raftpb.Entry{Data: data}) // what can't be read says so itself
		return string(r.AppendSummary(nil, *s))
	}
}

// oneLine returns a text without line breaks, and nothing in it that can act on a terminal.
func oneLine(text string) string { return ui.Printable(strings.Join(strings.Fields(text), " ")) }

func (d *decoded) print(w io.Writer) error {
	var b strings.Builder
	if len(d.Candidates) == 0 {
		fmt.Fprintf(&b, "%d %s of %s: nothing that Raft or etcd writes\n", d.Size, ui.Plural(d.Size, "byte"), d.Form)
	}
	for i, c := range d.Candidates {
		if i > 0 {
			b.WriteString("or ")
		}
		name := strings.ReplaceAll(string(c.Kind), "_", " ")
		if !c.Exact {
			name += ", though not as it would be written"
		}
		if len(c.Lines) == 1 {
			fmt.Fprintf(&b, "%s: %s\n", name, c.Lines[0])
		} else {
			fmt.Fprintf(&b, "%s of %d messages\n", name, len(c.Lines))
			for _, line := range c.Lines {
				fmt.Fprintf(&b, "  %s\n", line)
			}
		}
		if c.Rest > 0 {
			fmt.Fprintf(&b, "  and %d bytes more, which are no part of that\n", c.Rest)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
