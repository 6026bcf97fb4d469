package outlook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// bases write data directories with real etcds, which the cases change.
var bases = map[string]func(t *testing.T, dir string){
	"3.4": func(t *testing.T, dir string) { write(t, "3.4", dir, puts(3)) },
	"3.5": func(t *testing.T, dir string) { write(t, "3.5", dir, puts(3)) },
	"3.6": func(t *testing.T, dir string) { write(t, "3.6", dir, puts(3)) },
	"3.7": func(t *testing.T, dir string) { write(t, "3.7", dir, settle(3)) },
	"3.5, snapped": func(t *testing.T, dir string) {
		write(t, "3.5", dir, puts(20), "--snapshot-count", "5")
	},
	"3.6, snapped": func(t *testing.T, dir string) {
		write(t, "3.6", dir, puts(20), "--snapshot-count", "5")
	},
	"3.7, snapped": func(t *testing.T, dir string) {
		write(t, "3.7", dir, settle(20), "--snapshot-count", "5")
	},
	"3.5, v2 keys, snapped": func(t *testing.T, dir string) {
		write(t, "3.5", dir, func(t *testing.T, s *etcdtest.Server) {
			putV2(t, s, "foo")
			puts(20)(t, s)
		}, "--snapshot-count", "5", "--enable-v2")
	},
	"3.5, upgraded by 3.6": func(t *testing.T, dir string) {
		write(t, "3.5", dir, puts(3))
		write(t, "3.6", dir, puts(5), "--snapshot-count", "1")
	},
	"3.6, downgrading": func(t *testing.T, dir string) {
		write(t, "3.6", dir, func(t *testing.T, s *etcdtest.Server) {
			puts(3)(t, s)
			s.Ctl("downgrade", "enable", "3.5")
			settle(3)(t, s)
		})
	},
}

// write has a real etcd write a data directory, or go on with one.
func write(t *testing.T, release, dir string, work func(*testing.T, *etcdtest.Server), args ...string) {
	t.Helper()
	s := etcdtest.Start(t, release, dir, slices.Concat(etcdtest.Quick, args)...)
	// The cluster's version is set a moment after the server is healthy.
	for range 100 {
		if version := versionOf(t, s); version == release {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	work(t, s)
	s.Stop()
	trim(t, dir)
}

func versionOf(t *testing.T, s *etcdtest.Server) string {
	resp, err := http.Get("http://" + s.Endpoint + "/version")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var v struct{ Etcdcluster string }
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(v.Etcdcluster, ".0")
}

func puts(n int) func(*testing.T, *etcdtest.Server) {
	return func(_ *testing.T, s *etcdtest.Server) {
		for i := range n {
			s.Ctl("put", fmt.Sprintf("key%d", i), "value")
		}
	}
}

// settle puts keys after the versions of cluster and database have settled: every few seconds the
// leader looks at them.
func settle(n int) func(*testing.T, *etcdtest.Server) {
	return func(t *testing.T, s *etcdtest.Server) {
		time.Sleep(6 * time.Second)
		puts(n)(t, s)
	}
}

// post asks the gateway for something, in JSON. It doesn't end the test, and so may be called from any
// goroutine.
func post(t *testing.T, s *etcdtest.Server, name, body string) {
	resp, err := http.Post("http://"+s.Endpoint+name, "application/json", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s, %v", name, resp.Status, err)
	}
}

// putV2 puts a key of the v2 store.
func putV2(t *testing.T, s *etcdtest.Server, key string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, "http://"+s.Endpoint+"/v2/keys/"+key,
		strings.NewReader(url.Values{"value": {"v2"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode >= 300 {
		t.Fatalf("put of a v2 key: %s, %v", resp.Status, err)
	}
}

// trim cuts the space off that was allocated ahead, so that copies are small.
func trim(t *testing.T, dir string) {
	t.Helper()
	r := examine(t, dir)
	seg := r.Segments[len(r.Segments)-1]
	if err := os.Truncate(filepath.Join(dir, "member", "wal", seg.File), seg.Used); err != nil {
		t.Fatal(err)
	}
	spares, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, spare := range spares {
		if err := os.Remove(spare); err != nil {
			t.Fatal(err)
		}
	}
}

func examine(t *testing.T, dir string) *Report {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	r, err := Examine(t.Context(), log, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// entry is an entry that a case appends to the log, without committing it: a member that is its
// cluster's only voter commits it by itself.
type entry struct {
	kind raftpb.EntryType
	data func(self uint64) []byte
}

func appendEntries(t *testing.T, dir string, list []entry) {
	t.Helper()
	r := examine(t, dir)
	w, _, err := wal.OpenForAppend(vfs.OS, filepath.Join(dir, "member", "wal"), wal.AppendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	id := r.Last
	for _, e := range list {
		id.Index++
		err := w.Append(raftpb.HardState{}, []raftpb.Entry{{
			Type: e.kind, Term: id.Term, Index: id.Index, Data: e.data(r.View.Metadata.NodeID)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	trim(t, dir)
}

func normal(data []byte) []entry {
	return []entry{{raftpb.EntryNormal, func(uint64) []byte { return data }}}
}

func bytesField(num protowire.Number, data []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), data)
}

func numberField(num protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), n)
}

// internal returns an InternalRaftRequest with one request in it.
func internal(num protowire.Number, body []byte) []byte {
	return slices.Concat(bytesField(num, body), bytesField(fieldHeader, numberField(1, 7)))
}

func v2(method, path, value string) []byte {
	return slices.Concat(numberField(1, 7), bytesField(2, []byte(method)), bytesField(3, []byte(path)),
		bytesField(4, []byte(value)))
}

func change(c func(self uint64) raftpb.ConfChange) []entry {
	return []entry{{raftpb.EntryConfChange, func(self uint64) []byte {
		cc := c(self)
		return cc.Marshal(raftpb.FlavorGogo)
	}}}
}

func setsVersion(v string) []byte { return internal(fieldVersion, bytesField(1, []byte(v))) }

const (
	boots   = wal.ActionBoots
	refuses = wal.ActionRefuses
	panics  = ActionPanics
	exits   = ActionExits
)

type etcdCase struct {
	base    string
	entries []entry
	remove  string // a file or folder of the member to remove
	want    [4]end // by etcdtest.Versions
}

type end struct {
	action  wal.Action
	trigger trigger
}

var (
	good      = end{boots, ""}
	onVersion = end{exits, triggerVersion}
	onCustom  = end{panics, triggerV2Custom} // a request to /health is a v2 request in 3.4
	onV2      = end{panics, triggerV2Request}
	stranger  = uint64(0x1234567890abcd)
)

var etcdCases = map[string]etcdCase{
	"a log of 3.4": {base: "3.4", want: [4]end{good, good, onCustom, onV2}},
	"a log of 3.5": {base: "3.5", want: [4]end{onVersion, good, good, onV2}},
	"a log of 3.6": {base: "3.6", want: [4]end{good, onVersion, good, good}},

	"a log of 3.7": {base: "3.7", want: [4]end{good, onVersion, {refuses, triggerStorage}, good}},
	"a request of later releases": {base: "3.5", entries: normal(internal(fieldDowngradeTest, nil)),
		want: [4]end{onVersion, {panics, triggerNotKnown}, good, onV2}},
	"a request of nobody": {base: "3.6", entries: normal(bytesField(fieldHeader, numberField(1, 7))),
		want: [4]end{{panics, triggerNotKnown}, onVersion, {panics, triggerNotKnown}, {panics, triggerNotKnown}}},
	"garbage in 3.4": {base: "3.4", entries: normal([]byte{0x0b, 1, 2}), want: [4]end{
		{panics, triggerUndecodable}, {panics, triggerUndecodable}, onCustom, onV2}},
	"garbage in 3.6": {base: "3.6", entries: normal([]byte{0x0b, 1, 2}), want: [4]end{
		{panics, triggerUndecodable}, onVersion, {panics, triggerUndecodable}, {panics, triggerUndecodable}}},
	"no header in 3.4": {base: "3.4", entries: normal(bytesField(4, nil)), want: [4]end{
		{panics, triggerNoHeader}, {panics, triggerNoHeader}, onCustom, onV2}},
	"no header in 3.6": {base: "3.6", entries: normal(bytesField(4, nil)), want: [4]end{
		{panics, triggerNoHeader}, onVersion, {panics, triggerNoHeader}, {panics, triggerNoHeader}}},
	"ConfChangeV2 in 3.4": {base: "3.4", entries: []entry{{raftpb.EntryConfChangeV2, noData}},
		want: [4]end{{panics, triggerEntryType}, {panics, triggerEntryType}, onCustom, onV2}},
	"ConfChangeV2 in 3.6": {base: "3.6", entries: []entry{{raftpb.EntryConfChangeV2, noData}},
		want: [4]end{{panics, triggerEntryType}, onVersion, {panics, triggerEntryType}, {panics, triggerEntryType}}},
	"a conf change of garbage": {base: "3.6", entries: []entry{{raftpb.EntryConfChange,
		func(uint64) []byte { return []byte{0x08} }}}, want: [4]end{
		{panics, triggerUndecodable}, onVersion, {panics, triggerUndecodable}, {panics, triggerUndecodable}}},
	"a context that is no member, in 3.4": {base: "3.4", entries: change(badContext), want: [4]end{
		{panics, triggerContext}, {panics, triggerContext}, onCustom, onV2}},
	"a context that is no member, in 3.6": {base: "3.6", entries: change(badContext), want: [4]end{
		{panics, triggerContext}, onVersion, {panics, triggerContext}, {panics, triggerContext}}},
	"a context of another member, in 3.4": {base: "3.4", entries: change(otherContext), want: [4]end{
		{panics, triggerMemberID}, {panics, triggerMemberID}, onCustom, onV2}},
	"a context of another member, in 3.6": {base: "3.6", entries: change(otherContext), want: [4]end{
		{panics, triggerMemberID}, onVersion, {panics, triggerMemberID}, {panics, triggerMemberID}}},
	"peer URLs that are none, in 3.4": {base: "3.4", entries: change(badURLs), want: [4]end{
		{panics, triggerPeerURLs}, {panics, triggerPeerURLs}, onCustom, onV2}},
	"peer URLs that are none, in 3.6": {base: "3.6", entries: change(badURLs), want: [4]end{
		{panics, triggerPeerURLs}, onVersion, {panics, triggerPeerURLs}, {panics, triggerPeerURLs}}},
	"no peer URLs, in 3.6": {base: "3.6", entries: change(noURLs), want: [4]end{
		{panics, triggerPeerURLs}, onVersion, {panics, triggerPeerURLs}, {panics, triggerPeerURLs}}},
	"attributes of a stranger, v2": {base: "3.4",
		entries: normal(v2("PUT", fmt.Sprintf("/0/members/%x/attributes", stranger), `{"name":"x"}`)),
		want:    [4]end{{panics, triggerAttr}, {panics, triggerAttr}, onCustom, onV2}},
	"attributes of a stranger": {base: "3.6",
		entries: normal(internal(fieldAttr, slices.Concat(numberField(1, stranger),
			bytesField(2, bytesField(1, []byte("x")))))),
		want: [4]end{{panics, triggerNotKnown}, onVersion, {panics, triggerAttr}, {panics, triggerAttr}}},
	"attributes of a stranger, in 3.5": {base: "3.5",
		entries: normal(internal(fieldAttr, slices.Concat(numberField(1, stranger),
			bytesField(2, bytesField(1, []byte("x")))))),
		want: [4]end{onVersion, {panics, triggerAttr}, {panics, triggerAttr}, onV2}},
	"a key of a v2 client": {base: "3.5", entries: normal(v2("PUT", "/1/foo", "bar")),
		want: [4]end{onVersion, good, {panics, triggerV2Custom}, onV2}},
	"a version above 3.5, v2": {base: "3.4", entries: normal(v2("PUT", "/0/version", "3.6.0")),
		want: [4]end{onVersion, onVersion, onCustom, onV2}},
	"a version above 3.5": {base: "3.5", entries: normal(setsVersion("3.6.0")),
		want: [4]end{onVersion, onVersion, good, onV2}},
	"a version above all": {base: "3.6", entries: normal(setsVersion("3.9.0")),
		want: [4]end{{panics, triggerNotKnown}, onVersion, {panics, triggerVersion}, {panics, triggerVersion}}},
	"a downgrade to elsewhere": {base: "3.5", entries: slices.Concat(
		normal(internal(fieldDowngrade, slices.Concat(numberField(1, 1), bytesField(2, []byte("3.4.0"))))),
		normal(setsVersion("3.5.0"))),
		want: [4]end{onVersion, {exits, triggerDowngrade}, good, onV2}},
	"a downgrade to 3.5": {base: "3.6, downgrading", want: [4]end{{refuses, triggerSnapVersion}, good, good, good}},
	"its own removal, in 3.4": {base: "3.4", entries: slices.Concat(change(addition), change(removal)),
		want: [4]end{{exits, triggerRemoved}, {exits, triggerRemoved}, onCustom, onV2}},
	"the last voter's removal, in 3.4": {base: "3.4", entries: change(removal),
		want: [4]end{{panics, triggerNoVoters}, {panics, triggerNoVoters}, onCustom, onV2}},
	"the last voter's removal, in 3.6": {base: "3.6", entries: change(removal), want: [4]end{
		{panics, triggerNoVoters}, onVersion, {panics, triggerNoVoters}, {panics, triggerNoVoters}}},
	"its own removal, in 3.6": {base: "3.6", entries: slices.Concat(change(addition), change(removal)),
		want: [4]end{{exits, triggerRemoved}, onVersion, {exits, triggerRemoved}, {exits, triggerRemoved}}},

	"a snapshot of 3.5": {base: "3.5, snapped", want: [4]end{{refuses, triggerSnapVersion}, good, good, good}},
	"a snapshot of 3.6": {base: "3.6, snapped",
		want: [4]end{{refuses, triggerSnapVersion}, {refuses, triggerSnapVersion}, good, good}},
	"a snapshot of 3.7": {base: "3.7, snapped", want: [4]end{
		{refuses, triggerSnapVersion}, {refuses, triggerSnapVersion}, {refuses, triggerStorage}, good}},
	"v2 keys in a snapshot": {base: "3.5, v2 keys, snapped",
		want: [4]end{{refuses, triggerSnapVersion}, good, {refuses, triggerV2Content}, good}},
	"the way from 3.5 to 3.7": {base: "3.5, upgraded by 3.6",
		want: [4]end{{refuses, triggerSnapVersion}, {refuses, triggerSnapVersion}, good, good}},

	"no database": {base: "3.6", remove: "snap/db",
		want: [4]end{{panics, triggerNotKnown}, onVersion, good, good}},
	"no database, v2 requests": {base: "3.5", remove: "snap/db", want: [4]end{onVersion, good, good, onV2}},
	"no database behind a snapshot": {base: "3.6, snapped", remove: "snap/db", want: [4]end{
		{panics, triggerNoDatabase}, {panics, triggerNoDatabase},
		{panics, triggerNoDatabase}, {panics, triggerNoDatabase}}},
	"no snap folder": {base: "3.6, snapped", remove: "snap",
		want: [4]end{{panics, triggerNotKnown}, onVersion, good, {panics, triggerNoDatabase}}},
}

func noData(uint64) []byte { return nil }

func badContext(uint64) raftpb.ConfChange {
	return raftpb.ConfChange{NodeID: stranger, Context: []byte("no JSON")}
}

func otherContext(uint64) raftpb.ConfChange {
	return raftpb.ConfChange{NodeID: stranger, Context: []byte(`{"id":5,"peerURLs":["http://127.0.0.1:1"]}`)}
}

func badURLs(uint64) raftpb.ConfChange {
	return raftpb.ConfChange{NodeID: stranger, Context: fmt.Appendf(nil, `{"id":%d,"peerURLs":["http://127.0.0.1"]}`, stranger)}
}

func noURLs(uint64) raftpb.ConfChange {
	return raftpb.ConfChange{NodeID: stranger, Context: fmt.Appendf(nil, `{"id":%d}`, stranger)}
}

func addition(uint64) raftpb.ConfChange {
	return raftpb.ConfChange{NodeID: stranger,
		Context: fmt.Appendf(nil, `{"id":%d,"peerURLs":["http://127.0.0.1:1"]}`, stranger)}
}

func removal(self uint64) raftpb.ConfChange {
	return raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: self}
}

// TestRealEtcdEndsAsForetold starts real etcds on files in which every rule applies. Each must do
// what Examine says: run on, or end with these words.
func TestRealEtcdEndsAsForetold(t *testing.T) {
	seen := map[string]bool{}
	dirs := map[string]string{}
	for name := range bases {
		dirs[name] = filepath.Join(t.TempDir(), "data")
	}
	t.Run("write", func(t *testing.T) {
		for name, base := range bases {
			t.Run(name, func(sub *testing.T) {
				sub.Parallel()
				base(sub, dirs[name])
			})
		}
	})
	for name, c := range etcdCases {
		for i, release := range etcdtest.Versions {
			seen[string(c.want[i].trigger)+release] = true
			t.Run(name+"/"+release, func(t *testing.T) {
				// All are made before any server starts: a process that is being started may hold the
				// lock on a segment for a moment.
				dir := c.copyOf(t, dirs[c.base])
				t.Parallel()
				compareEnd(t, dir, release, c.want[i])
			})
		}
	}
	for _, r := range rules {
		span := wal.Outlook{From: r.from, To: r.to}
		for _, release := range etcdtest.Versions {
			if span.Holds(release) && !seen[string(r.trigger)+release] {
				t.Errorf("no case has a real etcd %s do what the rule for %s says", release, r.trigger)
			}
		}
	}
}

// A healthy member is fine at any moment: while it is written to, takes snapshots every few entries,
// begins segments, and removes what it no longer needs.
func TestNoAlarmBesideRunningEtcd(t *testing.T) {
	for _, release := range etcdtest.Versions {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			s := etcdtest.Start(t, release, dir, slices.Concat(etcdtest.Quick,
				[]string{"--snapshot-count", "3", "--max-snapshots", "1", "--max-wals", "1"})...)
			value := strings.Repeat("dmFs", 300_000) // 900,000 bytes in base 64
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 75 { // more than a segment
					post(t, s, "/v3/kv/put", `{"key":"a2V5","value":"`+value+`"}`)
				}
			}()
			defer func() { <-done }() // the server lives until then
			looks := 0
			for running := true; running && !t.Failed(); looks++ {
				select {
				case <-done:
					running = false
				default:
				}
				if r := examine(t, dir); r.Verdict != wal.VerdictOK {
					t.Errorf("look %d: verdict %s: %v", looks, r.Verdict, r.Findings)
				}
			}
			if looks < 10 {
				t.Errorf("%d looks only", looks)
			}
		})
	}
}

// copyOf returns a copy of a base with what the case changes in it.
func (c *etcdCase) copyOf(t *testing.T, base string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{dir, filepath.Join(dir, "member")} {
		if err := os.Chmod(private, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.entries) > 0 {
		appendEntries(t, dir, c.entries)
	}
	if c.remove != "" {
		if err := os.RemoveAll(filepath.Join(dir, "member", filepath.FromSlash(c.remove))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func compareEnd(t *testing.T, dir, release string, want end) {
	t.Helper()
	o := examine(t, dir).Outlook(release)
	got := end{action: o.Action}
	if o.Stop != nil {
		got.trigger = trigger(o.Stop.Trigger)
	}
	if got != want {
		t.Errorf("outlook %v, want %+v", o, want)
	}
	grace := 300 * time.Millisecond
	if want.trigger == triggerRemoved { // which ends the server a second later
		grace = 10 * time.Second
	}
	log, ended := etcdtest.Watch(t, release, dir, grace, etcdtest.Quick...)
	if ended != (want.action != boots) {
		t.Errorf("%v; etcd ended: %v\n%s", o, ended, tail(log))
	}
	if o.Stop == nil {
		return
	}
	log = strings.ReplaceAll(log, "\u00a0", " ")
	for _, words := range strings.Split(o.Stop.Words, "…") {
		quoted := strings.ReplaceAll(words, `"`, `\"`)
		if !strings.Contains(log, words) && !strings.Contains(log, quoted) {
			t.Errorf("etcd doesn't say %q:\n%s", words, tail(log))
		}
	}
}

// tail returns the end of a log.
func tail(log string) string { return log[max(0, len(log)-3000):] }
