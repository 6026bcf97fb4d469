package walcmd

import (
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
)

// renderer turns records into output.
type renderer interface {
	start(shown int) []byte                // before a log's records, shown of earlier logs
	line(dst []byte, r *logrow.Row) []byte // appended
	finish(shown int) []byte               // after the last log
}

func (d *dumper) newRenderer() renderer {
	if frame := d.o.output.Frame(); frame != nil {
		return &jsonRenderer{frame}
	}
	columns := logicalColumns(d.view)
	if d.o.physical {
		columns = physicalColumns(d.log)
	}
	if d.o.time {
		columns = append(columns, timeColumn())
	}
	if d.o.who {
		columns = append(columns, whoColumn())
	}
	return newTableRenderer(d.a, d.name, columns)
}
