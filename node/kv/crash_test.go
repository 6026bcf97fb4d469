package kv_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// TestMain runs a process of a test's own in place of the tests, where the test asks for it.
func TestMain(m *testing.M) {
	if do, ok := processes[os.Getenv("KV_TEST_PROCESS")]; ok {
		if err := do(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// processes are what a test may run as a process of its own.
var processes = map[string]func(args []string) error{
	"replay": replayProcess,
	"hold":   holdProcess,
	"full":   fullProcess,
}

// process returns the command that runs one of processes.
func process(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "KV_TEST_PROCESS="+name)
	return cmd
}

// replayProcess replays the log of a data directory into a folder, and says how far it is. If a third
// argument says an index, it ends there without closing the store.
func replayProcess(args []string) error {
	log, err := wal.Open(os.DirFS(args[0]), ".")
	if err != nil {
		return err
	}
	view, err := log.View(context.Background())
	if err != nil {
		return err
	}
	s, err := kv.Open(args[1], kv.Options{
		Member: view.Metadata.NodeID, Cluster: view.Metadata.ClusterID,
		BatchInterval: time.Millisecond, BatchLimit: 20, BcryptCost: 4, QuotaBytes: -1,
	})
	if err != nil {
		return err
	}
	fmt.Println(s.Applied().Index)
	for e, err := range view.Replay(s.Applied().Index+1, view.State.Commit) {
		if err != nil {
			return err
		}
		id, err := s.Apply([]raftpb.Entry{*e.Entry})
		if err != nil {
			return err
		}
		fmt.Println(id.Index)
	}
	return nil // neither committed nor closed
}

// TestKilledReplay kills processes that replay a log, each at another moment, until one comes to the end.
func TestKilledReplay(t *testing.T) {
	for _, name := range []string{"c34-1n-clean", "c36-quota-1n-clean", "chain-1n-after37"} {
		t.Run(name, func(t *testing.T) {
			m := openMember(t, name, corpus.Dir(t, name))
			want, dir := t.TempDir(), t.TempDir()
			end := m.view.State.Commit
			m.replay(t, want, end)
			kills, further := 0, end/4 // entries that change nothing, as puts beyond the quota, aren't committed
			data := filepath.Dir(filepath.Dir(m.snap))
			for last, reached := uint64(0), uint64(0); reached < end; kills++ {
				var began uint64
				began, reached = killedReplay(t, data, dir, min(end, last+1+rand.Uint64N(further)))
				switch {
				case began < last:
					t.Fatalf("entry %d was applied, and %d after a kill", last, began)
				case began == last:
					further += end / 4
				default:
					last, further = began, end/4
				}
			}
			if kills < 4 {
				t.Fatalf("killed %d times, want more", kills)
			}
			m.replay(t, dir, end) // what was applied last is not durable
			needed{}.compare(t, readState(t, want), readState(t, dir), &m.subject)
		})
	}
}

// killedReplay runs a process until it has applied entry at, and kills it. It returns the entry that the
// process began with, and how far it was known to come.
func killedReplay(t *testing.T, data, dir string, at uint64) (began, reached uint64) {
	t.Helper()
	cmd := process(t, "replay", data, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for first := true; lines.Scan(); first = false {
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if first {
			began = n
		}
		if reached = n; n >= at {
			break
		}
	}
	_ = cmd.Process.Kill() // it may have ended
	exit := new(exec.ExitError)
	if err := cmd.Wait(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != -1) {
		t.Fatal(err)
	}
	return began, reached
}

// TestCrashAfterAnyEntry goes on from what lies on the disk after each entry, while the store is open. Its
// transactions end only while it applies, so that what lies there is what a kill would leave.
func TestCrashAfterAnyEntry(t *testing.T) {
	for _, name := range []string{"chain-1n-after36", "c34-1n-clean"} {
		t.Run(name, func(t *testing.T) {
			m := openMember(t, name, corpus.Dir(t, name))
			end := uint64(len(m.entries))
			want, dir := t.TempDir(), t.TempDir()
			m.replay(t, want, end)
			s, err := kv.Open(dir, kv.Options{
				Member: m.view.Metadata.NodeID, Cluster: m.view.Metadata.ClusterID, QuotaBytes: -1,
				BatchInterval: time.Hour, BatchLimit: 15, NoSync: true, WaitCompaction: true, BcryptCost: 4,
			})
			if err != nil {
				t.Fatal(err)
			}
			every := max(1, int(end)/60)
			seen := []uint64{}
			for i, e := range m.entries {
				apply(t, s, []raftpb.Entry{e})
				if i%every != 0 {
					continue
				}
				crashed := copyDB(t, dir)
				seen = append(seen, readState(t, crashed).index())
				m.replay(t, crashed, end)
				needed{}.compare(t, readState(t, want), readState(t, crashed), &m.subject)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if seen = slices.Compact(seen); !slices.IsSorted(seen) || len(seen) < 10 {
				t.Errorf("the database was seen at entries %d, want more, in order", seen)
			}
		})
	}
}
