package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
)

// Every log that real etcd left verifies, and dumps to JSON whose entries follow each other; the only
// gaps are those that a snapshot from the leader fills.
func TestEveryLog(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		t.Run(log.Name, func(t *testing.T) {
			if status, out, errs := command(t, "wal", "verify", "--deep", log.Dir); status != ui.StatusOK {
				t.Errorf("verify: exit status %d: %s%s", status, out, errs)
			}
			status, out, errs := command(t, "wal", "dump", log.Dir, "-o", "jsonl")
			if status != ui.StatusOK {
				t.Fatalf("dump: exit status %d: %s", status, errs)
			}
			checkEntries(t, out)
		})
	}
}

func checkEntries(t *testing.T, lines []byte) {
	t.Helper()
	last, entries := uint64(0), 0
	for l := range bytes.Lines(lines) {
		var rec struct {
			Kind, Segment, Op, Summary string
			Offset, Length             int64
			Term, Index                uint64
			Request                    map[string]any
		}
		if err := json.Unmarshal(l, &rec); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		switch {
		case rec.Segment == "" || rec.Length <= 0:
			t.Errorf("no position: %s", l)
		case rec.Kind == "snapshot":
			last = max(last, rec.Index)
		case rec.Kind == "entry":
			if last > 0 && rec.Index != last+1 {
				t.Errorf("entry %d follows %d", rec.Index, last)
			}
			if rec.Op == "" || rec.Summary == "" || rec.Request == nil {
				t.Errorf("not explained: %s", l)
			}
			last = rec.Index
			entries++
		}
	}
	if entries == 0 {
		t.Error("no entries")
	}
}
