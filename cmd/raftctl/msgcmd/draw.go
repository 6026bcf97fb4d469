package msgcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/ladder"
	"github.com/raftctl/raftctl/raftpb"
)

// drawForms are what is drawn, by the ending of the file's name.
var drawForms = map[string]func(*ladder.Ladder, io.Writer) error{
	".html": (*ladder.Ladder).HTML,
	".svg":  (*ladder.Ladder).SVG,
	".mmd":  (*ladder.Ladder).Mermaid,
}

type drawOptions struct {
	dumpOptions // what is drawn is what dump would print
	file        string
	overwrite   bool
}

func newDraw(a *ui.App) *cobra.Command {
	var o drawOptions
	cmd := &cobra.Command{
		Use:   "draw SOURCE… -o FILE",
		Short: "Draw what members said to each other as a ladder",
		Long: fmt.Sprintf(`Draws the messages that members exchanged: a lane for each member from top to bottom, and an arrow for each
message, with terms, elections and leaders. The ending of FILE says how:

  .html  one page for any number of messages, which a browser opens without a network: zoom, filters, and the
         decoded message of each arrow; #m=NUMBER at the end of its address is a link to one of them
  .svg   a picture of up to %d
  .mmd   a sequence diagram for Mermaid, of up to %d

`+sourceHelp+`

What is drawn is what raftctl message dump prints with the same flags.`, ladder.MaxSVG, ladder.MaxMermaid),
		Example: `  raftctl message draw peers.pcap -o peers.html
  raftctl message draw peers.pcap --type vote,vote_resp,pre_vote,pre_vote_resp -o election.svg`,
		Args:    wantSources,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE:    func(cmd *cobra.Command, args []string) error { return runDraw(cmd.Context(), a, &o, args) },
	}
	o.source.register(cmd, dirsForNames)
	o.filter.register(cmd)
	fl := cmd.Flags()
	fl.StringVarP(&o.file, "output", "o", "", "write `FILE`, which ends in .html, .svg or .mmd")
	fl.BoolVar(&o.overwrite, "overwrite", false, "replace FILE if it exists")
	fl.BoolVar(&o.style.ShowSecrets, "show-secrets", false, "show passwords, tokens and other secrets, also in values")
	return cmd
}

func (o *drawOptions) check(cmd *cobra.Command) error {
	if drawForms[filepath.Ext(o.file)] == nil {
		return ui.Usagef(cmd, "--output %q, want a file that ends in .html, .svg or .mmd", o.file)
	}
	o.entries = "short"
	return o.dumpOptions.check(cmd)
}

func runDraw(ctx context.Context, a *ui.App, o *drawOptions, sources []string) error {
	if err := vacant(a, o.file, o.overwrite); err != nil {
		return err
	}
	if err := o.source.learn(ctx, a); err != nil {
		return err
	}
	l := &ladder.Ladder{Title: "Messages of " + strings.Join(sources, ", ")}
	d := &drawer{o: o, l: l}
	d.row = msgrow.NewRow(msgrow.Options{Style: o.style, Entries: decode.ValuesShort})
	d.text = tableRenderer{style: o.style, entries: decode.ValuesShort}
	if err := o.source.each(ctx, a, sources, d.add); err != nil {
		return err
	}
	members := slices.DeleteFunc(l.Members(), func(id uint64) bool { return id == raftpb.None }) // whom no event names
	for _, id := range members {
		l.Name(id, o.source.names.Of(id))
	}
	draw := func(w io.Writer) error { return drawForms[filepath.Ext(o.file)](l, w) }
	if err := writeWhole(a.Path(o.file), draw); err != nil {
		return err
	}
	fmt.Fprintf(a.Err, "%s: %d events of %d members\n", ui.Quote(o.file), l.Len(), len(members))
	if d.gaps {
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}

// drawer adds the events that are wanted to a ladder.
type drawer struct {
	o    *drawOptions
	l    *ladder.Ladder
	row  *msgrow.Row
	text tableRenderer
	gaps bool // there was one, drawn or not
}

func (d *drawer) add(e *stream.Event) error {
	names := &d.o.source.names
	d.gaps = d.gaps || e.Kind == stream.KindGap
	if !d.o.filter.wants(e, names) {
		return nil
	}
	item := msgrow.NewItem(e, names)
	d.row.Set(&item)
	ok, err := d.o.filter.passes(d.row)
	if ok {
		d.l.Add(e, string(d.text.appendEvent(nil, d.row)))
	}
	return err
}

// vacant refuses to write a file that exists, unless it may be replaced.
func vacant(a *ui.App, file string, overwrite bool) error {
	if _, err := os.Lstat(a.Path(file)); err == nil && !overwrite {
		return ui.UsageError{Err: fmt.Errorf("%s exists, name another file or add --overwrite", ui.Quote(file))}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeWhole writes a file under a name of its own first, so that it is whole.
func writeWhole(file string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".part-")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644) // it holds nothing that dump doesn't print
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // of no use
	}
	return err
}
