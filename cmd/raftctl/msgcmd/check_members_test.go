package msgcmd

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/raftpb"
)

// A recording that begins behind all changes of the membership is judged by the one that it tells.
func TestRecordedMembership(t *testing.T) {
	said := []raftpb.Message{
		{Type: raftpb.MsgApp, From: 1, To: 2, LogTerm: 2, Index: 4, Commit: 4, Entries: []raftpb.Entry{{Term: 2, Index: 5}}},
		{Type: raftpb.MsgAppResp, From: 2, To: 1, Index: 5},
		{Type: raftpb.MsgApp, From: 1, To: 2, LogTerm: 2, Index: 5, Commit: 5},
	}
	voters := func(n int) (list []recording.Member) {
		for id := range uint64(n) {
			list = append(list, recording.Member{ID: id + 1})
		}
		return list
	}
	learning := voters(4)
	learning[2].Learner, learning[3].Learner = true, true
	for name, tc := range map[string]struct {
		members []recording.Member
		at      uint64
		want    string // of commit_quorum
		status  int
	}{
		"not known since when":         {voters(3), 0, "unchecked", 3},
		"two of three":                 {voters(3), 4, "ok", 0},
		"two of four":                  {voters(4), 4, "unchecked", 3},
		"two of two, and two learners": {learning, 4, "ok", 0},
		"an entry is missing":          {voters(3), 3, "unchecked", 3},
	} {
		dir := t.TempDir()
		w, err := recording.Create(filepath.Join(dir, "talk"), recording.Metadata{Recorder: 1, Members: tc.members, MembersAt: tc.at}, recording.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range said {
			m.Term = 2
			e := &stream.Event{Kind: stream.KindMessage, Time: time.Unix(int64(i+1), 0), From: m.From, To: m.To, Channel: stream.ChannelAppend, Conn: 1, Message: &m}
			if err := w.Append(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		out, _, err := runs(t, dir, "check", "talk")
		line := ""
		for l := range strings.Lines(out) {
			if strings.HasPrefix(l, "commit_quorum") {
				line = l
			}
		}
		if !strings.Contains(line, " "+tc.want+" ") || (err != nil) != (tc.status != 0) {
			t.Errorf("%s: %v, %q, want %s", name, err, line, tc.want)
		}
	}
}
