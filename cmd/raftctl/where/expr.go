package where

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// Expr is a compiled --where expression.
type Expr struct {
	text    string
	program cel.Program
	paths   []*path // what it looks into
}

// Compile compiles an expression over the fields. The error names the fields that the
// expression uses, with their types.
func Compile(text string) (*Expr, error) {
	opts := []cel.EnvOption{cel.CrossTypeNumericComparisons(true)}
	for _, f := range fields {
		opts = append(opts, cel.Variable(f.Name, celTypes[f.Type()]))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, explainIssues(env, text, issues)
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("%q is of type %s, want a condition such as op == \"put\"", text, t)
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &Expr{text: text, program: program, paths: pathsIn(checked)}, nil
}

// explainIssues turns the first issue into one line.
func explainIssues(env *cel.Env, text string, issues *cel.Issues) error {
	first := issues.Errors()[0]
	at := first.Location.Column() + 1
	if name, ok := strings.CutPrefix(first.Message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		return fmt.Errorf("no field %q at column %d of %q; --help lists the fields", name, at, text)
	}
	message, _, _ := strings.Cut(first.Message, " expecting {") // a list of tokens
	err := fmt.Errorf("column %d of %q: %s", at, text, message)
	if used := usedFields(env, text); len(used) > 0 {
		return fmt.Errorf("%w (%s)", err, strings.Join(used, ", "))
	}
	return err
}

// usedFields returns "size is int" and the like for the fields that occur in an expression.
func usedFields(env *cel.Env, text string) []string {
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil
	}
	var used []string
	ast.PostOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind {
			return
		}
		for _, f := range fields {
			s := f.Name + " is " + f.Type()
			if f.Name == e.AsIdent() && !slices.Contains(used, s) {
				used = append(used, s)
			}
		}
	}))
	return used
}

// Match evaluates the expression on a record. A record that lacks a key of a map that the
// expression looks into doesn't match.
func (w *Expr) Match(r *Row) (bool, error) {
	w.look(r)
	v, _, err := w.program.Eval(activation{r})
	if err != nil {
		if isNoSuchKey(err) {
			return false, nil
		}
		return false, ui.UsageError{Err: fmt.Errorf("--where %q: %s: %w", w.text, r.where(), err)}
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, ui.UsageError{Err: fmt.Errorf("--where %q: %s: the result is of type %s, want a condition", w.text, r.where(), v.Type())}
	}
	return bool(b), nil
}

func isNoSuchKey(err error) bool {
	var celErr *types.Err
	return errors.As(err, &celErr) && strings.HasPrefix(celErr.Error(), "no such key")
}

// activation asks for a field only when the expression reaches it.
type activation struct{ row *Row }

// ResolveName implements interpreter.Activation.
func (a activation) ResolveName(name string) (any, bool) {
	f := byName[name]
	if f == nil {
		return nil, false
	}
	if v, ok := f.cel(a.row); ok {
		return v, true
	}
	return absent(f.Type()), true
}

// Parent implements interpreter.Activation.
func (activation) Parent() interpreter.Activation { return nil }
