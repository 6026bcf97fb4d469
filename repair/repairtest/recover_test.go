package repairtest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// statusRefused is the exit status of what would lose committed entries.
const statusRefused = 5

// The script of testdata/recover.sh, which decides by exit statuses alone, brings back a member with any damage, or says
// what would be lost. RAFTCTL_SEEDS says how many.
func TestRecoverScript(t *testing.T) {
	raftctl := filepath.Join(t.TempDir(), "raftctl")
	if out, err := exec.Command("go", "build", "-o", raftctl, "../../cmd/raftctl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	script, err := filepath.Abs("../../testdata/recover.sh")
	must(t, err)
	first, n := number(t, "RAFTCTL_SEED", 1), number(t, "RAFTCTL_SEEDS", 8)
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			recoverBy(t, seed, script, raftctl)
		})
	}
}

func recoverBy(t *testing.T, seed uint64, command ...string) {
	g := alone(seed)
	all := uint64(len(damages())) * uint64(places)
	n := seed * 11
	s := hurt(rand.New(rand.NewPCG(seed, n)), g.patient, g.donors, int(n%all))
	for s.fate().states < g.alone { // else it would wait for the members that it doesn't know to be gone
		n++
		s = hurt(rand.New(rand.NewPCG(seed, n)), g.patient, g.donors, int(n%all))
	}
	at := filepath.Join(t.TempDir(), "member")
	must(t, writeDir(at, s.dir()))
	command = append(command, at)
	r := &trial{specimen: s, dir: at}
	if seed%2 == 0 {
		r.donors = g.writeDonors(t, filepath.Dir(at))
		command = append(command, r.donors...)
	}
	server, err := etcdtest.TryStartBy(t, append(command, "--"), g.release, at, etcdtest.Quick...)
	if err == nil {
		r.recovered(t, g, server)
		return
	}
	exit, ended := errors.AsType[*exec.ExitError](err)
	if !ended || exit.ExitCode() != statusRefused {
		t.Fatalf("%v\n%s%s", err, s.describe(), server.Log())
	}
	if now, err := readDir(at); err != nil || differs(s.dir(), now) != "" {
		t.Errorf("refused, and %s has changed: %v", differs(s.dir(), now), err)
	}
	if text := server.Log(); !strings.Contains(text, "entr") {
		t.Errorf("nothing tells what would be lost: %s", text)
	}
	t.Logf("refused:\n%s%s", s.describe(), server.Log())
}

// recovered compares what a member serves that was brought back with what was written: all that is known to be
// committed, and perhaps some more.
func (r *trial) recovered(t *testing.T, g *given, server *etcdtest.Server) {
	t.Helper()
	defer server.Kill()
	got := keysOf(t, server)
	for last := r.fate().committed; last <= g.last(); last++ {
		if maps.Equal(got, g.keys(last, func(uint64) bool { return false })) {
			t.Logf("etcd %s serves the keys as of entry %d:\n%s", g.release, last, r.describe())
			return
		}
	}
	t.Errorf("what etcd %s serves is as of no entry from %d to %d\n%s", g.release, r.fate().committed, g.last(), r.describe())
}
