package walcmd

import (
	"fmt"
	"path"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/snapshot/database"
)

// addNext says what to type next, on the user's own paths.
func (t *repairReport) addNext() {
	switch t.plan.Status {
	case repair.StatusRepair, repair.StatusLossy:
		t.addApply()
	case repair.StatusLoss:
		t.kv.Add("next", "find another member's files, which may have these entries:")
		t.kv.AddCommand(t.commandLine("--from", "OTHER"))
		t.addReplace("or")
		t.kv.Add("", "or accept the loss, if nothing else is left:")
		t.kv.AddCommand(t.commandLine("--accept-loss"))
	case repair.StatusNone:
		if t.o.cutAfter > 0 || len(t.o.neutralise) > 0 {
			return
		}
		t.kv.Add("next", "find another member's files, and see whether they help:")
		t.kv.AddCommand(t.commandLine("--from", "OTHER"))
		t.addReplace("or")
		t.kv.Add("", "or make a new cluster of what there is: see 'raftctl snapshot restore --help'")
	case repair.StatusBeside:
		t.kv.Add("next", "see what it is, and what to do about it:")
		t.kv.AddCommand(t.o.source.Command("doctor", t.path))
	}
}

// addApply says how the plan is executed.
func (t *repairReport) addApply() {
	text := "make a repaired copy, or replace the log and keep the original:"
	if t.at.Log == "" {
		text = "make a repaired copy:"
	}
	command := t.commandLine
	if t.o.planFile != "" {
		text = "do what the plan in " + ui.Quote(t.o.planFile) + " says: " + text
		command = func(more ...string) string {
			return ui.CommandLine(append([]string{"raftctl", "wal", "repair", "--apply", paths.Typed(t.o.planFile)}, more...)...)
		}
	}
	t.kv.Add("next", "%s", text)
	t.kv.AddCommand(command("--output", t.beside()))
	if t.at.Log != "" {
		t.kv.AddCommand(command("--in-place"))
	}
}

// beside is where a copy can lie. That of what lies in an archive is advised in the current directory.
func (t *repairReport) beside() string {
	const ending = ".repaired"
	if !t.member.Place.Archived {
		return paths.Beside(t.a, t.path, ending)
	}
	name, _, _ := strings.Cut(path.Base(t.path), ".tar")
	return paths.Beside(t.a, name, ending)
}

// addReplace says how the other members bring this one back: nothing is lost by that, where they are a majority.
func (t *repairReport) addReplace(or string) {
	self := t.self()
	if self == nil {
		return
	}
	t.kv.Add("", "%s, where the other members go on without this one, let them bring it back. It then starts with an empty data directory:", or)
	t.kv.AddCommand(ui.CommandLine("etcdctl", "member", "remove", fmt.Sprintf("%x", self.ID)))
	if self.Name != "" && len(self.PeerURLs) > 0 {
		t.kv.AddCommand(ui.CommandLine("etcdctl", "member", "add", self.Name, "--peer-urls="+self.PeerURLs[0]))
	}
}

// self returns the member, as the database knows it, if it is one of several; nil if not.
func (t *repairReport) self() *database.Member {
	db, report := t.member.Database, t.member.Report
	if db == nil || len(db.Members.Members) < 2 || report == nil || report.View == nil {
		return nil
	}
	for i := range db.Members.Members {
		if m := &db.Members.Members[i]; m.ID == report.View.Metadata.NodeID {
			return m
		}
	}
	return nil
}

// addDone says what lies where, and how to go on.
func (t *repairReport) addDone() {
	if t.o.inPlace {
		t.kv.Add("original", "%s", ui.Quote(t.result.Change.Kept))
		t.kv.Add("undo", "%s", t.o.source.Command("undo", t.path))
		t.kv.Add("next", "see that all is well, and start etcd; the original can go once it runs:")
		t.kv.AddCommand(t.o.source.Command("doctor", t.path))
		return
	}
	if !t.whole() {
		t.kv.Add("result", "%s, a log; the original is as it was", ui.Quote(t.o.out))
		t.kv.Add("next", "see that all is well, and put it in the place of the log that it was made of:")
		t.kv.AddCommand(ui.CommandLine("raftctl", "wal", "verify", paths.Typed(t.o.out)))
		return
	}
	t.kv.Add("result", "%s, a data directory; the original is as it was", ui.Quote(t.o.out))
	with := ""
	if t.o.source.WalDir != "" {
		with = ", without --wal-dir: the log lies in it"
	}
	t.kv.Add("next", "see that all is well, and start etcd with --data-dir %s%s:", ui.Quote(t.o.out), with)
	t.kv.AddCommand(ui.CommandLine("raftctl", "doctor", paths.Typed(t.o.out)))
}

// whole reports whether the result is a data directory, and not only a log.
func (t *repairReport) whole() bool { return t.member.Place.Snap.State == datadir.Present }
