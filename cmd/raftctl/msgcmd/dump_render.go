package msgcmd

import (
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
)

// renderer turns events into output.
type renderer interface {
	start() []byte                         // before the first event
	line(dst []byte, r *msgrow.Row) []byte // appended
	finish(shown int) []byte               // after the last
}

func (d *dumper) newRenderer() renderer {
	if frame := d.o.output.Frame(); frame != nil {
		return &jsonRenderer{frame}
	}
	return newTableRenderer(d.a, d.o)
}

// jsonRenderer writes an object an event.
type jsonRenderer struct{ frame *ui.Frame }

func (j *jsonRenderer) start() []byte { return nil }

func (j *jsonRenderer) line(dst []byte, r *msgrow.Row) []byte {
	return append(r.AppendJSON(dst), j.frame.End...)
}

func (j *jsonRenderer) finish(shown int) []byte { return j.frame.After(shown) }
