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
type Expr[R Row] struct {
	table   *Table[R]
	text    string
	program cel.Program
	paths   []*path[R] // what it looks into
}

// Compile compiles an expression over the fields. The error names the fields that the
// expression uses, with their types.
func (t *Table[R]) Compile(text string) (*Expr[R], error) {
	opts := []cel.EnvOption{cel.CrossTypeNumericComparisons(true)}
	for i := range t.fields {
		f := &t.fields[i]
		opts = append(opts, cel.Variable(f.Name, celTypes[f.Type()]))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, t.explainIssues(env, text, issues)
	}
	if typ := checked.OutputType(); !typ.IsExactType(cel.BoolType) && !typ.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("%q is of type %s, want a condition such as %s", text, typ, t.Example)
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &Expr[R]{table: t, text: text, program: program, paths: t.pathsIn(checked)}, nil
}

// explainIssues turns the first issue into one line.
func (t *Table[R]) explainIssues(env *cel.Env, text string, issues *cel.Issues) error {
	first := issues.Errors()[0]
	at := first.Location.Column() + 1
	if name, ok := strings.CutPrefix(first.Message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		return fmt.Errorf("no field %q at column %d of %q; --help lists the fields", name, at, text)
	}
	message, _, _ := strings.Cut(first.Message, " expecting {") // a list of tokens
	err := fmt.Errorf("column %d of %q: %s", at, text, message)
	if used := t.usedFields(env, text); len(used) > 0 {
		return fmt.Errorf("%w (%s)", err, strings.Join(used, ", "))
	}
	return err
}

// usedFields returns "size is int" and the like for the fields that occur in an expression.
func (t *Table[R]) usedFields(env *cel.Env, text string) []string {
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil
	}
	var used []string
	ast.PostOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind {
			return
		}
		for i := range t.fields {
			f := &t.fields[i]
			s := f.Name + " is " + f.Type()
			if f.Name == e.AsIdent() && !slices.Contains(used, s) {
				used = append(used, s)
			}
		}
	}))
	return used
}

// Match evaluates the expression on a row. A row that lacks a key of a map that the
// expression looks into doesn't match.
func (w *Expr[R]) Match(r R) (bool, error) {
	w.look(r)
	v, _, err := w.program.Eval(activation[R]{w.table, r})
	if err != nil {
		if isNoSuchKey(err) {
			return false, nil
		}
		return false, ui.UsageError{Err: fmt.Errorf("--where %q: %s: %w", w.text, r.Where(), err)}
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, ui.UsageError{Err: fmt.Errorf("--where %q: %s: the result is of type %s, want a condition", w.text, r.Where(), v.Type())}
	}
	return bool(b), nil
}

func isNoSuchKey(err error) bool {
	var celErr *types.Err
	return errors.As(err, &celErr) && strings.HasPrefix(celErr.Error(), "no such key")
}

// activation asks for a field only when the expression reaches it.
type activation[R Row] struct {
	table *Table[R]
	row   R
}

// ResolveName implements interpreter.Activation.
func (a activation[R]) ResolveName(name string) (any, bool) {
	f := a.table.byName[name]
	if f == nil {
		return nil, false
	}
	if v, ok := f.cel(a.row); ok {
		return v, true
	}
	return absent(f.Type()), true
}

// Parent implements interpreter.Activation.
func (activation[R]) Parent() interpreter.Activation { return nil }
