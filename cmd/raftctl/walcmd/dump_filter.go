package walcmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

// filter says which records dump shows.
type filter struct {
	index, term ui.Span
	kinds       []string
	ops         []string
	key         string
	expr        string

	request   decode.Filter            // of ops and key
	condition *where.Expr[*logrow.Row] // of expr
}

var kindNames = []string{"metadata", "entry", "state", "snapshot", "crc", "damage"}

func (f *filter) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.Var(&f.index, "index", "only entries and snapshots with an index of LO to HI, inclusive; LO.. and ..HI are open ranges")
	fl.Var(&f.term, "term", "only records with a term of LO to HI, inclusive")
	fl.StringSliceVar(&f.kinds, "kind", nil, "only records of these `KINDS`: "+strings.Join(kindNames, ", "))
	fl.StringSliceVar(&f.ops, "op", nil, "only entries that do one of these `OPS`, or have it in a transaction, in either branch")
	fl.StringVar(&f.key, "key", "", "only entries that touch a key with this `PREFIX`, also by a range or in a transaction, in either branch; with --op, by one of these operations")
	fl.StringVar(&f.expr, "where", "", "only records for which this CEL `EXPR` over the fields below is true")
	ui.CompleteWith(cmd, "kind", kindNames)
	ui.CompleteWith(cmd, "op", opNames())
}

func opNames() []string {
	ops := decode.Ops()
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return names
}

// opsHelp lists the operations as --help shows them.
func opsHelp() string {
	var b strings.Builder
	line := " "
	for _, name := range opNames() {
		if len(line)+len(name) > 96 {
			b.WriteString(line + "\n")
			line = " "
		}
		line += " " + name
	}
	return b.String() + line + "\n"
}

// filterFlags are those of the filters that take text.
var filterFlags = []string{"kind", "op", "key", "where"}

// prepare checks the flags and compiles the expression. What nothing could ever match is a mistake.
func (f *filter) prepare(cmd *cobra.Command, o *dumpOptions) error {
	for _, name := range filterFlags {
		if fl := cmd.Flags().Lookup(name); fl.Changed && strings.Trim(fl.Value.String(), "[] ") == "" {
			return ui.Usagef(cmd, "--%s is empty", name)
		}
	}
	for _, k := range f.kinds {
		if !slices.Contains(kindNames, k) {
			return ui.Usagef(cmd, "--kind %q, want one of %s", k, strings.Join(kindNames, ", "))
		}
	}
	for _, op := range f.ops {
		if o.decode.isEtcd() && !slices.Contains(decode.Ops(), decode.Op(op)) {
			return unknownOp(cmd, op)
		}
		f.request.Ops = append(f.request.Ops, decode.Op(op))
	}
	if f.key != "" {
		f.request.Key, f.request.Prefix = []byte(f.key), true
	}
	if err := f.canMatch(cmd, o); err != nil || f.expr == "" {
		return err
	}
	w, err := logrow.Table.Compile(f.expr)
	if err != nil {
		return ui.UsageError{Err: fmt.Errorf("--where: %w", err)}
	}
	if field, ok := w.Needs(logrow.Who); ok && !o.who {
		return ui.Usagef(cmd, "--where names %s, which takes --who", field)
	}
	if field, ok := w.Needs(logrow.Time); ok && !o.time {
		return ui.Usagef(cmd, "--where names %s, which takes --time", field)
	}
	f.condition = w
	return nil
}

// unknownOp names the operation that was probably meant, or all.
func unknownOp(cmd *cobra.Command, op string) error {
	for _, name := range opNames() {
		if strings.Contains(name, strings.ToLower(op)) || strings.Contains(strings.ToLower(op), name) {
			return ui.Usagef(cmd, "--op %q is no operation (did you mean %q?)", op, name)
		}
	}
	return ui.Usagef(cmd, "--op %q, want one of %s", op, strings.Join(opNames(), ", "))
}

// canMatch refuses filters that exclude each other.
func (f *filter) canMatch(cmd *cobra.Command, o *dumpOptions) error {
	only := func(kinds ...string) bool { // every kind that is asked for is one of these
		return len(f.kinds) > 0 &&
			!slices.ContainsFunc(f.kinds, func(k string) bool { return !slices.Contains(kinds, k) })
	}
	kinds := strings.Join(f.kinds, ",")
	switch {
	case only("crc") && !o.physical:
		return ui.Usagef(cmd, "--kind crc shows records that only --physical shows")
	case len(f.kinds) > 0 && !slices.Contains(f.kinds, "entry") && len(f.ops) > 0:
		return ui.Usagef(cmd, "--op is for entries, which --kind %s leaves out", kinds)
	case len(f.kinds) > 0 && !slices.Contains(f.kinds, "entry") && f.key != "":
		return ui.Usagef(cmd, "--key is for entries, which --kind %s leaves out", kinds)
	case f.index.IsSet && only("metadata", "state", "crc"):
		return ui.Usagef(cmd, "--index is for entries and snapshots, which --kind %s leaves out", kinds)
	case f.term.IsSet && only("metadata", "crc"):
		return ui.Usagef(cmd, "--term is for entries, states and snapshots, which --kind %s leaves out", kinds)
	}
	return nil
}

// isSet reports whether any filter leaves records out.
func (f *filter) isSet() bool {
	return f.index.IsSet || f.term.IsSet || len(f.kinds) > 0 || len(f.ops) > 0 || f.key != "" || f.expr != ""
}

// passes reports whether a record is to be shown. What is cheap to tell is looked at first.
func (f *filter) passes(r *logrow.Row) (bool, error) {
	if len(f.kinds) > 0 && !slices.Contains(f.kinds, r.Rec.Kind.String()) {
		return false, nil
	}
	if !f.inRange(r) {
		return false, nil
	}
	if len(f.ops) > 0 || f.key != "" {
		if r.Rec.Kind != wal.KindEntry || r.Bad != nil || !r.Request().Match(&f.request) {
			return false, nil
		}
	}
	if f.condition == nil {
		return true, nil
	}
	return f.condition.Match(r)
}

// inRange looks at index and term. Damage is in the range if an entry that it may have held is.
func (f *filter) inRange(r *logrow.Row) bool {
	if r.Rec.Kind == wal.KindDamage && (f.index.IsSet || f.term.IsSet) {
		d := r.Rec.Damage
		return f.index.Meets(d.Before.Index, d.After.Index) && f.term.Meets(d.Before.Term, d.After.Term)
	}
	if f.index.IsSet {
		if index, ok := r.Index(); !ok || !f.index.Has(index) {
			return false
		}
	}
	if f.term.IsSet {
		if term, ok := r.Term(); !ok || !f.term.Has(term) {
			return false
		}
	}
	return true
}
