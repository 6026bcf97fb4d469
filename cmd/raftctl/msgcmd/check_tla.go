package msgcmd

import (
	"fmt"
	"io"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/decode/stream/tla"
)

// judged is what the messages of a cluster are held against.
type judged struct {
	checker *check.Checker
	trace   *tla.Trace // nil: none is asked for
}

func (o *checkOptions) judge(c check.Options) *judged {
	j := &judged{checker: check.New(c)}
	if o.tla != "" {
		j.trace = tla.New(tla.Options{Members: c.Members})
	}
	return j
}

func (j *judged) add(e *stream.Event) {
	j.checker.Add(e)
	if j.trace != nil {
		j.trace.Add(e)
	}
}

func (j *judged) join(from *judged) {
	j.checker.Join(from.checker)
	if j.trace != nil {
		j.trace.Join(from.trace)
	}
}

// writeTrace writes the trace of the only cluster, if it is asked for, and says what is in it.
func (o *checkOptions) writeTrace(a *ui.App, c *clusters[*judged]) error {
	if o.tla == "" {
		return nil
	}
	numbers := c.numbers()
	if len(numbers) != 1 {
		return ui.UsageError{Err: fmt.Errorf("--tla takes the messages of one cluster, got those of %d", len(numbers))}
	}
	var sum *tla.Summary
	err := writeWhole(a.Path(o.tla), func(w io.Writer) (err error) {
		sum, err = c.list[numbers[0]].trace.Write(w)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Err, "%s: %s %s of %d members, which explain %s of %s messages\n", ui.Quote(o.tla), ui.Count(sum.Events),
		ui.Plural(int(sum.Events), "event"), sum.Members, ui.Count(sum.Messages-sum.LeftOut), ui.Count(sum.Messages))
	if sum.LeftOut > 0 {
		fmt.Fprintf(a.Err, "the first that is left out: %s: %s\n", placeOf(&sum.First), sum.Why)
	}
	if sum.Midway {
		fmt.Fprintln(a.Err, "the messages don't begin with the cluster: TLC, which begins with logs of term 1, won't follow the trace")
	}
	return nil
}
