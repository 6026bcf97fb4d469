package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// output is the form of a command's result.
type output string

const (
	outputTable output = "table" // for people
	outputJSON  output = "json"  // one JSON value
	outputJSONL output = "jsonl" // one JSON object a line
)

var outputs = []string{string(outputTable), string(outputJSON), string(outputJSONL)}

// String, Set and Type make output a flag.
func (o *output) String() string { return string(*o) }

// Set takes one of the names.
func (o *output) Set(s string) error {
	if !slices.Contains(outputs, s) {
		return fmt.Errorf("want one of %s", strings.Join(outputs, ", "))
	}
	*o = output(s)
	return nil
}

// Type names the values in help texts.
func (o *output) Type() string { return strings.Join(outputs, "|") }

func addOutput(cmd *cobra.Command, o *output) {
	cmd.Flags().VarP(o, "output", "o", "form of the result")
	completeWith(cmd, "output", outputs)
}

// completeWith makes the shell offer values for a flag.
func completeWith(cmd *cobra.Command, flag string, values []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // a flag that doesn't exist: our own bug
	}
}

// writeJSON writes a value as one JSON object: indented, or on a line of its own.
func writeJSON(w io.Writer, o output, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if o == outputJSON {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}
