package outlook

import (
	"os"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdwire"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// What counts as plain in the logs of real etcds can end no release: every decoder takes it, and it
// asks for what all of them know. Most entries are plain, else it would be of no use.
func TestPlainEndsNoRelease(t *testing.T) {
	entries, plains := 0, 0
	for _, m := range corpus.Logs(t) {
		l, err := wal.Open(os.DirFS(m.Dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		request := new(decode.Request)
		for r, err := range l.Records(wal.Inspect) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Kind != wal.KindEntry {
				continue
			}
			var e raftpb.Entry
			if err := e.UnmarshalAlias(r.Data); err != nil {
				t.Fatal(err)
			}
			if entries++; e.Type != raftpb.EntryNormal || special(e.Data) {
				continue
			}
			plains++
			checkPlain(t, newStep(&e, r.Pos, request))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if plains*10 < entries*9 {
		t.Errorf("%d of %d entries are plain", plains, entries)
	}
}

func checkPlain(t *testing.T, s *step) {
	t.Helper()
	for _, d := range []etcdwire.Decoder{etcdwire.Gogo, etcdwire.Google} {
		r := &s.request[d]
		if r.fault != "" || r.v2 != nil || !r.named || r.setsVer || r.setsAttr || (version{3, 4}).less(r.since) {
			t.Errorf("%v: %+v is plain", s.pos, *r)
		}
	}
}

// Everything but the plain forms is looked into.
func TestPlain(t *testing.T) {
	put, header := []byte{0x22, 3, 0x0a, 1, 'k'}, []byte{0xa2, 0x06, 2, 0x08, 1}
	for name, tt := range map[string]struct {
		data  []byte
		plain bool
	}{
		"put with a header":     {slices.Concat(put, header), true},
		"put without a header":  {put, false},
		"two requests":          {slices.Concat(put, put, header), false},
		"something behind":      {slices.Concat(put, header, put), false},
		"cut off":               {slices.Concat(put, header)[:8], false},
		"v2 request in a field": {slices.Concat([]byte{0x12, 1, 0}, header), false},
		"cluster version":       {slices.Concat([]byte{0xa2, 0x51, 0}, header), false},
		"garbage":               {[]byte("garbage"), false},
		"nothing":               {nil, false},
	} {
		if got := !special(tt.data); got != tt.plain {
			t.Errorf("%s: plain %v, want %v", name, got, tt.plain)
		}
		for n := range tt.data {
			special(tt.data[:n]) // no panic
		}
	}
}
