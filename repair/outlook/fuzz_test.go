package outlook

import (
	"testing"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/etcdwire"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Whatever an entry holds, it ends a release by a rule or doesn't, and what is a request of the v2
// store to one decoder is none that the other names so.
func FuzzJudge(f *testing.F) {
	f.Add(uint8(0), []byte("\x22\x03\x0a\x01k\xa2\x06\x02\x08\x07"))
	f.Add(uint8(0), v2("PUT", "/0/version", "3.5.0"))
	f.Add(uint8(0), v2("PUT", "/0/members/1/attributes", "{}"))
	f.Add(uint8(0), setsVersion("3.9.0"))
	f.Add(uint8(1), []byte("\x10\x00\x18\x05\x22\x08{\"id\":5}"))
	f.Add(uint8(2), []byte(nil))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		if r := readRequest(data, etcdwire.Google); r.v2 != nil {
			t.Errorf("a v2 request for 3.7: %+v", r.v2)
		}
		for _, release := range []string{"3.4.0", "3.5.7", "3.6", "3.7"} {
			o := &Outlook{Read: wal.Outlook{From: release, To: release, Action: wal.ActionBoots,
				Last: raftpb.EntryID{Term: 1, Index: 1}, State: raftpb.HardState{Term: 1, Commit: 1}},
				Action: wal.ActionBoots}
			e := &raftpb.Entry{Type: raftpb.EntryType(kind % 4), Term: 1, Index: 1, Data: data}
			newJudge(o, 5, nil).apply(newStep(e, wal.Position{}, new(decode.Request)))
			if (o.Stop == nil) != (o.Applied == 1) || (o.Stop == nil) != (o.Action == wal.ActionBoots) {
				t.Errorf("%s: %+v", release, o)
			}
		}
	})
}

// A .snap file's v2 store may hold anything.
func FuzzParseStore(f *testing.F) {
	f.Add([]byte(`{"Root":{"Path":"/","Children":{"0":{"Children":{"version":{"Value":"3.5.0"}}},"1":null}}}`))
	f.Add([]byte(`{"Root":{"Children":{"2":{"Children":{"roles":{"Children":{"r":{"Path":"/2/roles/r"}}}}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseStore(data)
		if err != nil && (s.version != "" || s.custom != "") {
			t.Errorf("%+v in spite of %v", s, err)
		}
	})
}
