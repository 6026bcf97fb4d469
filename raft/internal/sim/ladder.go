package sim

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// Ladder draws a run: time goes down, each member has a lane, each message that arrives is an
// arrow. A nil Ladder draws nothing.
type Ladder struct {
	Last int // how many rows are kept, 0 for all
	rows []string
	head string
	n    int // lanes
}

// laneWidth is the number of columns of a lane.
const laneWidth = 9

// WriteTo writes the ladder.
func (l *Ladder) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	b.WriteString(l.head)
	for _, row := range l.rows {
		b.WriteString(row)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (l *Ladder) begin(w *world) {
	if l == nil {
		return
	}
	l.n = w.shape.members
	var b strings.Builder
	fmt.Fprintf(&b, "world: %+v\nX: lost. >: arrives.\n%9s ", w.shape, "time")
	for id := range l.n {
		fmt.Fprintf(&b, "%*d%*s", laneWidth/2+1, id+1, laneWidth/2, "")
	}
	b.WriteByte('\n')
	l.head = b.String()
}

func (l *Ladder) add(now int64, lanes, text string) {
	l.rows = append(l.rows, strings.TrimRight(fmt.Sprintf("%9d %s %s", now, lanes, text), " ")+"\n")
	if l.Last > 0 && len(l.rows) >= 2*l.Last {
		l.rows = slices.Delete(l.rows, 0, len(l.rows)-l.Last)
	}
}

// column returns the column of a member's lane.
func column(id uint64) int { return int(id-1)*laneWidth + laneWidth/2 }

func (l *Ladder) lanes() []byte {
	b := []byte(strings.Repeat(" ", l.n*laneWidth))
	for id := range l.n {
		b[column(uint64(id)+1)] = '|'
	}
	return b
}

// note writes what a member does; member 0 is everybody.
func (l *Ladder) note(now int64, id uint64, text string) {
	if l == nil {
		return
	}
	lanes := l.lanes()
	if id > 0 {
		lanes[column(id)] = '*'
		text = fmt.Sprintf("%d: %s", id, text)
	}
	l.add(now, string(lanes), text)
}

func (l *Ladder) move(now int64, id uint64, e raft.StateChanged) {
	if l != nil {
		state := strings.TrimPrefix(e.State.String(), "State")
		l.note(now, id, fmt.Sprintf("%s of term %d", state, e.Term))
	}
}

func (l *Ladder) commit(now int64, id, commit uint64) {
	if l != nil {
		l.note(now, id, fmt.Sprintf("commit %d", commit))
	}
}

func (l *Ladder) reply(now int64, id uint64, op *operation) {
	if l != nil {
		l.note(now, id, fmt.Sprintf("answers client %d: %s #%d register %d value %d old %d: %d",
			op.client, op.kind, op.id, op.key, op.value, op.old, op.result))
	}
}

// arrow draws a message that arrives.
func (l *Ladder) arrow(now, sent int64, from uint64, msg *raftpb.Message) {
	if l == nil {
		return
	}
	lanes := l.lanes()
	a, b := column(from), column(msg.To)
	for i := min(a, b) + 1; i < max(a, b); i++ {
		lanes[i] = '-'
	}
	lanes[a] = 'o'
	switch {
	case a < b:
		lanes[b-1] = '>'
	case a > b:
		lanes[b+1] = '<'
	}
	l.add(now, string(lanes), fmt.Sprintf("%s (sent %d)", describe(msg), sent))
}

// lost draws a message that doesn't arrive.
func (l *Ladder) lost(now int64, from uint64, msg *raftpb.Message) {
	if l == nil {
		return
	}
	lanes := l.lanes()
	lanes[column(from)] = 'X'
	l.add(now, string(lanes), fmt.Sprintf("%s to %d lost", describe(msg), msg.To))
}

// describe formats what matters of a message.
func describe(m *raftpb.Message) string {
	s := fmt.Sprintf("%s term %d", strings.TrimPrefix(m.Type.String(), "Msg"), m.Term)
	short := func(id raftpb.EntryID) string { return fmt.Sprintf("%d/%d", id.Term, id.Index) }
	if m.Index > 0 || m.LogTerm > 0 {
		s += " at " + short(raftpb.EntryID{Term: m.LogTerm, Index: m.Index})
	}
	if n := len(m.Entries); n > 0 {
		s += fmt.Sprintf(" entries %s..%s", short(m.Entries[0].ID()), short(m.Entries[n-1].ID()))
	}
	if m.Snapshot != nil {
		s += " snapshot " + short(m.Snapshot.Metadata.ID())
	}
	if m.Commit > 0 {
		s += fmt.Sprintf(" commit %d", m.Commit)
	}
	if m.Reject {
		s += fmt.Sprintf(" reject hint %d", m.RejectHint)
	}
	return s
}
