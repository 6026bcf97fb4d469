package node

import (
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/node/peer"
	"github.com/raftctl/raftctl/raftpb"
)

// BenchmarkRecord is what recording a message costs: one with an entry of 256 bytes, and one without.
func BenchmarkRecord(b *testing.B) {
	for name, entries := range map[string][]raftpb.Entry{
		"entry=256B": {{Term: 1, Index: 1, Data: make([]byte, 256)}}, "answer": nil,
	} {
		b.Run(name, func(b *testing.B) {
			r := testRecorder(b, filepath.Join(b.TempDir(), "talk"), nil)
			p := &peer.Passed{
				Message: raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 1, Entries: entries},
				Peer:    2, Sent: true, Channel: "msgapp", Conn: 3, Size: 280,
			}
			var spare []passed
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.passed(p)
				if i%1000 == 0 {
					spare = r.write(spare)
				}
			}
			if err := r.close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
