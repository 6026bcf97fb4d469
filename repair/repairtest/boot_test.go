package repairtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// The members that the laboratory makes are such that a real etcd starts on them and serves what was written.
func TestBootHealthy(t *testing.T) {
	for seed := range uint64(len(etcdtest.Versions)) {
		t.Run(etcdtest.Versions[seed], func(t *testing.T) {
			t.Parallel()
			g := alone(seed)
			dir := filepath.Join(t.TempDir(), "data")
			must(t, writeDir(dir, g.patient.files()))
			checkServes(t, g.release, dir, g.keys(g.patient.last(), func(uint64) bool { return false }))
		})
	}
}

// A real etcd starts on what a repair has made, and serves what was written.
func TestBootRepaired(t *testing.T) {
	first, n := number(t, "RAFTCTL_SEED", 1), number(t, "RAFTCTL_SEEDS", 12)
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			bootRepaired(t, seed)
		})
	}
}

func bootRepaired(t *testing.T, seed uint64) {
	g := alone(seed)
	dir := t.TempDir()
	var donors []string
	if seed/uint64(len(etcdtest.Versions))%2 == 0 {
		donors = g.writeDonors(t, dir)
	}
	all := uint64(len(damages())) * uint64(places)
	for n := seed * 7; n < seed*7+all; n++ { // until one can be repaired
		s := hurt(rand.New(rand.NewPCG(seed, n)), g.patient, g.donors, int(n%all))
		r := &trial{specimen: s, dir: filepath.Join(dir, "member"), donors: donors, out: filepath.Join(dir, "data"),
			accept: n%2 == 0}
		must(t, os.RemoveAll(r.dir))
		must(t, os.RemoveAll(r.out))
		must(t, writeDir(r.dir, s.dir()))
		r.run(t.Context())
		if len(r.wrong) > 0 {
			t.Errorf("%s: %v", s.describe(), r.wrong)
		}
		lost := func(i uint64) bool { return in(r.plan.Cost.Lost, i) }
		if r.made == nil || r.made.state.Commit < g.alone || slices.ContainsFunc(slices.Collect(maps.Values(g.left)), lost) {
			continue // it would wait for the members that it doesn't know to be gone
		}
		t.Logf("etcd %s, %s:\n%s", g.release, r.outcome(), s.describe())
		checkServes(t, g.release, r.out, g.keys(r.made.last(), lost))
		return
	}
	t.Error("nothing could be repaired")
}

// servedLogs are real members without authentication of which it is recorded what a client was told last.
var servedLogs = []string{"chain-1n-after34", "chain-1n-after35", "chain-1n-after36", "chain-1n-after37",
	"c36-leasecp-1n-clean"}

// A real etcd that starts on its own log after a repair serves what a client was told before.
func TestBootReal(t *testing.T) {
	for i, name := range servedLogs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := slices.IndexFunc(realLogs, func(l realLog) bool { return l.name == name })
			m := readMember(t, name, corpus.Dir(t, name)).cut(5)
			all := uint64(len(damages())) * uint64(places)
			for n := uint64(i) * 31; ; n++ {
				dir := t.TempDir()
				s := hurt(rand.New(rand.NewPCG(uint64(i), n)), m, nil, int(n%all))
				r := &trial{specimen: s, dir: filepath.Join(dir, "member"), out: filepath.Join(dir, "data")}
				must(t, writeDir(r.dir, s.dir()))
				r.run(t.Context())
				if r.made == nil || r.made.last() < m.last() {
					continue
				}
				t.Logf("%s:\n%s", r.outcome(), s.describe())
				checkServes(t, realLogs[k].release, r.out, keysIn(t, corpus.Golden(t, name+".keys.json")))
				return
			}
		})
	}
}

// checkServes starts an etcd on a data directory, and compares its keys with those that are wanted.
func checkServes(t *testing.T, release, dir string, want map[string]string) {
	t.Helper()
	checkKeys(t, etcdtest.Start(t, release, dir, etcdtest.Quick...), want)
}

// checkKeys compares the keys of a server with those that are wanted, writes, and ends it.
func checkKeys(t *testing.T, s *etcdtest.Server, want map[string]string) {
	t.Helper()
	defer s.Kill()
	got := keysOf(t, s)
	if !maps.Equal(want, got) {
		t.Errorf("keys (-want +got):\n%s", cmp.Diff(lengths(want), lengths(got)))
	}
	s.Ctl("put", "written", "afterwards")
}

// keysOf returns the keys and values that a server has.
func keysOf(t *testing.T, s *etcdtest.Server) map[string]string {
	t.Helper()
	return keysIn(t, s.Ctl("get", "", "--prefix", "-w", "json"))
}

// keysIn returns the keys and values in an answer of etcdctl.
func keysIn(t *testing.T, text []byte) map[string]string {
	t.Helper()
	var answer struct {
		KVs []struct{ Key, Value []byte } `json:"kvs"`
	}
	must(t, json.Unmarshal(text, &answer))
	keys := map[string]string{}
	for _, kv := range answer.KVs {
		keys[string(kv.Key)] = string(kv.Value)
	}
	return keys
}

// lengths shortens values to what tells them apart.
func lengths(m map[string]string) map[string]string {
	short := map[string]string{}
	for k, v := range m {
		short[k] = fmt.Sprintf("%.12q of %d bytes", v, len(v))
	}
	return short
}
