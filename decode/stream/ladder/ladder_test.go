package ladder

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// hostile is a text with all that the forms take for their own.
const hostile = "put </script><b>&amp; #x; \u2028 \" ' \n%% end"

var begin = time.Date(2026, 11, 29, 12, 4, 5, 123456000, time.UTC)

// said returns an event of a message, so many ms after the beginning.
func said(ms int, m raftpb.Message) *stream.Event {
	return &stream.Event{
		Kind: stream.KindMessage, Time: begin.Add(time.Duration(ms) * time.Millisecond), From: m.From, To: m.To, Message: &m,
	}
}

// election is a ladder of how member 1 takes over from member 3.
func election() *Ladder {
	l := &Ladder{Title: "an election of <three>"}
	entries := []raftpb.Entry{{Term: 4, Index: 18}, {Term: 4, Index: 19}}
	for i, m := range []raftpb.Message{
		{Type: raftpb.MsgHeartbeat, From: 3, To: 1, Term: 3},
		{Type: raftpb.MsgPreVote, From: 1, To: 2, Term: 4, Index: 17, LogTerm: 3},
		{Type: raftpb.MsgPreVoteResp, From: 2, To: 1, Term: 4},
		{Type: raftpb.MsgVote, From: 1, To: 2, Term: 4, Index: 17, LogTerm: 3},
		{Type: raftpb.MsgVote, From: 1, To: 3, Term: 4, Index: 17, LogTerm: 3},
		{Type: raftpb.MsgVoteResp, From: 2, To: 1, Term: 4},
		{Type: raftpb.MsgApp, From: 1, To: 2, Term: 4, Index: 17, LogTerm: 3, Entries: entries},
		{Type: raftpb.MsgAppResp, From: 2, To: 1, Term: 4, Index: 19},
	} {
		l.Add(said(i, m), hostile)
	}
	l.Add(&stream.Event{Kind: stream.KindGap, Time: begin.Add(time.Second), From: 2, To: 3, Gap: &stream.Gap{}}, "gap")
	l.Name(1, "m1")
	l.Name(2, hostile)
	return l
}

func TestMarks(t *testing.T) {
	l := election()
	want := marks{
		terms:     []mark{{row: 0, term: 3}, {row: 3, term: 4}},
		leaders:   []mark{{row: 0, lane: 0, term: 3}, {row: 6, lane: 1, term: 4}},
		elections: []mark{{row: 1, lane: 1, term: 4, kind: "PreVote"}, {row: 3, lane: 1, term: 4, kind: "Vote"}},
	}
	got := l.marks
	got.led, got.term = nil, 0
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(marks{}, mark{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{3, 1, 2}, l.Members()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// pageOf returns what the script of a page reads.
func pageOf(t *testing.T, l *Ladder) (page string, data struct {
	pageData
	Rows [][]any `json:"rows"`
}) {
	t.Helper()
	var b bytes.Buffer
	if err := l.HTML(&b); err != nil {
		t.Fatal(err)
	}
	page = b.String()
	_, after, _ := strings.Cut(page, `id="data">`)
	text, _, _ := strings.Cut(after, "</script>")
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		t.Fatal(err)
	}
	return page, data
}

func TestHTML(t *testing.T) {
	page, data := pageOf(t, election())
	if len(data.Rows) != 9 || data.Rows[6][7] != hostile || data.Members[2].Name != hostile {
		t.Errorf("rows %v of members %v", data.Rows, data.Members)
	}
	if diff := cmp.Diff([]any{6000.0, 1.0, 2.0, 5.0, 4.0, 18.0, 19.0}, data.Rows[6][:7]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := strings.Count(page, "</script>"); n != 2 {
		t.Errorf("%d scripts end, want 2", n)
	}
	for _, foreign := range []string{"http://", "https://", "src=", "<three>"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
	if _, empty := pageOf(t, &Ladder{}); len(empty.Rows) != 0 || empty.Members == nil {
		t.Errorf("an empty ladder has %v", empty)
	}
}

func TestHTMLOfLargeNumbers(t *testing.T) {
	l := new(Ladder)
	l.Add(said(0, raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 1 << 60, Index: 1<<64 - 1}), "")
	_, data := pageOf(t, l)
	if diff := cmp.Diff([]any{"1152921504606846976", "18446744073709551615"}, data.Rows[0][4:6]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSVG(t *testing.T) {
	var b bytes.Buffer
	if err := election().SVG(&b); err != nil {
		t.Fatal(err)
	}
	arrows, texts := 0, 0
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			if x.Name.Local == "path" {
				arrows++
			}
		case xml.CharData:
			if string(x) == hostile {
				texts++
			}
		}
	}
	if arrows != 9 || texts != 9 {
		t.Errorf("%d arrows and %d texts, want 9 of each", arrows, texts)
	}
}

func TestMermaid(t *testing.T) {
	l := &Ladder{}
	l.Add(said(0, raftpb.Message{Type: raftpb.MsgVote, From: 0xa, To: 0xb, Term: 4}), "Vote term 4; last #3")
	l.Add(said(1, raftpb.Message{Type: raftpb.MsgHeartbeat, From: 0xa, To: 0xb, Term: 4}), "Heartbeat")
	l.Name(0xa, "a1")
	var b bytes.Buffer
	if err := l.Mermaid(&b); err != nil {
		t.Fatal(err)
	}
	const want = `sequenceDiagram
    participant p0 as a1
    participant p1 as b
    Note over p0: asks for votes of term 4
    p0->>p1: 12:04:05.123 Vote term 4#59; last #35;3
    Note over p0: leads term 4
    p0->>p1: 12:04:05.124 Heartbeat
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTooMany(t *testing.T) {
	l := new(Ladder)
	for i := range MaxSVG + 1 {
		l.Add(said(i, raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2}), "")
	}
	for form, write := range map[string]func(io.Writer) error{"SVG": l.SVG, "Mermaid": l.Mermaid} {
		if err := write(io.Discard); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d events, want at most", MaxSVG+1)) {
			t.Errorf("%s: %v", form, err)
		}
	}
	if err := l.HTML(io.Discard); err != nil {
		t.Error(err)
	}
}
