package walcmd

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
)

// decodeOptions says how payloads are read and shown.
type decodeOptions struct {
	spec   string
	values string
	style  decode.Style
}

func (o *decodeOptions) register(cmd *cobra.Command) {
	o.registerSpec(cmd)
	fl := cmd.Flags()
	fl.StringVar(&o.values, "values", "short", "how much of values is shown, as `HOW`: none, short or full")
	fl.BoolVar(&o.style.ShowSecrets, "show-secrets", false, "show passwords, tokens and other secrets, also in values")
	ui.CompleteWith(cmd, "values", []string{"none", "short", "full"})
}

// registerSpec adds only the flag that names the decoder.
func (o *decodeOptions) registerSpec(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.spec, "decode", "etcd", "what payloads are, as `SPEC`: one of the decoders above")
	ui.CompleteWith(cmd, "decode", decode.Names())
}

func (o *decodeOptions) check(cmd *cobra.Command) error {
	values, err := decode.ParseValues(o.values)
	if err != nil {
		return ui.Usagef(cmd, "--values %q, want none, short or full", o.values)
	}
	o.style.Values = values
	return nil
}

// decodersHelp lists the decoders as --help shows them.
func decodersHelp() string {
	var b strings.Builder
	for _, f := range decode.Formats() {
		fmt.Fprintf(&b, "  %-18s  %s\n", f, f.Help)
	}
	return b.String()
}

// isEtcd reports whether payloads are those of etcd.
func (o *decodeOptions) isEtcd() bool { return o.spec == "" || o.spec == "etcd" }

// sequential reports whether payloads must be decoded one after the other.
func (o *decodeOptions) sequential() bool { return strings.HasPrefix(o.spec, "exec") }

// decoder returns the decoder that the flags ask for. What is wrong with it is a matter of usage.
func (o *decodeOptions) decoder(a *ui.App) (decode.Decoder, error) {
	env := environment(a)
	env.ShowSecrets = o.style.ShowSecrets
	d, err := decode.New(o.spec, env)
	if err != nil {
		return nil, ui.UsageError{Err: fmt.Errorf("--decode: %w", err)}
	}
	return d, nil
}

// environment gives decoders what they need from the outside.
func environment(a *ui.App) decode.Env {
	return decode.Env{
		ReadFile: func(name string) ([]byte, error) { return os.ReadFile(a.Path(name)) },
		Start:    startProcess,
	}
}
