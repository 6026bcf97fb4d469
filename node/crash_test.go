package node_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/cmd/raftctl/nodecmd"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// writerDir has this test binary be a member on a directory that writes keys, and prints those that were
// acknowledged, until it is killed.
const writerDir = "RAFTCTL_TEST_WRITER_DIR"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == runsMember {
		runMember(os.Args[2:])
	}
	if dir := os.Getenv(writerDir); dir != "" {
		if err := write(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// runsMember as the first argument has this test binary be raftctl node run.
const runsMember = "member"

func runMember(flags []string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	cmd := nodecmd.New(ui.NewApp())
	cmd.SetArgs(append([]string{"run"}, flags...))
	err := cmd.ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// launchProcess starts a member of ours as a process of its own.
func (s *seat) launchProcess(t *testing.T) {
	t.Helper()
	s.etcd = etcdtest.LaunchProgram(t, []string{os.Args[0], runsMember}, s.release, s.DataDir, "--as", s.release,
		"--name", s.Name, "--listen-peer-urls", s.URL, "--initial-advertise-peer-urls", s.URL,
		"--initial-cluster", s.initial, "--snapshot-count", "100", "--snapshot-catchup-entries", "100",
		"--heartbeat-interval", "50", "--election-timeout", "500")
	s.url = s.etcd.URL()
}

// Members are killed at random under load, one at a time and all at once, etcds among them: what was
// acknowledged is on every one, and all are equal.
func TestMembersKilled(t *testing.T) {
	all := seats(t, "3.6", 3)
	ours := func(s *seat) bool { return s != all[2] }
	launch := func(s *seat) {
		if ours(s) {
			s.launchProcess(t)
		} else {
			s.launch(t, false)
		}
	}
	for _, s := range all {
		launch(s)
	}
	for _, s := range all {
		s.wait(t)
	}
	l := startLoad(t, all)
	for round := range etcdtest.Looks(t, 6) {
		l.pass(t, 100)
		victims := all[round%3 : round%3+1]
		if round%5 == 4 {
			victims = all
		}
		for _, s := range victims {
			s.etcd.Kill()
		}
		for _, s := range victims {
			launch(s)
		}
		for _, s := range victims {
			if err := s.etcd.WaitHealthy(); err != nil {
				t.Fatalf("%s: %v\n%s", s.Name, err, s.etcd.Log())
			}
			l.mu.Lock()
			s.client = dialClient(t, s.url)
			l.mu.Unlock()
		}
	}
	l.pass(t, 100)
	l.stop()
	l.done.Wait()
	checkEqual(t, all, l.acked)
	t.Logf("%d writes", len(l.acked))
}

// crashConfig takes snapshots and begins anew often.
func crashConfig(dir string) node.Config {
	return node.Config{
		DataDir: dir, ListenPeerURLs: []string{"http://127.0.0.1:0"}, AdvertisePeerURLs: []string{"http://127.0.0.1:1"},
		SnapshotCount: 300, CatchUpEntries: 100, Tick: 20 * time.Millisecond, ElectionTimeout: 200 * time.Millisecond,
	}
}

func write(dir string) error {
	cfg := crashConfig(dir)
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	n, err := node.Start(context.Background(), cfg)
	if err != nil {
		return err
	}
	<-n.Ready()
	var mu sync.Mutex
	out := os.Stdout
	for worker := range 8 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d/%d/%d", os.Getpid(), worker, i)
				r, err := n.Propose(context.Background(), &etcdserverpb.InternalRaftRequest{
					Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte(key)},
				})
				if err != nil || r.Err != nil {
					fmt.Fprintln(os.Stderr, key, err, r.Err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Fprintln(out, key)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// What a member acknowledged before it was killed is there when it starts again.
func TestKilled(t *testing.T) {
	dir, acked := t.TempDir(), map[string]bool{}
	const rounds = 8
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writerDir+"="+dir)
		cmd.Stderr = t.Output()
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, killAfter := bufio.NewScanner(out), 200+rand.IntN(1500)
		for i := 0; lines.Scan(); i++ {
			acked[lines.Text()] = true
			if i == killAfter {
				_ = cmd.Process.Kill() // it may have died by itself: then too few lines came
			}
		}
		_ = cmd.Wait() // "signal: killed"
		if len(acked) < 200*(round+1) {
			t.Fatalf("round %d: %d keys acknowledged", round, len(acked))
		}
	}
	n := start(t, crashConfig(dir))
	for key := range acked {
		if got := get(t, n, key); got != key {
			t.Fatalf("%s = %q, want itself", key, got)
		}
	}
	t.Logf("%d keys", len(acked))
	stop(t, n)
	etcd := etcdtest.Start(t, "3.7", dir, etcdtest.Quick...)
	out := etcd.Ctl("get", "--prefix", "", "--count-only", "--write-out", "fields")
	var count int
	for line := range strings.Lines(string(out)) {
		_, _ = fmt.Sscanf(line, `"Count" : %d`, &count)
	}
	if count < len(acked) {
		t.Errorf("etcd has %d keys, want at least the %d that were acknowledged", count, len(acked))
	}
}
