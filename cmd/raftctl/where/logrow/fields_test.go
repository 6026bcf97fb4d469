package logrow

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/jsontext/jsontest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// records has a record of each kind, and one that no etcd writes.
func records() []*wal.Record {
	pos := wal.Position{Segment: "0.wal", Off: 8}
	entry := raftpb.Entry{Term: 2, Index: 7, Data: []byte("text")}
	state := raftpb.HardState{Term: 2, Vote: 3, Commit: 6}
	snap := wal.Snapshot{Index: 5, Term: 1, ConfState: &raftpb.ConfState{Voters: []uint64{1}}}
	meta := wal.Metadata{NodeID: 1, ClusterID: 2}
	return []*wal.Record{
		{Kind: wal.KindMetadata, Pos: pos, Len: 16, Data: meta.AppendTo(nil)},
		{Kind: wal.KindEntry, Pos: pos, Len: 16, Data: entry.Marshal(raftpb.FlavorGogo)},
		{Kind: wal.KindState, Pos: pos, Len: 16, Data: state.Marshal(raftpb.FlavorGogo)},
		{Kind: wal.KindSnapshot, Pos: pos, Len: 16, Data: snap.AppendTo(nil, raftpb.FlavorGogo)},
		{Kind: wal.KindCRC, Pos: pos, Len: 16, CRC: 7, Unchecked: true},
		{Kind: wal.KindDamage, Pos: pos, Len: 16, Damage: &wal.Finding{Class: wal.ClassTorn, Evidence: "zeros"}},
		{Kind: wal.Kind(9), Pos: pos, Len: 16},
	}
}

// forms are all ways to show records.
func forms(t testing.TB) []Options {
	t.Helper()
	d, err := decode.New("etcd", decode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	var all []Options
	for _, physical := range []bool{false, true} {
		for _, raw := range []bool{false, true} {
			all = append(all, Options{Decoder: d, Path: "log", Physical: physical, Raw: raw})
		}
	}
	return all
}

// The JSON of a record has the table's fields, in the table's order, and --where has the same ones.
func TestJSONAndWhereAgree(t *testing.T) {
	for _, o := range forms(t) {
		r := NewRow(o)
		for _, rec := range records() {
			for _, bad := range []error{nil, errors.New("malformed")} {
				r.Set(rec)
				if bad != nil && rec.Kind != wal.KindDamage {
					r.Bad = bad
				}
				got := jsontest.Members(t, r.AppendJSON(nil))
				var want []string
				for _, f := range Table.Fields() {
					if f.Has(r) && f.Shown(r) && !f.Repeats(r) {
						want = append(want, f.Name)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%v, physical %v, raw %v, bad %v (-where +JSON):\n%s",
						rec.Kind, o.Physical, o.Raw, bad, diff)
				}
			}
		}
	}
}

// Every field can be compared in an expression, whether the record has it or not.
func TestEveryFieldCompiles(t *testing.T) {
	zero := map[string]string{"string": `""`, "int": "0", "bool": "false", "map": "{}", "list": "[]"}
	for _, f := range Table.Fields() {
		e, err := Table.Compile(f.Name + " == " + zero[f.Type()])
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		for _, rec := range records() {
			r := NewRow(forms(t)[0])
			r.Set(rec)
			got, err := e.Match(r)
			if err != nil {
				t.Errorf("%s of a %v: %v", f.Name, rec.Kind, err)
			}
			if f.Kinds != nil && !slices.Contains(f.Kinds, rec.Kind.String()) && !got {
				t.Errorf("%s of a %v: not absent", f.Name, rec.Kind)
			}
		}
	}
}

// A reader of help sees every field.
func TestHelpHasEveryField(t *testing.T) {
	help := Table.Help()
	for _, f := range Table.Fields() {
		if !strings.Contains(help, "\n  "+f.Name+" ") && !strings.HasPrefix(help, "  "+f.Name+" ") {
			t.Errorf("%s is missing", f.Name)
		}
	}
}

// Of an entry that is overwritten nothing is told: its index is another entry's.
func TestTimeOfOverwritten(t *testing.T) {
	var c decode.Clock
	var request decode.Request
	const id = 0xd47d<<48 | 7<<40
	header := protowire.AppendVarint([]byte{0x08}, id)
	put := []byte{0x22, 0x03, 0x0a, 0x01, 'k'}
	data := protowire.AppendBytes(protowire.AppendTag(put, 100, protowire.BytesType), header)
	entry := raftpb.Entry{Term: 1, Index: 7, Data: data}
	if err := decode.Payload(&request, &entry); err != nil {
		t.Fatal(err)
	}
	c.Add(7, &request)
	r := NewRow(Options{Times: c.Times()})
	r.Set(&wal.Record{Kind: wal.KindEntry, Data: entry.Marshal(raftpb.FlavorGogo)})
	for _, live := range []bool{true, false} {
		r.Live = live
		if got := len(r.AppendTime(nil)) > 0; got != live {
			t.Errorf("live %v: a time is shown: %v", live, got)
		}
	}
}
