package restoretest

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// cluster is one of three members while it lives.
type cluster struct {
	*writer
	peers   []etcdtest.Peer
	servers []*etcdtest.Server
	flags   []string
}

// shortLogs are flags by which a leader soon has to send a snapshot to one that lags behind. 3.5 has none
// for that.
var shortLogs = map[string][]string{
	"3.6": {"--snapshot-count", "10", "--snapshot-catchup-entries", "5"},
	"3.7": {"--snapshot-count", "10", "--snapshot-catchup-entries", "5"},
}

func startCluster(t *testing.T, version string, args ...string) *cluster {
	t.Helper()
	c := &cluster{peers: etcdtest.Peers(t, 3)}
	dir := t.TempDir()
	for i := range c.peers {
		c.peers[i].DataDir = filepath.Join(dir, c.peers[i].Name)
	}
	// An election takes longer than the machine may be busy with something else.
	c.flags = append([]string{"--initial-cluster", etcdtest.InitialCluster(c.peers), "--heartbeat-interval", "50",
		"--election-timeout", "500", "--bcrypt-cost", "4", "--strict-reconfig-check=false"}, args...)
	c.servers = etcdtest.StartCluster(t, version, c.peers, c.flags...)
	c.writer = newWriter(t, c.servers[0].Endpoint)
	c.moveTo(c.servers[c.leader()].Endpoint)
	return c
}

// status returns what a member says of itself.
func (c *cluster) status(i int) *clientv3.StatusResponse {
	c.t.Helper()
	ctx, cancel := withPatience(c.t)
	defer cancel()
	s, err := c.c.Status(ctx, c.servers[i].Endpoint)
	c.must("status", err)
	return s
}

// leader returns which member leads.
func (c *cluster) leader() int {
	c.t.Helper()
	for {
		for i := range c.servers {
			if s := c.status(i); s.Leader == s.Header.MemberId {
				return i
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// catchUp waits until a member has applied what another has.
func (c *cluster) catchUp(i, other int) {
	c.t.Helper()
	want := c.status(other).RaftAppliedIndex
	for c.status(i).RaftAppliedIndex < want {
		time.Sleep(20 * time.Millisecond)
	}
}

// lead makes a member the leader, and writes through it from then on.
func (c *cluster) lead(i int) {
	c.t.Helper()
	ctx, cancel := withPatience(c.t)
	defer cancel()
	_, err := c.c.MoveLeader(ctx, c.status(i).Header.MemberId)
	c.must("move leader", err)
	c.moveTo(c.servers[i].Endpoint)
	for {
		_, err := c.c.Get(ctx, "a/1")
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			c.t.Fatalf("no leader: %v", err)
		}
	}
}

// dead is a cluster of three that was.
type dead struct {
	*history
	version  string
	backup   string
	base     int
	lagging  string // the disk of a member that hung when the others were killed
	before   string // that of the first leader
	leading  string // that of the last leader
	hasGap   bool   // the lagging member once was sent a snapshot
	all      []string
	lastSure moment // before the last writes
}

// diedWhole lets a cluster of three live with a backup, a member that lags behind, one that a leader's snapshot caught
// up, and a change of the leader, until all are killed.
func diedWhole(t *testing.T, version string, seed uint64) *dead {
	t.Helper()
	t.Logf("etcd %s, RAFTCTL_SEED=%d", version, seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	c := startCluster(t, version, shortLogs[version]...)
	first := c.leader()
	lags, next := (first+1)%3, (first+2)%3
	d := &dead{history: c.history, version: version, hasGap: shortLogs[version] != nil,
		backup: filepath.Join(t.TempDir(), "backup.db"), lagging: c.peers[lags].DataDir,
		before: c.peers[first].DataDir, leading: c.peers[next].DataDir}
	d.all = []string{d.before, d.lagging, d.leading}
	c.random(rng, 20)
	c.grant(2)
	c.put("leased/before", 2)
	if rng.IntN(2) == 0 {
		c.setUpAuth()
	}
	c.catchUp(lags, first)
	user := []string{}
	if c.now.Auth {
		user = []string{"--user", "root:" + rootPassword}
	}
	c.servers[lags].Ctl(append(user, "snapshot", "save", d.backup)...)
	d.base = len(d.moments) - 1

	c.servers[lags].Kill()
	c.random(rng, 40)
	c.servers[lags] = etcdtest.StartCluster(t, version, c.peers[lags:lags+1], c.flags...)[0]
	c.catchUp(lags, first)
	c.random(rng, 10)
	c.servers[lags].Pause()
	c.put("victim", 0)
	c.lead(next)
	c.txnDelete("victim", false)
	c.revoke(2)
	c.random(rng, 20)
	d.lastSure = d.last()
	for i := range lastWrites {
		c.putLast(fmt.Sprintf("a/%d", i))
	}
	for _, i := range []int{next, first, lags} {
		c.servers[i].Kill()
	}
	return d
}

// wals are flags with these logs.
func wals(dirs ...string) (args []string) {
	for _, dir := range dirs {
		args = append(args, "--wal", dir)
	}
	return args
}

// replays restores with some logs, and lets etcd serve it.
func (d *dead) replays(t *testing.T, want moment, args ...string) *restored {
	t.Helper()
	r := restore(t, append(append([]string{d.backup, "--rehearse"}, to(t)...), args...)...)
	p := proof{history: d.history, want: want}
	s := boot(t, d.version, r)
	p.checkRehearsal(t, r, s.Endpoint)
	p.check(t, s.Endpoint)
	s.Kill()
	return r
}

func TestRestoreOfThree(t *testing.T) {
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		for _, seed := range seeds(t) {
			t.Run(fmt.Sprintf("%s seed %d", version, seed), func(t *testing.T) {
				t.Parallel()
				d := diedWhole(t, version, seed)
				unchanged(t, append(d.all, filepath.Dir(d.backup))...)
				d.tests(t)
			})
		}
	}
}

func (d *dead) tests(t *testing.T) {
	t.Run("all logs", func(t *testing.T) { d.replays(t, d.last(), wals(d.all...)...) })
	t.Run("one that lags and one that leads", func(t *testing.T) { d.sureAtLeast(t, wals(d.lagging, d.leading)...) })
	t.Run("archive", func(t *testing.T) {
		archive := filepath.Join(t.TempDir(), "wal.tar.zst")
		out, err := exec.Command("tar", "--zstd", "-cf", archive, "-C", filepath.Join(d.leading, "member"), "wal").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		d.replays(t, d.last(), "--wal", archive, "--include-uncommitted")
	})
	t.Run("uncommitted", func(t *testing.T) {
		d.replays(t, d.last(), append(wals(d.leading), "--include-uncommitted")...)
	})
	t.Run("before a delete", func(t *testing.T) {
		want, _ := d.beforeDelete(d.base, "victim")
		d.replays(t, want, append(wals(d.all...), "--until", "before-delete=victim")...)
	})
	t.Run("member's disk and the others' logs", func(t *testing.T) {
		r := restore(t, append(append([]string{"--from-member", d.lagging}, wals(d.before, d.leading)...), to(t)...)...)
		p := proof{history: d.history, want: d.last()}
		p.check(t, boot(t, d.version, r).Endpoint)
	})
	t.Run("three at once", func(t *testing.T) {
		p := proof{history: d.history, want: d.last()}
		p.checkThree(t, d.version, append([]string{d.backup}, wals(d.all...)...)...)
	})
	if d.hasGap {
		t.Run("gap", d.testGap)
	}
}

// sureAtLeast restores what is known to be committed: at least what was acknowledged some time before the end,
// and how much is left out is told.
func (d *dead) sureAtLeast(t *testing.T, args ...string) {
	t.Helper()
	r := restore(t, append(append([]string{d.backup}, to(t)...), args...)...)
	if r.RevisionAfter < d.lastSure.Rev-5 {
		t.Errorf("revision %d, want about %d", r.RevisionAfter, d.lastSure.Rev)
	}
	want := d.atRevision(d.base, r.RevisionAfter)
	if left := d.last().Rev - want.Rev; left > 0 && (r.Replay.Behind == nil || int64(r.Replay.Behind.Uncommitted) < left) {
		t.Errorf("%d revisions are left out, told is %+v", left, r.Replay.Behind)
	}
	t.Logf("of %d revisions %d are known to be committed, by the %s", d.last().Rev, r.RevisionAfter, r.Replay.Commit.By)
	s := boot(t, d.version, r)
	p := proof{history: d.history, want: want}
	p.check(t, s.Endpoint)
	s.Kill()
}

// testGap replays the log of the member that was caught up by a snapshot: alone, it lacks entries.
func (d *dead) testGap(t *testing.T) {
	args := append([]string{d.backup, "--wal", d.lagging}, to(t)...)
	status, _, errs := run(t, args...)
	if status != ui.StatusRefused || !strings.Contains(errs, "add a log of the cluster that has entries") ||
		!strings.Contains(errs, "has a snapshot from the leader up to") {
		t.Errorf("exit status %d: %s", status, errs)
	}
	t.Log(errs)
}
