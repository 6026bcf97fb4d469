package ladder

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// MaxMermaid is how many events Mermaid draws: its pictures become unreadable, and slow, beyond.
const MaxMermaid = 500

// Mermaid writes the ladder as a sequence diagram of Mermaid. Lanes are members; notes tell terms, leaders and gaps.
func (l *Ladder) Mermaid(w io.Writer) error {
	if err := l.fits(MaxMermaid, "Mermaid"); err != nil {
		return err
	}
	l.arrange()
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "sequenceDiagram")
	for i, lane := range l.lanes {
		fmt.Fprintf(out, "    participant p%d as %s\n", i, mermaidText(lane.label()))
	}
	notes := l.notes()
	for i := range l.rows {
		for _, n := range notes[i] {
			fmt.Fprintf(out, "    Note over p%d: %s\n", n.lane, mermaidText(n.text))
		}
		r := &l.rows[i]
		arrow := "->>"
		if r.kind == "gap" {
			arrow = "-x"
		}
		fmt.Fprintf(out, "    p%d%sp%d: %s %s\n", r.from, arrow, r.to, r.time.UTC().Format("15:04:05.000"), mermaidText(r.text))
	}
	return out.Flush()
}

// mermaidText returns text without what Mermaid takes for its own: ends of statements, entities and tags.
func mermaidText(text string) string {
	return strings.NewReplacer("#", "#35;", ";", "#59;", "<", "#lt;", ">", "#gt;", "\n", " ", "\r", " ").Replace(text)
}

// note is what is told beside a row.
type note struct {
	lane int
	text string
}

// notes returns what is told before each row.
func (l *Ladder) notes() map[int][]note {
	notes := map[int][]note{}
	add := func(list []mark, format string) {
		for _, m := range list {
			notes[m.row] = append(notes[m.row], note{m.lane, fmt.Sprintf(format, m.term)})
		}
	}
	for _, m := range l.marks.elections {
		what := "asks for votes of term %d"
		if m.kind == "PreVote" {
			what = "asks whether it could win term %d"
		}
		add([]mark{m}, what)
	}
	add(l.marks.leaders, "leads term %d")
	return notes
}

// fits returns an error if there are more events than a form can show.
func (l *Ladder) fits(most int, form string) error {
	if n := len(l.rows); n > most {
		return fmt.Errorf("%d events, want at most %d for %s: filter them, or draw HTML", n, most, form)
	}
	return nil
}
