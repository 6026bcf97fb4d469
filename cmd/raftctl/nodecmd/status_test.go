package nodecmd

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
)

// runNode runs a command below `raftctl node`, and returns what it writes and its exit status.
func runNode(t *testing.T, args ...string) (out, errText string, status int) {
	t.Helper()
	a := testApp(t, nil)
	cmd := New(a)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return ui.Usagef(cmd, "%w", err) })
	err := cmd.ExecuteContext(context.Background())
	if err != nil {
		errText = err.Error()
	}
	return a.Out.(*bytes.Buffer).String(), errText, ui.StatusOf(context.Background(), err)
}

// statuses runs the command with JSON.
func statuses(t *testing.T, want int, args ...string) []*memberStatus {
	t.Helper()
	out, errText, status := runNode(t, append([]string{"status", "-o", "jsonl"}, args...)...)
	if status != want {
		t.Fatalf("status %v: exit status %d, want %d; %s\n%s", args, status, want, errText, out)
	}
	var all []*memberStatus
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		m := new(memberStatus)
		if err := d.Decode(m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// A cluster of each release: who leads, how far each is, and what a member that doesn't answer means.
func TestStatusOfEtcd(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) { testStatusOfEtcd(t, version) })
	}
}

func testStatusOfEtcd(t *testing.T, version string) {
	peers := etcdtest.Peers(t, 3)
	for i := range peers {
		peers[i].DataDir = t.TempDir()
	}
	args := append([]string{"--initial-cluster", etcdtest.InitialCluster(peers)}, etcdtest.Quick...)
	servers := etcdtest.StartCluster(t, version, peers, args...)
	servers[0].Ctl("put", "a", "b")
	var endpoints []string
	for _, s := range servers {
		endpoints = append(endpoints, s.Endpoint)
	}

	all := statuses(t, ui.StatusOK, endpoints...)
	leaders := 0
	for i, m := range all {
		if m.Role == "leader" {
			leaders++
		}
		if m.Endpoint != endpoints[i] || m.Verdict != verdict.OK || m.Name != peers[i].Name ||
			!strings.HasPrefix(m.Version, version) || m.LeaderID != all[0].LeaderID || m.Term < 2 || m.Index == 0 ||
			len(m.Members) != 3 || m.Size == 0 || m.ClusterID == "" {
			t.Errorf("%+v", m)
		}
	}
	if leaders != 1 {
		t.Errorf("%d leaders, want 1", leaders)
	}
	if got := statuses(t, ui.StatusOK, "--cluster", endpoints[0]); len(got) != 3 {
		t.Errorf("--cluster asks %d members, want 3", len(got))
	}

	servers[2].Kill()
	all = statuses(t, ui.StatusPartial, endpoints...)
	if m := all[2]; m.Verdict != verdict.Unchecked || !strings.Contains(m.Error, "refused") {
		t.Errorf("a member that doesn't run: %+v", m)
	}
	servers[1].Kill()
	for {
		out, _, status := runNode(t, "status", endpoints[0])
		if status == ui.StatusDamage {
			if !strings.Contains(out, "it knows no leader") || !strings.Contains(out, "candidate") {
				t.Errorf("without a leader:\n%s", out)
			}
			break
		}
	}
}

// An alarm is a problem of the member that tells it.
func TestStatusAlarm(t *testing.T) {
	for _, version := range etcdtest.Versions {
		s := etcdtest.Start(t, version, t.TempDir(), append([]string{"--quota-backend-bytes", "1"}, etcdtest.Quick...)...)
		put := exec.Command(etcdtest.Binary(t, version, "etcdctl"), "--endpoints", s.Endpoint, "put", "a", "b")
		put.Env = append(os.Environ(), "ETCDCTL_API=3")
		if err := put.Run(); err == nil {
			t.Fatal("more fits into the quota than should")
		}
		out, _, status := runNode(t, "status", s.Endpoint)
		if status != ui.StatusDamage || !strings.Contains(out, "alarm NOSPACE of member ") {
			t.Errorf("etcd %s: exit status %d\n%s", version, status, out)
		}
	}
}

func TestStatusTLS(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	s := etcdtest.StartTLS(t, "3.7", t.TempDir(), certs, etcdtest.Quick...)
	flags := certs.ClientFlags()
	statuses(t, ui.StatusOK, append(flags, s.URL())...)
	m := statuses(t, ui.StatusPartial, s.URL())[0]
	if !strings.Contains(m.Error, "--cacert names its authority") {
		t.Errorf("without an authority: %s", m.Error)
	}
	_, text, status := runNode(t, "status", s.URL(), "--cacert", "missing")
	if status == ui.StatusOK || !strings.Contains(text, "missing") {
		t.Errorf("a file that is missing: exit status %d, %s", status, text)
	}
}

func TestStatusArguments(t *testing.T) {
	for _, tc := range []struct {
		text string
		args []string
	}{
		{"is a path", []string{"/etc"}},
		{"is there twice", []string{"a:1", "a:1"}},
		{"several endpoints", []string{"a:1,b:1"}},
		{"--dial-timeout 0s, want more", []string{"a:1", "--dial-timeout", "0"}},
	} {
		_, text, status := runNode(t, append([]string{"status"}, tc.args...)...)
		if status != ui.StatusUsage || !strings.Contains(text, tc.text) {
			t.Errorf("%q: exit status %d, %s; want %q", tc.args, status, text, tc.text)
		}
	}
}

// What members say of each other, one case a row.
func TestJudge(t *testing.T) {
	member := func(id, leader string, term uint64) *memberStatus {
		return &memberStatus{
			Endpoint: "at-" + id, Verdict: verdict.OK, MemberID: id, ClusterID: "c", LeaderID: leader, Term: term,
			Index: 10, Applied: 10, Members: []knownMember{{ID: "1"}, {ID: "2"}},
		}
	}
	for _, tc := range []struct {
		name   string
		change func(a, b *memberStatus)
		want   string // of b; empty: nothing
	}{
		{"fine", func(_, _ *memberStatus) {}, ""},
		{"a term ahead", func(_, b *memberStatus) { b.Term, b.LeaderID = 3, "2" }, ""},
		{"two leaders", func(_, b *memberStatus) { b.LeaderID = "2" }, "its leader of term 2 is 2, and that of at-1 is 1"},
		{"no leader", func(_, b *memberStatus) { b.LeaderID = "" }, "it knows no leader"},
		{"another cluster", func(_, b *memberStatus) { b.ClusterID = "d" }, "it is of cluster d, and at-1 is of c"},
		{"the same", func(_, b *memberStatus) { b.MemberID = "1" }, "it is the same member as at-1"},
		{"far behind", func(a, _ *memberStatus) { a.Index, a.Applied = 6000, 6000 }, "its state is 5990 entries behind"},
		{"a little behind", func(a, _ *memberStatus) { a.Index, a.Applied = 60, 60 }, ""},
		{"other members", func(_, b *memberStatus) { b.Members = b.Members[1:] }, "it knows other members than at-1"},
		{"other members and behind", func(a, b *memberStatus) { a.Index, a.Applied, b.Members = 11, 11, nil }, ""},
		{"not a member", func(a, b *memberStatus) {
			a.Members[1].ID, b.Members[1].ID = "3", "3"
		}, "it is not among the members that it knows"},
	} {
		a, b := member("1", "1", 2), member("2", "1", 2)
		tc.change(a, b)
		judge([]*memberStatus{a, b})
		if got := strings.Join(b.Problems, "; "); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
		if (b.Verdict == verdict.Problem) != (tc.want != "") {
			t.Errorf("%s: verdict %s", tc.name, b.Verdict)
		}
	}
}

func TestParseAlarm(t *testing.T) {
	for text, want := range map[string]string{
		"memberID:10276657743932975437 alarm:NOSPACE ": "8e9e05c52164694d NOSPACE",
		"memberID:10276657743932975437  alarm:CORRUPT": "8e9e05c52164694d CORRUPT",
		"memberID:99999999999999999999 alarm:NOSPACE":  "",
		"etcdserver: no leader":                        "",
	} {
		a, ok := parseAlarm(text)
		if ok != (want != "") || ok && a.MemberID+" "+a.Kind != want {
			t.Errorf("%q: %v, %v; want %q", text, a, ok, want)
		}
	}
}

// Every field is in the contract.
func TestStatusJSONContract(t *testing.T) {
	text, err := os.ReadFile("../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## Members: `node status`")
	if !ok {
		t.Fatal("docs/json.md says nothing about node status")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, of := range []reflect.Type{
		reflect.TypeFor[memberStatus](), reflect.TypeFor[alarm](), reflect.TypeFor[knownMember](),
	} {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(section, "`"+name+"`") {
				t.Errorf("docs/json.md lacks %q", name)
			}
		}
	}
}
