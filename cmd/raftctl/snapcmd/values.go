package snapcmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
)

// valueOptions says how values are shown.
type valueOptions struct {
	values string
	style  decode.Style
}

func (o *valueOptions) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&o.values, "values", "short", "how much of values is shown, as `HOW`: none, short or full")
	fl.BoolVar(&o.style.ShowSecrets, "show-secrets", false,
		"show passwords, tokens and the contents of Kubernetes Secrets")
	ui.CompleteWith(cmd, "values", []string{"none", "short", "full"})
}

func (o *valueOptions) check(cmd *cobra.Command) error {
	values, err := decode.ParseValues(o.values)
	if err != nil {
		return ui.Usagef(cmd, "--values %q, want none, short or full", o.values)
	}
	o.style.Values = values
	return nil
}
