package nodecmd

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/verdict"
)

// printStatus draws what members answered for people.
func printStatus(a *ui.App, members []*memberStatus) error {
	t := ui.NewHeldTable(
		ui.TextColumn("ENDPOINT"), ui.TextColumn("NAME"), ui.TextColumn("ID"), ui.TextColumn("VERSION"),
		ui.TextColumn("ROLE"), ui.NumberColumn("TERM"), ui.NumberColumn("INDEX"), ui.NumberColumn("APPLIED"),
		ui.NumberColumn("LAG"), ui.NumberColumn("REVISION"), ui.SizeColumn("SIZE"), ui.SizeColumn("IN USE"),
		ui.TextColumn("VERDICT"))
	for _, m := range members {
		if m.MemberID == "" {
			t.Add(ui.Quote(m.Endpoint), "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", verdictText(m))
			continue
		}
		t.Add(ui.Quote(m.Endpoint), ui.Quote(cmp.Or(m.Name, "-")), m.MemberID, versionText(m), m.Role,
			decimal(m.Term), decimal(m.Index), decimal(m.Applied), decimal(m.Lag), fmt.Sprint(m.Revision),
			display.FormatSize(m.Size), display.FormatSize(m.SizeInUse), verdictText(m))
	}
	var b bytes.Buffer
	t.Print(&b, a.Screen())
	text := bytes.TrimPrefix(b.Bytes(), []byte("\n"))
	if _, err := a.Text().Write(text); err != nil {
		return err
	}
	return printProblems(a, members)
}

func decimal(n uint64) string { return fmt.Sprint(n) }

// versionText is the version of a member, with that of its database where it is another.
func versionText(m *memberStatus) string {
	if m.DowngradeTarget != "" {
		return m.Version + " (to " + m.DowngradeTarget + ")"
	}
	return m.Version
}

func verdictText(m *memberStatus) string {
	switch m.Verdict {
	case verdict.Problem:
		return "problem"
	case verdict.Unchecked:
		return "could not ask"
	}
	return "ok"
}

// printProblems says below the table what is wrong with whom.
func printProblems(a *ui.App, members []*memberStatus) error {
	f := ui.NewFacts(a.Text()).Wrap(a.Width)
	for _, m := range members {
		for _, p := range m.Problems {
			f.Add("\nproblem", "%s: %s", ui.Quote(m.Endpoint), ui.Printable(p))
		}
		if m.Error != "" {
			f.Add("\nnot asked", "%s", m.Error)
		}
	}
	return f.Flush()
}
