package walcmd

import (
	"github.com/raftctl/raftctl/cmd/raftctl/where"
)

// renderer turns records into output.
type renderer interface {
	start(shown int) []byte               // before a log's records, shown of earlier logs
	separator(shown int) []byte           // before a line
	line(dst []byte, r *where.Row) []byte // appended
	finish(shown int) []byte              // after the last log
}

func (d *dumper) newRenderer() renderer {
	if frame := d.o.output.Frame(); frame != nil {
		return &jsonRenderer{frame}
	}
	if d.o.physical {
		return newPhysicalTable(d.a, d.name, d.log)
	}
	return newLogicalTable(d.a, d.name, d.view)
}
