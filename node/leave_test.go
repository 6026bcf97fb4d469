package node_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/raftpb"
)

// waitDone returns why a member stopped by itself.
func waitDone(t *testing.T, n *node.Node) error {
	t.Helper()
	select {
	case <-n.Done():
		return n.Err()
	case <-time.After(time.Minute):
		t.Fatal("the member goes on")
		return nil
	}
}

// A member that is removed ends, says why, and does so again when it is started.
func TestRemovedMemberEnds(t *testing.T) {
	members, configs := cluster(t, 3)
	time.Sleep(5500 * time.Millisecond) // a removal wants members that were heard of for 5 s
	if _, err := members[0].RemoveMember(t.Context(), members[2].ID()); err != nil {
		t.Fatal(err)
	}
	if err := waitDone(t, members[2]); !errors.Is(err, node.ErrRemoved) {
		t.Errorf("ended for %v, want its removal", err)
	}
	// It may have heard of it before its own log said so, and hears of it again then.
	n, err := node.Start(t.Context(), configs[2])
	if err == nil {
		t.Cleanup(func() { stopAnyhow(n) })
		err = waitDone(t, n)
	}
	if !errors.Is(err, node.ErrRemoved) || !strings.Contains(err.Error(), "restore --from-member") {
		t.Errorf("started again: %v, want its removal and what can be done", err)
	}
	eventually(t, "one of those that are left leads", func() bool {
		lead := members[0].Status().Lead
		return lead != raftpb.None && lead != members[2].ID()
	})
	put(t, members[0], "goes", "on")
	if got := get(t, members[1], "goes"); got != "on" {
		t.Errorf("goes = %q, want on", got)
	}
}

// A member whose log lost what it acknowledged ends, says so, and what helps: to go on could lose what the
// cluster has committed.
func TestLostLog(t *testing.T) {
	members, configs := cluster(t, 3)
	put(t, members[0], "before", "x")
	get(t, members[2], "before")
	stop(t, members[2])
	saved := t.TempDir()
	if err := os.CopyFS(saved, os.DirFS(configs[2].DataDir)); err != nil {
		t.Fatal(err)
	}
	members[2] = start(t, configs[2])
	for i := range 50 {
		put(t, members[0], fmt.Sprint("lost", i), "x")
	}
	get(t, members[2], "lost49")
	stop(t, members[2])

	configs[2].DataDir = saved
	n := startOne(t, configs[2])
	err := waitDone(t, n)
	if help, ok := errors.AsType[*node.HelpError](err); !ok || !strings.Contains(err.Error(), "lost entries") ||
		!strings.Contains(help.Help, "remove member") {
		t.Errorf("ended for %v, want the loss and what helps", err)
	}
	put(t, members[0], "goes", "on")
}
