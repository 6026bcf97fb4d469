package change

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
)

var when = time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)

// auditOf writes an audit file with these lines.
func auditOf(t testing.TB, fsys vfs.FS, at Place, text string) {
	t.Helper()
	f, err := fsys.OpenFile(at.Audit(), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.WriteAt([]byte(text), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
}

const begun = `{"event":"begun","id":"a","time":"2026-11-29T01:02:03Z","log":"/m1",` +
	`"staged":"m1.changing-a","kept":"m1.before-x"}`

func line(event, id string) string {
	return `{"event":"` + event + `","id":"` + id + `","time":"2026-11-29T01:02:04Z","kept":"m1.undone-x"}`
}

// The events tell how far each change has come, whatever lines are torn, damaged or unknown.
func TestFold(t *testing.T) {
	for name, tc := range map[string]struct {
		lines string
		want  []State
		torn  int
	}{
		"none":           {"", nil, 0},
		"begun":          {begun + "\n", []State{HalfDone}, 0},
		"torn":           {begun[:40], nil, 1},
		"no end of line": {begun, nil, 1},
		"done":           {begun + "\n" + line("done", "a") + "\n", []State{Done}, 0},
		"torn end":       {begun + "\n" + line("done", "a")[:20], []State{HalfDone}, 1},
		"torn between":   {begun + "\n" + line("done", "a")[:20] + "\n" + line("done", "a") + "\n", []State{Done}, 1},
		"taken back":     {begun + "\n" + line("taken_back", "a") + "\n", []State{TakenBack}, 0},
		"undo begun":     {begun + "\n" + line("done", "a") + "\n" + line("undo_begun", "a") + "\n", []State{HalfUndone}, 0},
		"undone":         {begun + "\n" + line("undone", "a") + "\n", []State{Undone}, 0},
		"made":           {strings.Replace(begun, "begun", "made", 1) + "\n", []State{Made}, 0},
		"of another":     {begun + "\n" + line("done", "b") + "\n", []State{HalfDone}, 0},
		"unknown":        {begun + "\n" + line("something", "a") + "\n", []State{HalfDone}, 0},
		"two": {begun + "\n" + strings.Replace(begun, `"a"`, `"b"`, 1) + "\n" + line("done", "b") + "\n",
			[]State{HalfDone, Done}, 0},
		"no JSON":          {"x\n[]\n{}\nnull\n" + begun + "\n", []State{HalfDone}, 4},
		"blank lines":      {"\n\n" + begun + "\n \n", []State{HalfDone}, 0},
		"a path as a name": {strings.Replace(begun, "m1.before-x", "../x", 1) + "\n", nil, 1},
		"a folder above":   {strings.Replace(begun, "m1.changing-a", "..", 1) + "\n", nil, 1},
		"not staged":       {strings.Replace(begun, "m1.changing-a", "wal", 1) + "\n", nil, 1},
		"an absolute file": {strings.Replace(begun, `"kept"`, `"added":[{"name":"/etc/passwd"}],"kept"`, 1) + "\n", nil, 1},
		"a renamed path":   {strings.Replace(begun, `"kept"`, `"quarantined":[{"name":"x","to":"a/b"}],"kept"`, 1) + "\n", nil, 1},
	} {
		fsys, at := faultfs.New(), Place{Log: "m1"}
		auditOf(t, fsys, at, tc.lines)
		events, torn, err := readAudit(fsys, at.Audit())
		if err != nil || torn != tc.torn {
			t.Errorf("%s: %d torn, %v, want %d", name, torn, err, tc.torn)
		}
		var got []State
		for _, c := range fold(at, events) {
			got = append(got, c.State)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// What is appended is read again, also behind a line that was never finished.
func TestAppendAudit(t *testing.T) {
	for _, before := range []string{"", begun + "\n", begun[:30]} {
		fsys, at := faultfs.New(), Place{Log: "m1"}
		auditOf(t, fsys, at, before)
		had, torn, _ := readAudit(fsys, at.Audit())
		want := []event{
			{Event: kindBegun, ID: "b", Time: when, What: []string{"x\ny"}, Log: "/m1", Staged: "m1.changing-b", Kept: "k",
				Before: []File{{Name: "f", Size: 1, SHA256: "00"}}, Quarantined: []Renamed{{File{Name: "s", Error: "e"}, "s.broken"}}},
			{Event: kindDone, ID: "b", Time: when},
		}
		for i := range want {
			if err := appendAudit(fsys, at, &want[i]); err != nil {
				t.Fatal(err)
			}
		}
		got, stillTorn, err := readAudit(fsys, at.Audit())
		if diff := cmp.Diff(append(had, want...), got); err != nil || diff != "" || stillTorn != torn {
			t.Errorf("behind %q: %v, %d torn (-want +got):\n%s", before, err, stillTorn, diff)
		}
	}
}

// An event that can't be written for good isn't on record, and one that is new leaves no file.
func TestAppendAuditFails(t *testing.T) {
	for _, before := range []string{"", begun + "\n", begun[:30]} {
		for i := range 12 {
			fsys, at := faultfs.New(), Place{DataDir: "data"}
			if err := fsys.MkdirAll("data", 0o700); err != nil {
				t.Fatal(err)
			}
			if before != "" {
				auditOf(t, fsys, at, before)
			}
			had, _, _ := readAudit(fsys, at.Audit())
			fsys.FailAt(fsys.Ops() + i)
			err := appendAudit(fsys, at, &event{Event: kindDone, ID: "a", Time: when})
			fsys.Watch(nil)
			got, _, readErr := readAudit(fsys, at.Audit())
			if readErr != nil {
				t.Fatal(readErr)
			}
			want := len(had)
			if err == nil {
				want++
			}
			if len(got) != want {
				t.Errorf("behind %q, operation %d fails: %v, and %d events, want %d", before, i, err, len(got), want)
			}
			if there, _ := exists(fsys, at.Audit()); err != nil && there != (before != "") {
				t.Errorf("behind %q, operation %d fails: the file is there: %v", before, i, there)
			}
		}
	}
}

// Whatever is in an audit file, names in it never lead out of their folders.
func FuzzAudit(f *testing.F) {
	f.Add([]byte(begun + "\n" + line("done", "a") + "\n"))
	f.Add([]byte(begun[:50] + "\n" + begun))
	f.Fuzz(func(t *testing.T, text []byte) {
		fsys, at := faultfs.New(), Place{Log: "m1"}
		auditOf(t, fsys, at, string(text))
		events, _, err := readAudit(fsys, at.Audit())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			b := putBack{at: Place{Log: "/logs/m1", Snap: "/snap"}, e: &e}
			for _, dir := range []string{b.at.beside(e.Kept), b.at.beside(e.Staged)} {
				if e.Kept != "" && e.Staged != "" && filepath.Dir(dir) != "/logs" {
					t.Errorf("%s lies elsewhere", dir)
				}
			}
			again, err := json.Marshal(e)
			if err != nil || len(again) == 0 {
				t.Error(err)
			}
		}
		if _, err := History(fsys, at); err != nil {
			t.Error(err)
		}
	})
}
