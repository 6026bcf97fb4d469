package msgcmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
)

// clusters hands the events of each cluster to something of its own.
type clusters[T any] struct {
	stream.Clusters
	list []T // by number
	gone map[int]bool
}

// newClusters returns clusters whose events are handed to what begin returns.
func newClusters[T any](begin func(c *stream.Clusters, number int) T, add func(T, *stream.Event), join func(into, from T)) *clusters[T] {
	c := &clusters[T]{gone: map[int]bool{}}
	c.Do = func(n int, e *stream.Event) {
		for len(c.list) <= n {
			c.list = append(c.list, begin(&c.Clusters, len(c.list)))
		}
		add(c.list[n], e)
	}
	c.Join = func(into, from int) {
		join(c.list[into], c.list[from])
		c.gone[from] = true
	}
	return c
}

// read hands on the events of sources.
func (c *clusters[T]) read(ctx context.Context, a *ui.App, o *sourceOptions, sources []string) error {
	err := o.each(ctx, a, sources, func(e *stream.Event) error {
		c.Add(e)
		return nil
	})
	if err != nil {
		return err
	}
	c.Flush()
	return nil
}

// numbers returns the numbers of the clusters there are at the end.
func (c *clusters[T]) numbers() (list []int) {
	for n := range c.list {
		if !c.gone[n] {
			list = append(list, n)
		}
	}
	return list
}

// told is what a command tells of a cluster.
type told[J any] interface {
	json() J
	print(io.Writer) error
	heading() string
}

// writeClusters writes what is told of clusters, each under its name where there are several.
func writeClusters[J any, P told[J]](a *ui.App, o *ui.Output, all []P) error {
	var results []J
	for _, p := range all {
		results = append(results, p.json())
	}
	return ui.WriteAll(o, a.Out, results, func() error {
		for i, p := range all {
			if i > 0 {
				fmt.Fprintln(a.Out)
			}
			if len(all) > 1 {
				fmt.Fprintln(a.Text(), p.heading())
			}
			if err := p.print(a.Text()); err != nil {
				return err
			}
		}
		return nil
	})
}

// title names a cluster for people, where there are several.
func title(c *stream.Clusters, number int, names *stream.Names) string {
	var b strings.Builder
	b.WriteString("cluster")
	if id := c.ID(number); id != 0 {
		b.WriteString(" " + hexID(id))
	}
	for i, id := range c.Members(number) {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep)
		b.Write(appendMember(nil, id, names.Of(id)))
	}
	return b.String()
}
