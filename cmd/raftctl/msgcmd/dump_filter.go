package msgcmd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// filter says which events are shown.
type filter struct {
	types       []string
	from, to    string
	term, index ui.Span
	expr        string

	kinds     map[stream.Kind]bool
	messages  map[raftpb.MessageType]bool // nil: all of them
	condition *where.Expr[*msgrow.Row]
}

func (f *filter) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringSliceVar(&f.types, "type", nil,
		"only messages of these `TYPES`, such as app, app_resp or vote, or events of a kind: message, exchange, link_heartbeat, gap")
	fl.StringVar(&f.from, "from", "", "only what this `MEMBER` sends, named by ID or by name")
	fl.StringVar(&f.to, "to", "", "only what this `MEMBER` receives, named by ID or by name")
	fl.Var(&f.term, "term", "only messages of a term of LO to HI, inclusive; LO.. and ..HI are open ranges")
	fl.Var(&f.index, "index", "only messages whose index, or an entry of which, is one of LO to HI, inclusive")
	fl.StringVar(&f.expr, "where", "", "only events for which this CEL `EXPR` over the fields below is true")
	ui.CompleteWith(cmd, "type", typeNames())
}

// typeNames returns what --type takes.
func typeNames() []string {
	names := []string{"message", "exchange", "link_heartbeat", "gap"}
	for t := raftpb.MsgHup; t <= raftpb.MsgForgetLeader; t++ {
		if !raftpb.IsLocalMsg(t) {
			names = append(names, snake(shortType(t)))
		}
	}
	return names
}

// shortType names a type as the table shows it: App for MsgApp.
func shortType(t raftpb.MessageType) string { return strings.TrimPrefix(t.String(), "Msg") }

// snake returns AppResp as app_resp.
func snake(name string) string {
	var b strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// plainType returns a name of a type as it is compared: MsgAppResp, AppResp and app_resp are the same.
func plainType(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", ""))
	return strings.TrimPrefix(name, "msg")
}

// prepare checks the flags and compiles the expression.
func (f *filter) prepare(cmd *cobra.Command) error {
	for _, name := range []string{"type", "from", "to", "where"} {
		if fl := cmd.Flags().Lookup(name); fl.Changed && strings.Trim(fl.Value.String(), "[] ") == "" {
			return ui.Usagef(cmd, "--%s is empty", name)
		}
	}
	if err := f.prepareTypes(cmd); err != nil || f.expr == "" {
		return err
	}
	e, err := msgrow.Table.Compile(f.expr)
	if err != nil {
		return ui.UsageError{Err: fmt.Errorf("--where: %w", err)}
	}
	f.condition = e
	return nil
}

func (f *filter) prepareTypes(cmd *cobra.Command) error {
	f.kinds = map[stream.Kind]bool{}
	if len(f.types) == 0 {
		f.kinds[stream.KindMessage], f.kinds[stream.KindExchange], f.kinds[stream.KindGap] = true, true, true
		return nil
	}
	all := false
	for _, name := range f.types {
		if name == "message" {
			f.kinds[stream.KindMessage], all = true, true
			continue
		}
		if !f.addType(name) {
			return ui.Usagef(cmd, "--type %q, want some of %s", name, strings.Join(typeNames(), ", "))
		}
	}
	if all {
		f.messages = nil
	}
	return nil
}

// addType lets a kind or a type pass.
func (f *filter) addType(name string) bool {
	for _, k := range []stream.Kind{stream.KindExchange, stream.KindLinkHeartbeat, stream.KindGap} {
		if name == msgrow.KindName(k) {
			f.kinds[k] = true
			return true
		}
	}
	for t := raftpb.MsgHup; t <= raftpb.MsgForgetLeader; t++ {
		if plainType(name) != plainType(t.String()) || raftpb.IsLocalMsg(t) {
			continue
		}
		if f.messages == nil {
			f.messages = map[raftpb.MessageType]bool{}
		}
		f.kinds[stream.KindMessage], f.messages[t] = true, true
		return true
	}
	return false
}

// wants reports whether an event may be shown, as far as that is told without looking into entries.
func (f *filter) wants(e *stream.Event, names *stream.Names) bool {
	if !f.kinds[e.Kind] || !isMember(f.from, e.From, names) || !isMember(f.to, e.To, names) {
		return false
	}
	if e.Kind != stream.KindMessage {
		return !f.term.IsSet && !f.index.IsSet
	}
	m := e.Message
	if f.messages != nil && !f.messages[m.Type] || !f.term.Has(m.Term) {
		return false
	}
	return f.index.Has(m.Index) || slices.ContainsFunc(m.Entries, func(e raftpb.Entry) bool { return f.index.Has(e.Index) })
}

// isMember reports whether a member is the one that a flag names; all are if it names none.
func isMember(named string, id uint64, names *stream.Names) bool {
	if named == "" || named == names.Of(id) {
		return true
	}
	want, err := strconv.ParseUint(named, 16, 64)
	return err == nil && id != 0 && want == id
}

// passes reports whether a row that is wanted is shown.
func (f *filter) passes(r *msgrow.Row) (bool, error) {
	if f.condition == nil {
		return true, nil
	}
	return f.condition.Match(r)
}
