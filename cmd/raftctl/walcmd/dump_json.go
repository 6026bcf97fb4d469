package walcmd

import (
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where"
)

// jsonRenderer writes an object a record.
type jsonRenderer struct{ frame *ui.Frame }

func (j *jsonRenderer) start(int) []byte { return nil }

func (j *jsonRenderer) separator(shown int) []byte {
	if shown == 0 {
		return []byte(j.frame.Open)
	}
	return []byte(j.frame.Between)
}

func (j *jsonRenderer) line(dst []byte, r *where.Row) []byte {
	return append(r.AppendJSON(dst), j.frame.End...)
}

func (j *jsonRenderer) finish(shown int) []byte {
	if shown == 0 {
		return []byte(j.frame.Empty)
	}
	return []byte(j.frame.Close)
}
