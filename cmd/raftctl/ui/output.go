package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Output is a flag: the form of a command's result. Its zero value is the table.
type Output struct{ form int }

// form is one form of a result. Frame is nil where a command draws the result for people.
type form struct {
	name  string
	frame *Frame
}

// forms are all there are. A new one is a row here.
var forms = []form{
	{name: "table"},
	{"json", &Frame{ // one JSON value
		Open: "[\n", Between: ",\n", Close: "\n]\n", Empty: "[]\n",
		indent: "  ",
	}},
	{"jsonl", &Frame{End: "\n"}}, // one JSON object a line
}

// Frame is what stands around the objects of a result for programs.
type Frame struct {
	Open, Between, Close string // before the first object, between two, behind the last
	End                  string // behind each object
	Empty                string // instead of all that, where there is no object
	indent               string // of a single value
}

// Endless reports whether objects can be written without knowing which one is the last.
func (f *Frame) Endless() bool { return f.Close == "" }

// Before returns what stands before an object, of shown before it.
func (f *Frame) Before(shown int) []byte {
	if shown == 0 {
		return []byte(f.Open)
	}
	return []byte(f.Between)
}

// After returns what stands behind all objects, of which there are shown.
func (f *Frame) After(shown int) []byte {
	if shown == 0 {
		return []byte(f.Empty)
	}
	return []byte(f.Close)
}

// formNames returns the names of all forms.
func formNames() []string {
	names := make([]string, len(forms))
	for i, f := range forms {
		names[i] = f.name
	}
	return names
}

// String returns the form's name.
func (o *Output) String() string { return forms[o.form].name }

// Set takes one of the names.
func (o *Output) Set(s string) error {
	for i, f := range forms {
		if f.name == s {
			o.form = i
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(formNames(), ", "))
}

// Type names the values in help texts.
func (o *Output) Type() string { return strings.Join(formNames(), "|") }

// Register adds the flag to a command, as --output and -o.
func (o *Output) Register(cmd *cobra.Command) { o.RegisterAs(cmd, "output") }

// RegisterAs adds the flag under another name, with the same shorthand: for a command that --output means
// something else to.
func (o *Output) RegisterAs(cmd *cobra.Command, name string) {
	cmd.Flags().VarP(o, name, "o", "form of the result")
	CompleteWith(cmd, name, formNames())
}

// IsForm reports whether a word names a form.
func IsForm(word string) bool { return slices.Contains(formNames(), word) }

// Frame returns what stands around objects, or nil if the result is a table.
func (o *Output) Frame() *Frame { return forms[o.form].frame }

// Write writes a result: by table if it is for people, else as one JSON value.
func (o *Output) Write(w io.Writer, v any, table func() error) error {
	f := o.Frame()
	if f == nil {
		return table()
	}
	return f.write(w, v)
}

// WriteAll writes several results: by table if they are for people, else as one JSON value if there
// is one, and as a list of them, or one after the other, if there are more.
func WriteAll[T any](o *Output, w io.Writer, vs []T, table func() error) error {
	f := o.Frame()
	if f == nil {
		return table()
	}
	switch {
	case f.Endless(), len(vs) == 1:
	case len(vs) == 0:
		_, err := io.WriteString(w, f.Empty)
		return err
	default:
		return f.write(w, vs)
	}
	for _, v := range vs {
		if err := f.write(w, v); err != nil {
			return err
		}
	}
	return nil
}

func (f *Frame) write(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", f.indent)
	return enc.Encode(v)
}

// CompleteWith makes the shell offer values for a flag.
func CompleteWith(cmd *cobra.Command, flag string, values []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // a flag that doesn't exist: our own bug
	}
}
