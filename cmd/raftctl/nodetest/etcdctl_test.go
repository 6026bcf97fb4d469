package nodetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// line is a command line of etcdctl. Words are split at spaces, unless in single quotes; ${NAME} stands for what a
// side has under that name.
type line struct {
	args string
	in   string // what it reads

	since string // the first release that has it; empty: all have
	until string // the last
	long  bool   // it takes a minute: only `make lab` runs it

	cluster string // it is run as soon as this is the cluster's version
	save    string // the name to keep the first ID under that it prints
	stopAt  string // it is interrupted when it has printed this, and what comes after is left out
	stopKey string // it is interrupted when there is this key

	order   bool   // in which order members come depends on their IDs
	numbers bool   // numbers are terms, indexes and sizes, which need not be equal
	only    string // lines without this don't count
	again   bool   // it is tried anew until the members have been connected for a while
	unseen  bool   // what it prints is not compared
}

// script is lines of etcdctl, one after the other on one cluster.
type script struct {
	name    string
	members int
	flags   []string // of each member
	lines   []line
}

// releases are those whose etcdctl is run, against members that stand for the same release.
var releases = []string{"3.5", "3.6", "3.7"}

// A member of ours answers etcdctl of each release as an etcd of that release does.
func TestEtcdctl(t *testing.T) {
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			for _, s := range scripts {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.run(t, release)
				})
			}
		})
	}
}

func (s *script) run(t *testing.T, release string) {
	theirs, ours := newSide(t, release), newSide(t, release)
	theirs.startEtcds(s)
	ours.startMembers(s)
	theirs.settle()
	ours.settle()
	for _, l := range s.lines {
		if l.since > release || l.until != "" && l.until < release || l.long && !whole() {
			continue
		}
		var want, got string
		var both sync.WaitGroup
		both.Go(func() { want = theirs.play(&l) })
		both.Go(func() { got = ours.play(&l) })
		both.Wait()
		if diff := cmp.Diff(want, got); diff != "" && !l.unseen {
			t.Errorf("etcdctl %s (-etcd +raftctl):\n%s", l.args, diff)
		}
	}
}

// side is a cluster, either of etcds or of members of ours, and its etcdctl.
type side struct {
	t         *testing.T
	release   string
	ctl       string
	endpoints []string
	names     map[string]string // what ${NAME} stands for
	mask      *strings.Replacer // of the folder and the like
}

func newSide(t *testing.T, release string) *side {
	dir := t.TempDir()
	return &side{
		t: t, release: release, ctl: etcdtest.Binary(t, release, "etcdctl"),
		names: map[string]string{"dir": dir}, mask: strings.NewReplacer(dir, "DIR"),
	}
}

// quick lets members elect a leader soon.
var quick = []string{"--heartbeat-interval", "50", "--election-timeout", "500"}

func (s *side) startEtcds(sc *script) {
	peers := s.peers(sc.members)
	flags := append([]string{"--initial-cluster", etcdtest.InitialCluster(peers)}, append(quick, sc.flags...)...)
	for _, server := range etcdtest.StartCluster(s.t, s.release, peers, flags...) {
		s.endpoints = append(s.endpoints, server.URL())
	}
	s.learn()
}

// settle waits until the database of each member says its version, which backups and the like tell: that is
// written some time after the cluster has one.
func (s *side) settle() {
	s.t.Helper()
	if s.release == "3.5" {
		return // its database doesn't
	}
	want := `"storage":"` + s.release + `.0"`
	for _, endpoint := range s.endpoints {
		var body []byte
		for end := time.Now().Add(startTimeout); !bytes.Contains(body, []byte(want)); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				s.t.Fatalf("%s says %s, want %s", endpoint, body, want)
			}
			r, err := http.Get(endpoint + "/version")
			if err != nil {
				s.t.Fatal(err)
			}
			if body, err = io.ReadAll(r.Body); err != nil {
				s.t.Fatal(err)
			}
			_ = r.Body.Close() // it was read
		}
	}
}

func (s *side) startMembers(sc *script) {
	peers := s.peers(sc.members)
	var all []*member
	for _, p := range peers {
		url := etcdtest.Peers(s.t, 1)[0].URL
		s.endpoints = append(s.endpoints, url)
		all = append(all, launch(s.t, append(append([]string{
			"--name", p.Name, "--data-dir", p.DataDir, "--as", s.release,
			"--listen-client-urls", url, "--advertise-client-urls", url,
			"--listen-peer-urls", p.URL, "--initial-advertise-peer-urls", p.URL,
			"--initial-cluster", etcdtest.InitialCluster(peers),
		}, quick...), sc.flags...)...))
	}
	for _, m := range all {
		m.waitServing()
	}
	s.learn()
}

func (s *side) peers(n int) []etcdtest.Peer {
	peers := etcdtest.Peers(s.t, n)
	for i := range peers {
		peers[i].DataDir = s.t.TempDir()
	}
	s.names["peer"] = peers[0].URL
	return peers
}

// client returns a client of the whole cluster.
func (s *side) client() *clientv3.Client {
	s.t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: s.endpoints, DialTimeout: startTimeout})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// learn waits for the version of the cluster, and names its members: the leader, and one that follows.
func (s *side) learn() {
	s.t.Helper()
	c := s.client()
	defer c.Close()
	s.waitVersion(s.release)
	s.names["endpoint"], s.names["endpoints"] = s.endpoints[0], strings.Join(s.endpoints, ",")
	for _, e := range s.endpoints {
		status, err := c.Status(s.t.Context(), e)
		if err != nil {
			s.t.Fatal(err)
		}
		id := status.Header.MemberId
		if id == status.Leader {
			s.names["leader"], s.names["leaderID"] = e, fmt.Sprintf("%x", id)
		} else {
			s.names["follower"], s.names["followerID"] = e, fmt.Sprintf("%x", id)
		}
	}
}

// waitVersion waits until a release is the cluster's version.
func (s *side) waitVersion(release string) {
	s.t.Helper()
	want, text := `"etcdcluster":"`+release+`.0"`, []byte(nil)
	for end := time.Now().Add(startTimeout); !bytes.Contains(text, []byte(want)); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Errorf("%s/version: %s, want %s", s.endpoints[0], text, want)
			return
		}
		resp, err := http.Get(s.endpoints[0] + "/version")
		if err != nil {
			continue
		}
		text, err = io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			s.t.Error(err)
			return
		}
	}
}

// word is a word of a command line, of which parts may be quoted.
var word = regexp.MustCompile(`(?:'[^']*'|\S)+`)

// id is what etcdctl prints of a lease or a member.
var id = regexp.MustCompile(`\b[0-9a-f]{12,16}\b`)

// play runs a line, and returns what it printed and how it ended, as far as that must be equal on both sides.
func (s *side) play(l *line) string {
	var args []string
	for _, w := range word.FindAllString(l.args, -1) {
		args = append(args, os.Expand(strings.ReplaceAll(w, "'", ""), func(name string) string { return s.names[name] }))
	}
	if l.cluster != "" {
		s.waitVersion(l.cluster)
	}
	if !strings.Contains(l.args, "--endpoints") {
		args = append([]string{"--endpoints", s.endpoints[0]}, args...)
	}
	for end := time.Now().Add(startTimeout); ; time.Sleep(200 * time.Millisecond) {
		stdout, stderr, ending := s.execute(l, args)
		if l.again && strings.Contains(stderr, "unhealthy cluster") && time.Now().Before(end) {
			continue
		}
		if l.save != "" {
			s.names[l.save] = id.FindString(stdout)
		}
		return masked(s.mask.Replace(stdout+stderr), l) + ending + "\n"
	}
}

// lineTimeout bounds how long a line takes: 'check perf' writes for a minute.
const lineTimeout = 3 * time.Minute

// execute runs etcdctl.
func (s *side) execute(l *line, args []string) (stdout, stderr, ending string) {
	ctx, cancel := context.WithTimeout(s.t.Context(), lineTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.ctl, args...)
	cmd.Stdin = strings.NewReader(l.in)
	out, errs := &printed{at: l.stopAt}, new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, errs
	interrupt := func() { _ = cmd.Process.Signal(syscall.SIGINT) }
	out.reached = interrupt
	if err := cmd.Start(); err != nil {
		return "", err.Error(), ""
	}
	if l.stopKey != "" {
		go s.whenKey(ctx, l.stopKey, interrupt)
	}
	_ = cmd.Wait() // how it ended is compared
	if l.stopAt != "" {
		return out.before(), errs.String(), "interrupted"
	}
	return out.text.String(), errs.String(), cmd.ProcessState.String()
}

// whenKey does something as soon as there is a key.
func (s *side) whenKey(ctx context.Context, key string, do func()) {
	c := s.client()
	defer c.Close()
	for ctx.Err() == nil {
		if resp, err := c.Get(ctx, key); err == nil && resp.Count > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	do()
}

// printed keeps what is printed, and tells when a text has come.
type printed struct {
	at      string
	reached func()
	text    bytes.Buffer
}

// Write implements io.Writer.
func (p *printed) Write(b []byte) (int, error) {
	before := p.before()
	n, err := p.text.Write(b)
	if p.at != "" && !strings.HasSuffix(before, p.at) && strings.HasSuffix(p.before(), p.at) {
		p.reached()
	}
	return n, err
}

// before returns what was printed until the text came, and the text.
func (p *printed) before() string {
	before, _, found := strings.Cut(p.text.String(), p.at)
	if !found {
		return before
	}
	return before + p.at
}
