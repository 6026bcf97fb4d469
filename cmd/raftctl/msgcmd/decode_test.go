package msgcmd

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/paste"
	"github.com/raftctl/raftctl/raftpb"
)

// What bytes are is told in a line, with the status that says how much of them it is.
func TestDecode(t *testing.T) {
	put := raftpb.Message{
		Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: 6, Commit: 6,
		Entries: []raftpb.Entry{{Term: 3, Index: 7, Data: unhex(t, "0805220c0a036b657912057061737377")}},
	}
	digits := hex.EncodeToString(put.Marshal(raftpb.FlavorGogo))
	for _, tc := range []struct {
		args, in string
		want     string
		status   int
	}{
		{"CAIQARgH", "", "entry: 1/7 EntryConfChangeV2\nor hard state: Term:2 Vote:1 Commit:7\nor conf change: ", 0},
		{digits[:20] + " " + digits[20:], "", "message: 1->2 MsgApp Term:3 Log:3/6 Commit:6 Entries:[3/7 EntryNormal put key", 0},
		{"", digits, "message: 1->2 MsgApp", 0},
		{"-", string(put.Marshal(raftpb.FlavorGogo)), "message: 1->2 MsgApp", 0},
		{"0000000000000002080800", "", "message stream: None->None MsgHeartbeat Term:0 Log:0/0\n  and 1 bytes more", ui.StatusPartial},
		{"00000000000000020808 00000000000000020808", "", "message stream of 2 messages\n  None->None", 0},
		{"ffff", "", "2 bytes of hex: nothing that Raft or etcd writes\n", ui.StatusDamage},
	} {
		out, err := decodes(t, tc.in, append(strings.Fields(tc.args), "-o", "table")...)
		exit, _ := errors.AsType[ui.ExitError](err)
		if !strings.HasPrefix(out, tc.want) || exit.Status != tc.status || err != nil && tc.status == 0 {
			t.Errorf("%s: %v, it says\n%s, want status %d and\n%s", tc.args, err, out, tc.status, tc.want)
		}
	}
	if _, err := decodes(t, "", "what's", "this"); ui.StatusOf(t.Context(), err) != ui.StatusUsage {
		t.Errorf("text: %v", err)
	}
}

func TestDecodeJSON(t *testing.T) {
	out, err := decodes(t, "", "CAIQARgH", "-o", "json")
	var got decoded
	if err := errors.Join(err, json.Unmarshal([]byte(out), &got)); err != nil {
		t.Fatal(err)
	}
	if got.Form != "base64" || got.Size != 6 || len(got.Candidates) != 3 || got.Candidates[1].Kind != "hard_state" ||
		!got.Candidates[1].Exact || got.Candidates[1].Lines[0] != "Term:2 Vote:1 Commit:7" {
		t.Errorf("%+v", got)
	}
}

// A secret in what was pasted is shown only if it is asked for.
func TestDecodeSecrets(t *testing.T) {
	e := raftpb.Entry{Term: 1, Index: 2, Data: unhex(t, "0805221c0a0c2f64622f70617373776f7264120c7077643d68756e7465723232")}
	digits := hex.EncodeToString(e.Marshal(raftpb.FlavorGogo))
	hidden, _ := decodes(t, "", digits)
	shown, _ := decodes(t, "", digits, "--show-secrets")
	if strings.Contains(hidden, "hunter22") || !strings.Contains(shown, "hunter22") {
		t.Errorf("without --show-secrets\n%swith it\n%s", hidden, shown)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodes(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	c := beginWith(t, in, t.TempDir(), append([]string{"decode"}, args...)...)
	err := <-c.done
	return c.out.String(), err
}

// The contract names each kind and each field of the JSON.
func TestDecodeContract(t *testing.T) {
	b, err := os.ReadFile("../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "\n## `message decode`\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for _, name := range []string{"form", "size", "candidates", "kind", "exact", "rest", "lines"} {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/json.md lacks %q", name)
		}
	}
	for _, kind := range []paste.Kind{
		paste.KindMessage, paste.KindEntry, paste.KindHardState, paste.KindConfChange, paste.KindConfChangeV2, paste.KindConfState,
		paste.KindSnapshot, paste.KindMessageStream, paste.KindAppendStream, paste.KindClassicStream, paste.KindSnapshotHead,
		paste.KindHTTP, paste.KindRecord,
	} {
		if !strings.Contains(text, "`"+string(kind)+"`") {
			t.Errorf("docs/json.md lacks the kind %q", kind)
		}
	}
	for _, form := range []paste.Form{paste.FormHex, paste.FormDump, paste.FormBase64, paste.FormQuoted, paste.FormRaw} {
		if !strings.Contains(text, "`"+string(form)+"`") {
			t.Errorf("docs/json.md lacks the form %q", form)
		}
	}
}
