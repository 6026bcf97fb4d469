package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// dumpLine is a line of etcd-dump-logs: term, index, type and data.
var dumpLine = regexp.MustCompile(`^ *(\d+)\t *(\d+)\t(norm|conf|\?\?)\t?(.*)$`)

// TestAgainstDumpTool holds what we read against what etcd's own dump tool printed of the same log.
func TestAgainstDumpTool(t *testing.T) {
	for _, name := range []string{"c34-1n-clean", "c35-3m-clean-m1", "c36-3m-clean-m2",
		"c36-leasecp-1n-clean", "c36-quota-1n-clean", "chain-1n-after37"} {
		t.Run(name, func(t *testing.T) {
			text, ok := corpus.LookupGolden(t, name+".idx0.txt")
			if !ok {
				t.Fatalf("no dump of %s", name)
			}
			compareWithDump(t, lastEntries(t, name), text)
		})
	}
}

// lastEntries returns the entries of a log by index, the later of two with the same index.
func lastEntries(t *testing.T, name string) map[string]*raftpb.Entry {
	entries := make(map[string]*raftpb.Entry)
	for _, l := range corpus.Logs(t) {
		if l.Name != name {
			continue
		}
		for e := range entriesOf(t, l) {
			kept := *e
			kept.Data = bytes.Clone(e.Data)
			entries[fmt.Sprintf("%d/%d", e.Term, e.Index)] = &kept
		}
	}
	return entries
}

func compareWithDump(t *testing.T, entries map[string]*raftpb.Entry, text []byte) {
	checked := 0
	for line := range bytes.Lines(text) {
		m := dumpLine.FindStringSubmatch(strings.TrimSuffix(string(line), "\n"))
		if m == nil {
			continue
		}
		e := entries[m[1]+"/"+m[2]]
		if e == nil {
			t.Errorf("no entry for %q", line)
			continue
		}
		var r Request
		if err := Payload(&r, e); err != nil {
			t.Error(err)
		}
		compareWithLine(t, &r, e, m[4])
		checked++
	}
	if checked < 10 || checked != len(entries) {
		t.Errorf("%d entries compared, want all %d", checked, len(entries))
	}
}

// v2Line is what the tool prints of a v2 request or a membership change.
var v2Line = regexp.MustCompile(`^method=(\S*)(?: path="(.*?)")?(?: val=(".*"))?(?: id=(\S+))?`)

func compareWithLine(t *testing.T, r *Request, e *raftpb.Entry, line string) {
	if line == "" {
		if r.Op != OpEmpty {
			t.Errorf("entry %s: %s, want an empty one", e.ID(), r.Op)
		}
		return
	}
	if m := v2Line.FindStringSubmatch(line); m != nil {
		compareWithMethod(t, r, m)
		return
	}
	var theirs etcdserverpb.InternalRaftRequest
	if err := prototext.Unmarshal([]byte(line), &theirs); err != nil {
		t.Fatalf("entry %s: tool says %q: %v", e.ID(), line, err)
	}
	if diff, err := compareWithMessage(e.Data, &theirs); diff != "" || err != nil {
		t.Errorf("entry %s: tool says %q: %v\n%s", e.ID(), line, err, diff)
	}
}

func compareWithMethod(t *testing.T, r *Request, m []string) {
	method, path, val, id := m[1], m[2], m[3], m[4]
	if r.change != nil {
		want := strings.TrimPrefix(method, "ConfChange") + " " + id
		c := r.change.v1
		got := fmt.Sprintf("%s %x", strings.TrimPrefix(c.Type.String(), "ConfChange"), c.NodeID)
		if got != want {
			t.Errorf("change %s, want %s", got, want)
		}
		return
	}
	if want := "v2_" + strings.ToLower(method); string(r.Op) != want {
		t.Errorf("op %s, want %s", r.Op, want)
	}
	if method != "SYNC" && string(r.Key) != path {
		t.Errorf("path %s, want %s", r.Key, path)
	}
	var got struct{ V2 struct{ Val string } }
	if err := json.Unmarshal(r.AppendJSON(nil, Style{Values: ValuesFull}), &got); err != nil {
		t.Error(err)
	}
	if want, err := strconv.Unquote(val); val != "" && (err != nil || got.V2.Val != want) {
		t.Errorf("val %q, want %q %v", got.V2.Val, want, err)
	}
}
