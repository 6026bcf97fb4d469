package repair_test

import (
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// insert puts records into the log before an entry, each as intact as the others.
func (p *patient) insert(index uint64, records ...wal.Record) {
	p.t.Helper()
	p.reframe(func(r *wal.Record) []wal.Record {
		if r.Kind == wal.KindEntry && r.ID.Index == index {
			return append(records, *r)
		}
		return []wal.Record{*r}
	})
}

// reframe puts others in the place of each record of the first segment, which is the only one; all are intact.
func (p *patient) reframe(change func(r *wal.Record) []wal.Record) {
	p.t.Helper()
	log, err := wal.Open(os.DirFS(p.dir), ".")
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // opened for reading
	var out []byte
	sum := uint32(0)
	for rec, err := range log.Records(wal.Recover) {
		if err != nil {
			p.t.Fatal(err)
		}
		for _, r := range change(rec) {
			if r.Kind != wal.KindCRC {
				r.CRC = crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), r.Data)
			}
			sum = r.CRC
			out = r.AppendFrame(out)
		}
	}
	if err := os.WriteFile(p.segment(0), append(out, make([]byte, 1<<20)...), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func stateRecord(s raftpb.HardState) wal.Record {
	return wal.Record{Kind: wal.KindState, Data: s.Marshal(raftpb.FlavorGogo)}
}

func entryRecord(e raftpb.Entry) wal.Record {
	return wal.Record{Kind: wal.KindEntry, Data: e.Marshal(raftpb.FlavorGogo)}
}

// Of intact records that contradict each other nothing tells which is right. The log can begin behind them, if the database
// has applied all before, and only then.
func TestContradictions(t *testing.T) {
	for name, r := range map[string]wal.Record{
		"vote_change":         stateRecord(raftpb.HardState{Term: 2, Vote: 77, Commit: 9}),
		"commit_back":         stateRecord(raftpb.HardState{Term: 2, Commit: 3}),
		"term_back":           entryRecord(raftpb.Entry{Term: 1, Index: 9}),
		"same_term_overwrite": entryRecord(raftpb.Entry{Term: 2, Index: 9}),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-leasecp-1n-clean", ".")
			p.insert(10, r)
			m, plan := p.plan(repair.PlanOptions{})
			if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"begin_anew"}) {
				t.Fatalf("%s by %q, want repair by begin_anew: %v", plan.Status, got, plan.Refused)
			}
			p.apply(m, plan)
			if err := os.Remove(filepath.Join(p.dir, "member", "snap", "db")); err != nil {
				t.Fatal(err)
			}
			if _, plan := p.plan(repair.PlanOptions{}); plan.Status != repair.StatusNone {
				t.Errorf("without a database: %s, want %s", plan.Status, repair.StatusNone)
			}
		})
	}
}
