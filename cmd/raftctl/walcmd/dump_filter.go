package walcmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/wal"
)

// filter says which records dump shows.
type filter struct {
	index, term ui.Span
	kinds       []string
	ops         []string
	key         string
	expr        string

	condition *where.Expr // of expr
}

var kindNames = []string{"metadata", "entry", "state", "snapshot", "crc", "damage"}

func (f *filter) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.Var(&f.index, "index", "only entries and snapshots with an index of LO to HI, inclusive; LO.. and ..HI are open ranges")
	fl.Var(&f.term, "term", "only records with a term of LO to HI, inclusive")
	fl.StringSliceVar(&f.kinds, "kind", nil, "only records of these `KINDS`: "+strings.Join(kindNames, ", "))
	fl.StringSliceVar(&f.ops, "op", nil, "only entries with these `OPS`, such as put, delete_range, txn, conf_change")
	fl.StringVar(&f.key, "key", "", "only entries that touch a key with this `PREFIX`, also by a range or within a transaction")
	fl.StringVar(&f.expr, "where", "", "only records for which this CEL `EXPR` over the fields below is true")
	ui.CompleteWith(cmd, "kind", kindNames)
	ui.CompleteWith(cmd, "op", opNames)
}

// opNames are offered by the shell; any operation may be asked for.
var opNames = []string{
	"put", "range", "delete_range", "txn", "compaction", "lease_grant", "lease_revoke",
	"lease_checkpoint", "alarm", "conf_change", "conf_change_v2", "empty",
}

// prepare checks the flags and compiles the expression.
func (f *filter) prepare(cmd *cobra.Command) error {
	for _, k := range f.kinds {
		if !slices.Contains(kindNames, k) {
			return ui.Usagef(cmd, "--kind %q, want one of %s", k, strings.Join(kindNames, ", "))
		}
	}
	if f.expr == "" {
		return nil
	}
	w, err := where.Compile(f.expr)
	if err != nil {
		return ui.UsageError{Err: fmt.Errorf("--where: %w", err)}
	}
	f.condition = w
	return nil
}

// passes reports whether a record is to be shown. What is cheap to tell is looked at first.
func (f *filter) passes(r *where.Row) (bool, error) {
	if len(f.kinds) > 0 && !slices.Contains(f.kinds, r.Rec.Kind.String()) {
		return false, nil
	}
	if !f.inRange(r) {
		return false, nil
	}
	if len(f.ops) > 0 || f.key != "" {
		if r.Rec.Kind != wal.KindEntry || r.Bad != nil || !f.asks(r) {
			return false, nil
		}
	}
	if f.condition == nil {
		return true, nil
	}
	return f.condition.Match(r)
}

// inRange looks at index and term. Damage is in the range if an entry that it may have held is.
func (f *filter) inRange(r *where.Row) bool {
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

// asks looks at what an entry asks for.
func (f *filter) asks(r *where.Row) bool {
	p := r.Request()
	if len(f.ops) > 0 && !slices.Contains(f.ops, string(p.Op)) {
		return false
	}
	return f.key == "" || p.TouchesPrefix([]byte(f.key))
}
