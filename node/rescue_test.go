package node_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/snapcmd"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/walcmd"
	"github.com/raftctl/raftctl/node"
)

// raftctl runs a command in process, which must succeed.
func raftctl(t *testing.T, of func(*ui.App) *cobra.Command, args ...string) {
	t.Helper()
	var out bytes.Buffer
	a := ui.NewApp()
	a.Out, a.Err = &out, &out
	cmd := of(a)
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, &out)
	}
}

// written returns the configuration of a member that has written keys and stopped.
func written(t *testing.T, release string) node.Config {
	t.Helper()
	cfg := node.Config{DataDir: t.TempDir(), ListenPeerURLs: []string{freeURL(t)}, As: release}
	n := start(t, cfg)
	for i := range 100 {
		put(t, n, fmt.Sprint("key", i), "value")
	}
	stop(t, n)
	return cfg
}

// A damaged log is refused, with the command that looks at it; on what wal repair makes of it, the member
// starts with all keys.
func TestStartsOnRepaired(t *testing.T) {
	cfg := written(t, "3.6")
	segment := filepath.Join(cfg.DataDir, "member", "wal", "0000000000000000-0000000000000000.wal")
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("key50"))] ^= 0x04
	if err := os.WriteFile(segment, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "raftctl doctor "+cfg.DataDir) {
		t.Fatalf("started on a damaged log: %v, want a refusal with the command that helps", err)
	}
	repaired := filepath.Join(t.TempDir(), "repaired")
	raftctl(t, walcmd.New, "repair", cfg.DataDir, "--output", repaired)
	cfg.DataDir = repaired
	n := start(t, cfg)
	for i := range 100 {
		if key := fmt.Sprint("key", i); get(t, n, key) != "value" {
			t.Errorf("%s = %q, want value", key, get(t, n, key))
		}
	}
}

// A member starts on what snapshot restore makes, for each release.
func TestStartsOnRestored(t *testing.T) {
	for _, release := range node.Releases {
		t.Run(release, func(t *testing.T) {
			cfg := written(t, release)
			db, restored := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "restored")
			raftctl(t, snapcmd.New, "save", cfg.DataDir, db)
			raftctl(t, snapcmd.New, "restore", db, "--data-dir", restored, "--as", release,
				"--initial-cluster", "default="+cfg.ListenPeerURLs[0],
				"--initial-advertise-peer-urls", cfg.ListenPeerURLs[0])
			cfg.DataDir, cfg.As = restored, ""
			n := start(t, cfg)
			if got := get(t, n, "key99"); got != "value" {
				t.Errorf("key99 = %q, want value", got)
			}
			if got := n.Config().As; got != release {
				t.Errorf("stands for %s, want %s", got, release)
			}
			put(t, n, "key99", "again")
		})
	}
}
