package msgcmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/paste"
)

type decodeOptions struct {
	style  decode.Style
	output ui.Output
}

func newDecode(a *ui.App) *cobra.Command {
	var o decodeOptions
	cmd := &cobra.Command{
		Use:   "decode [HEX|BASE64|-]",
		Short: "Say what bytes are that were copied from a log or a dump",
		Long: `Says what bytes are: a message, an entry, a hard state, a change of the membership, a membership, a snapshot, a record of
a log, or a piece of a stream between members, with its frames, or of HTTP with what it carries. They are told
apart by their content. Where several of these have the same bytes, all are told, the likeliest first.

Bytes are given as hex, with any separators, as base64, as a dump of hexdump -C or xxd, or as text with escapes as
Go and C write it; - or no argument is what comes in on standard input, which may be the bytes themselves.

The exit status is 0 if it is told, 1 if the bytes are none of these, and 3 if a piece is left over.

Passwords, tokens and Kubernetes Secrets are hidden unless --show-secrets is given.`,
		Example: `  raftctl message decode 0803100118022003280330063a0b080010031807 2203666f6f400650005800 6800
  raftctl message decode CAIQARgH
  hexdump -C frame.bin | raftctl message decode
  raftctl message decode -o json - < frame.bin`,
		RunE: func(_ *cobra.Command, args []string) error { return runDecode(a, &o, args) },
	}
	o.output.Register(cmd)
	cmd.Flags().BoolVar(&o.style.ShowSecrets, "show-secrets", false, "show passwords, tokens and other secrets")
	return cmd
}

// maxPasted bounds what is read: far more than anybody pastes.
const maxPasted = 64 << 20

func runDecode(a *ui.App, o *decodeOptions, args []string) error {
	pasted := []byte(strings.Join(args, " "))
	if len(args) == 0 || len(args) == 1 && args[0] == stdin {
		var err error
		if pasted, err = io.ReadAll(io.LimitReader(a.In, maxPasted+1)); err != nil {
			return err
		}
		if len(pasted) > maxPasted {
			return ui.UsageError{Err: fmt.Errorf("more than %d bytes; 'raftctl message dump' takes captures and recordings of any size", maxPasted)}
		}
	}
	readings, err := paste.Read(pasted)
	if err != nil {
		return ui.UsageError{Err: err}
	}
	told := decoded{Form: readings[0].Form, Size: len(readings[0].Bytes)}
	for _, r := range readings {
		if list := paste.Candidates(r.Bytes); len(list) > 0 {
			told = newDecoded(r, list, &o.style)
			break
		}
	}
	if err := o.output.Write(a.Out, &told, func() error { return told.print(a.Out) }); err != nil {
		return err
	}
	return told.status()
}

// status is 1 for what is nothing, 3 for what is not all of it.
func (d *decoded) status() error {
	switch {
	case len(d.Candidates) == 0:
		return ui.ExitError{Status: ui.StatusDamage}
	case d.Candidates[0].Rest > 0 && d.Candidates[0].Kind != paste.KindSnapshotHead:
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}
