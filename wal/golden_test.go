package wal

import (
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// Every log that a real etcd wrote is read record by record as etcd's own dump tool reads it,
// without a damage, in both modes.
func TestGolden(t *testing.T) {
	compared := 0
	for _, c := range corpus.Logs(t) {
		l, err := Open(os.DirFS(c.Dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		want, known := corpus.LookupGolden(t, c.Name+".raw.txt")
		if known {
			compared++
		}
		for _, mode := range []Mode{Inspect, Recover} {
			compareGolden(t, c.Name, l, mode, string(want))
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if compared < 10 {
		t.Errorf("%d logs compared with what etcd says of them, want at least 10", compared)
	}
}

// compareGolden compares the records of a log with the lines that etcd's tool printed of them, if
// it did.
func compareGolden(t *testing.T, name string, l *Log, mode Mode, golden string) {
	t.Helper()
	next, stop := iter.Pull(strings.SplitSeq(golden, "\n"))
	defer stop()
	for r, err := range l.Records(mode) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.Kind == KindDamage {
			t.Errorf("%s: %v", name, r.Damage)
			continue
		}
		if golden == "" {
			continue
		}
		want, _ := next()
		if got := asEtcdDumps(t, r); got != want {
			t.Fatalf("%s: %v: got %.200q, want %.200q", name, r.Pos, got, want)
		}
	}
	if want, _ := next(); golden != "" && !strings.HasPrefix(want, "EOF: ") {
		t.Errorf("%s: no more records, but the tool goes on with %.200q", name, want)
	}
}

// asEtcdDumps formats a record as etcd-dump-logs -raw does: in gogo's compact text form.
func asEtcdDumps(t *testing.T, r *Record) string {
	t.Helper()
	var b strings.Builder
	field := func(name string, v uint64) {
		if v != 0 {
			fmt.Fprintf(&b, "%s:%d ", name, v)
		}
	}
	switch r.Kind {
	case KindCRC:
		return fmt.Sprintf("CRC: %d", r.CRC)
	case KindMetadata:
		var m Metadata
		check(t, m.Unmarshal(r.Data))
		return fmt.Sprintf("Metadata: NodeID:%d ClusterID:%d ", m.NodeID, m.ClusterID)
	case KindState:
		var s raftpb.HardState
		check(t, s.Unmarshal(r.Data))
		b.WriteString("HardState: ")
		field("term", s.Term)
		field("vote", s.Vote)
		field("commit", s.Commit)
	case KindSnapshot:
		var s Snapshot
		check(t, s.Unmarshal(r.Data))
		b.WriteString("Snapshot: ")
		field("index", s.Index)
		field("term", s.Term)
		if s.ConfState != nil {
			b.WriteString("conf_state:<")
			for _, id := range s.ConfState.Voters {
				field("voters", id)
			}
			for _, id := range s.ConfState.Learners {
				field("learners", id)
			}
			b.WriteString("> ")
		}
	case KindEntry:
		entryAsEtcdDumps(t, &b, r)
	}
	return b.String()
}

func entryAsEtcdDumps(t *testing.T, b *strings.Builder, r *Record) {
	t.Helper()
	var e raftpb.Entry
	check(t, e.UnmarshalAlias(r.Data))
	if r.ID != e.ID() {
		t.Errorf("%v: entry %v, but the record says %v", r.Pos, e.ID(), r.ID)
	}
	fmt.Fprintf(b, "Entry: Term:%d Index:%d ", e.Term, e.Index)
	if e.Type == raftpb.EntryConfChange {
		b.WriteString("Type:EntryConfChange ")
	}
	if e.Data != nil {
		b.WriteString("Data:")
		writeGogoString(b, e.Data)
		b.WriteByte(' ')
	}
}

func writeGogoString(b *strings.Builder, data []byte) {
	b.WriteByte('"')
	for _, c := range data {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '"', c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= 0x20 && c < 0x7f:
			b.WriteByte(c)
		default:
			fmt.Fprintf(b, `\%03o`, c)
		}
	}
	b.WriteByte('"')
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
