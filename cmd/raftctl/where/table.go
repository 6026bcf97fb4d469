package where

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types/ref"
)

// Row is what a table needs to know of the rows that it describes.
type Row interface {
	// Kind names the kind of the row, as in Field.Kinds.
	Kind() string

	// Readable reports whether the row has the fields of its kind.
	Readable() bool

	// Shows reports whether the JSON of rows like this one can have the fields that only some have.
	Shows(o Only) bool

	// Where names the row in an error.
	Where() string
}

// Only says which rows have a field in their JSON; what it means is for the table to say. In --where all
// that are of its kinds have it.
type Only uint8

// Always stands for fields that all rows have in their JSON.
const Always Only = 0

// Field is one field of a row's JSON, and a variable of --where of the same name.
type Field[R Row] struct {
	Name  string
	Kinds []string // the kinds of rows that have it; nil: all
	Only  Only
	Doc   string
	Value Value[R]
}

// Type names the type that the field has in --where.
func (f *Field[R]) Type() string { return f.Value.typ() }

// Of reports whether rows like this one can have the field.
func (f *Field[R]) Of(r R) bool {
	switch {
	case f.Kinds == nil:
		return true
	case !r.Readable():
		return false
	}
	return slices.Contains(f.Kinds, r.Kind())
}

// Shown reports whether the JSON of rows like this one can have the field.
func (f *Field[R]) Shown(r R) bool { return f.Of(r) && (f.Only == Always || r.Shows(f.Only)) }

// Has reports whether a row has the field, for --where.
func (f *Field[R]) Has(r R) bool {
	_, ok := f.cel(r)
	return ok
}

// Repeats reports whether a row's JSON leaves the field out since it tells nothing that others don't.
func (f *Field[R]) Repeats(r R) bool {
	l, isList := f.Value.(List[R])
	return isList && !l.Tells(r)
}

// cel returns the field for --where; ok is false if the row doesn't have it.
func (f *Field[R]) cel(r R) (v ref.Val, ok bool) {
	if !f.Of(r) {
		return nil, false
	}
	return f.Value.cel(r)
}

// Table holds the fields of rows of one type.
type Table[R Row] struct {
	TableOptions
	fields []Field[R]
	byName map[string]*Field[R]
}

// TableOptions says how a table is used.
type TableOptions struct {
	Head    int             // how many fields are the same for rows of one shape: see [Shapes]
	Flags   map[Only]string // the flags that show fields, for help texts
	Example string          // of a condition
}

// NewTable returns a table of fields, in the order of the JSON.
func NewTable[R Row, F fieldOf[R]](o TableOptions, fields []F) *Table[R] {
	t := &Table[R]{TableOptions: o, fields: make([]Field[R], len(fields)), byName: map[string]*Field[R]{}}
	for i := range fields {
		t.fields[i] = Field[R](fields[i])
		t.byName[t.fields[i].Name] = &t.fields[i]
	}
	return t
}

// fieldOf is a Field, perhaps under the name that it has where the table is written.
type fieldOf[R Row] interface {
	~struct {
		Name  string
		Kinds []string
		Only  Only
		Doc   string
		Value Value[R]
	}
}

// Fields returns all fields, in the order of the JSON.
func (t *Table[R]) Fields() []Field[R] { return slices.Clone(t.fields) }

// Help lists the fields as --help shows them.
func (t *Table[R]) Help() string {
	name, kinds := 13, 0
	for i := range t.fields {
		name, kinds = max(name, len(t.fields[i].Name)), max(kinds, len(t.kinds(&t.fields[i])))
	}
	kinds = min(kinds, 22) // some are longer, and push what is behind them away
	var b strings.Builder
	for i := range t.fields {
		f := &t.fields[i]
		fmt.Fprintf(&b, "  %-*s %-7s %-*s %s\n", name, f.Name, f.Type(), kinds, t.kinds(f), f.Doc)
	}
	return b.String()
}

// kinds names the kinds of rows that have a field.
func (t *Table[R]) kinds(f *Field[R]) string {
	s := "all"
	if f.Kinds != nil {
		s = strings.Join(f.Kinds, ", ")
	}
	if name := t.Flags[f.Only]; name != "" {
		s += " (--" + name + ")"
	}
	return s
}
