package walcmd

import (
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
)

// jsonRenderer writes an object a record.
type jsonRenderer struct{ frame *ui.Frame }

func (j *jsonRenderer) start(int) []byte { return nil }

func (j *jsonRenderer) line(dst []byte, r *logrow.Row) []byte {
	return append(r.AppendJSON(dst), j.frame.End...)
}

func (j *jsonRenderer) finish(shown int) []byte { return j.frame.After(shown) }
