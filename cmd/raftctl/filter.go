package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/wal"
)

// filter says which records dump shows.
type filter struct {
	index, term span
	kinds       []string
	ops         []string
	key         string
	expr        string

	where *where
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
	completeWith(cmd, "kind", kindNames)
	completeWith(cmd, "op", opNames)
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
			return usagef(cmd, "--kind %q, want one of %s", k, strings.Join(kindNames, ", "))
		}
	}
	if f.expr == "" {
		return nil
	}
	w, err := compileWhere(f.expr)
	if err != nil {
		return usageError{fmt.Errorf("--where: %w", err)}
	}
	f.where = w
	return nil
}

// passes reports whether a record is to be shown. What is cheap to tell is looked at first.
func (f *filter) passes(r *row) (bool, error) {
	if len(f.kinds) > 0 && !slices.Contains(f.kinds, r.rec.Kind.String()) {
		return false, nil
	}
	if !f.inRange(r) {
		return false, nil
	}
	if len(f.ops) > 0 || f.key != "" {
		if r.rec.Kind != wal.KindEntry || r.bad != nil || !f.asks(r) {
			return false, nil
		}
	}
	if f.where == nil {
		return true, nil
	}
	return f.where.match(r)
}

// inRange looks at index and term. Damage is in the range if an entry that it may have held is.
func (f *filter) inRange(r *row) bool {
	if r.rec.Kind == wal.KindDamage && (f.index.set || f.term.set) {
		d := r.rec.Damage
		return f.index.meets(d.Before.Index, d.After.Index) && f.term.meets(d.Before.Term, d.After.Term)
	}
	if f.index.set {
		if index, ok := r.index(); !ok || !f.index.has(index) {
			return false
		}
	}
	if f.term.set {
		if term, ok := r.term(); !ok || !f.term.has(term) {
			return false
		}
	}
	return true
}

// asks looks at what an entry asks for.
func (f *filter) asks(r *row) bool {
	p := r.request()
	if len(f.ops) > 0 && !slices.Contains(f.ops, string(p.Op)) {
		return false
	}
	return f.key == "" || p.TouchesPrefix([]byte(f.key))
}
