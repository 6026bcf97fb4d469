package where

import (
	"slices"
	"strings"
	"sync/atomic"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"
)

// path is a field that an expression names, and the keys by which it looks into the field.
type path[R Row] struct {
	field *Field[R]
	keys  []string
	seen  atomic.Bool // a row had it
}

// String formats the path as it stands in the expression.
func (p *path[R]) String() string {
	return strings.Join(append([]string{p.field.Name}, p.keys...), ".")
}

// pathsIn returns the paths in an expression: of request.put.key just that, and not request.
func (t *Table[R]) pathsIn(checked *cel.Ast) []*path[R] {
	var paths []*path[R]
	var inner []ast.Expr // operands of what is a longer path
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if slices.Contains(inner, e) {
			if e.Kind() == ast.SelectKind {
				inner = append(inner, e.AsSelect().Operand())
			}
			return
		}
		var keys []string
		root := e
		for root.Kind() == ast.SelectKind {
			keys = append(keys, root.AsSelect().FieldName())
			root = root.AsSelect().Operand()
		}
		if root.Kind() != ast.IdentKind || t.byName[root.AsIdent()] == nil {
			return
		}
		if e.Kind() == ast.SelectKind {
			inner = append(inner, e.AsSelect().Operand())
		}
		slices.Reverse(keys)
		paths = append(paths, &path[R]{field: t.byName[root.AsIdent()], keys: keys})
	}))
	return paths
}

// look notes which of the paths the row has. Those that were seen aren't looked for again.
func (w *Expr[R]) look(r R) {
	for _, p := range w.paths {
		if !p.seen.Load() && p.in(r) {
			p.seen.Store(true)
		}
	}
}

func (p *path[R]) in(r R) bool {
	v, ok := p.field.cel(r)
	for _, key := range p.keys {
		m, isMap := v.(traits.Mapper)
		if !ok || !isMap {
			return false
		}
		v, ok = m.Find(types.String(key))
	}
	return ok
}

// Unseen returns what the expression names and none of the rows had that it was evaluated on, in
// the order in which it stands there.
func (w *Expr[R]) Unseen() []string {
	var names []string
	for _, p := range w.paths {
		if s := p.String(); !p.seen.Load() && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// Needs reports whether the expression names a field that rows have only if they are shown in
// this way.
func (w *Expr[R]) Needs(o Only) (field string, ok bool) {
	for _, p := range w.paths {
		if p.field.Only == o {
			return p.field.Name, true
		}
	}
	return "", false
}
