package restoretest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/snapcmd"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/vfs"
)

// asCommand makes the test binary the command itself, for tests that kill it.
const asCommand = "RAFTCTL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	if err := prepareDisk(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(ui.StatusUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := execute(ctx, ui.NewApp(), os.Args[1:])
	stop()
	sayLeft(os.Stderr)
	os.Exit(status)
}

// execute runs a command line as main does.
func execute(ctx context.Context, a *ui.App, args []string) int {
	cmd := snapcmd.New(a)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	c, err := cmd.ExecuteContextC(ctx)
	status := ui.StatusOf(ctx, err)
	if _, said := err.(ui.ExitError); err != nil && !said {
		fmt.Fprintf(a.Err, "%s: %s\n", c.CommandPath(), ui.OneLine(err))
	}
	return status
}

// restored is what a restore prints as JSON, as far as tests read it.
type restored struct {
	RevisionBefore int64  `json:"revision_before"`
	RevisionAfter  int64  `json:"revision_after"`
	BumpedBy       int64  `json:"bumped_by"`
	As             string `json:"as"`
	Members        []struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		DataDir string `json:"data_dir"`
	} `json:"members"`
	Replay *struct {
		Target  string `json:"target"`
		First   uint64 `json:"first"`
		Last    uint64 `json:"last"`
		Entries uint64 `json:"entries"`
		Commit  struct {
			Index uint64 `json:"index"`
			By    string `json:"told_by"`
		} `json:"commit"`
		Logs []struct {
			Path        string
			First, Last uint64
		} `json:"logs"`
		Behind *struct {
			Committed   uint64 `json:"committed"`
			Uncommitted uint64 `json:"uncommitted"`
			Writes      uint64 `json:"writes"`
		} `json:"left_behind"`
		Uncommitted uint64   `json:"uncommitted"`
		Damage      []string `json:"damage"`
	} `json:"replay"`
	Rehearsals []struct {
		Revision int64  `json:"revision"`
		Keys     int64  `json:"keys"`
		Leases   int    `json:"leases"`
		Hash     uint32 `json:"hash_kv"`
	} `json:"rehearsals"`
}

// run runs `snapshot restore` and returns its exit status and what it prints.
func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &ui.App{In: strings.NewReader(""), Out: &out, Err: &errs, FS: vfs.OS, Now: time.Now, Confirm: ui.Refuse,
		Getenv: func(string) string { return "" }, AskSecret: ui.RefuseSecret}
	status = execute(t.Context(), a, append([]string{"restore"}, args...))
	return status, out.String(), errs.String()
}

// restore runs a restore that must succeed.
func restore(t *testing.T, args ...string) *restored {
	t.Helper()
	status, out, errs := run(t, append(args, "-o", "json")...)
	if status != ui.StatusOK {
		t.Fatalf("restore %q: exit status %d: %s", args, status, errs)
	}
	r := new(restored)
	if err := json.Unmarshal([]byte(out), r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

// seeds chooses the random histories: RAFTCTL_SEEDS, which `make lab` sets, says how many, and RAFTCTL_SEED the
// first one.
func seeds(t *testing.T) (list []uint64) {
	t.Helper()
	first, n := number(t, "RAFTCTL_SEED", 1), number(t, "RAFTCTL_SEEDS", 1)
	for i := range n {
		list = append(list, uint64(first+i))
	}
	return list
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
