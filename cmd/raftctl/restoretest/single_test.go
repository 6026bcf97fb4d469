package restoretest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// putV2 writes a key of the v2 API, which is in the log and not among the keys.
func putV2(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/v2/keys/old", strings.NewReader("value=x"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil || r.StatusCode >= http.StatusBadRequest {
		t.Fatalf("v2: %v, %v", r.Status, err)
	}
}

// to returns flags for a new data directory.
func to(t *testing.T) []string {
	return []string{"--data-dir", filepath.Join(t.TempDir(), "new")}
}

// replays restores up to a target, and lets etcd serve it.
func (o *old) replays(t *testing.T, until string, want moment, more ...string) *restored {
	t.Helper()
	args := append([]string{o.backup, "--wal", o.dir, "--rehearse"}, append(to(t), more...)...)
	if until != "" {
		args = append(args, "--until", until)
	}
	r := restore(t, args...)
	p := proof{o.history, want, r.BumpedBy}
	s := boot(t, o.version, r)
	p.checkRehearsal(t, r, s.Endpoint)
	p.check(t, s.Endpoint)
	s.Kill()
	if t.Failed() {
		t.Logf("restore of %s, --until %s: %+v", o.version, until, r.Replay)
	}
	return r
}

// What a real etcd wrote is what another one serves that starts on what was restored, up to each target.
func TestRestore(t *testing.T) {
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		for _, seed := range seeds(t) {
			t.Run(fmt.Sprintf("%s seed %d", version, seed), func(t *testing.T) {
				t.Parallel() // most of the time servers start
				o := lived(t, version, seed)
				unchanged(t, o.dir, filepath.Dir(o.backup))
				o.tests(t)
			})
		}
	}
}

func (o *old) tests(t *testing.T) {
	rng := rand.New(rand.NewPCG(o.seed, 2))
	t.Run("backup alone", func(t *testing.T) {
		r := restore(t, append([]string{o.backup}, to(t)...)...)
		p := proof{history: o.history, want: o.moments[o.base]}
		p.check(t, boot(t, o.version, r).Endpoint)
	})
	t.Run("end", func(t *testing.T) { o.replays(t, "", o.last()) })
	t.Run("member's disk", o.testMember)
	t.Run("three at once", o.testThree)
	for _, name := range []string{"victim", "pods/", "leased/before", "session/3"} {
		t.Run("before "+name, func(t *testing.T) {
			want, ok := o.beforeDelete(o.base, name)
			if !ok {
				t.Fatalf("nothing deletes %s", name)
			}
			o.replays(t, "before-delete="+name, want)
		})
	}
	for range 2 {
		m := o.moments[o.base+rng.IntN(len(o.moments)-o.base-lastWrites)] // whose index is known
		t.Run(fmt.Sprint("index ", m.Index), func(t *testing.T) {
			o.replays(t, fmt.Sprint("index=", m.Index), m)
		})
		m = o.atRevision(o.base, o.moments[o.base].Rev+rng.Int64N(o.last().Rev-o.moments[o.base].Rev+1))
		t.Run(fmt.Sprint("revision ", m.Rev), func(t *testing.T) {
			o.replays(t, fmt.Sprint("revision=", m.Rev), m)
		})
	}
	t.Run("bumped", func(t *testing.T) {
		want, _ := o.beforeDelete(o.base, "victim")
		r := o.replays(t, "before-delete=victim", want, "--bump-revision", "auto", "--mark-compacted")
		if r.RevisionAfter < o.last().Rev || r.BumpedBy > 3*(o.last().Rev-want.Rev)+100 {
			t.Errorf("bumped to %d by %d, clients saw %d", r.RevisionAfter, r.BumpedBy, o.last().Rev)
		}
	})
	for _, as := range []string{"3.5", "3.6", "3.7"} {
		if as != o.version {
			t.Run("as "+as, func(t *testing.T) {
				other := *o
				other.version = as
				other.replays(t, "", o.last(), "--as", as)
			})
		}
	}
}

// testMember restores from the disk of the dead member alone: nothing that it acknowledged is lost.
func (o *old) testMember(t *testing.T) {
	r := restore(t, append([]string{"--from-member", o.dir, "--rehearse"}, to(t)...)...)
	p := proof{history: o.history, want: o.last()}
	s := boot(t, o.version, r)
	p.checkRehearsal(t, r, s.Endpoint)
	p.check(t, s.Endpoint)
}

// testThree restores all members of a new cluster of three, which elect and serve as one.
func (o *old) testThree(t *testing.T) {
	p := proof{history: o.history, want: o.last()}
	p.checkThree(t, o.version, o.backup, "--wal", o.dir)
}

// checkThree restores three members at once, and checks that they serve as one cluster.
func (p *proof) checkThree(t *testing.T, version string, args ...string) {
	t.Helper()
	peers := etcdtest.Peers(t, 3)
	r := restore(t, append(args, "--all", filepath.Join(t.TempDir(), "all"), "--rehearse",
		"--initial-cluster", etcdtest.InitialCluster(peers))...)
	for i := range peers {
		peers[i].DataDir = r.Members[i].DataDir
		if r.Members[i].Name != peers[i].Name {
			t.Fatalf("member %d is %s, want %s", i, r.Members[i].Name, peers[i].Name)
		}
	}
	servers := etcdtest.StartCluster(t, version, peers, bootFlags...)
	for _, s := range servers {
		p.checkRehearsal(t, r, s.Endpoint)
	}
	p.check(t, servers[0].Endpoint)
	p.want.Rev += 2 // checkWrites
	p.want.Leases = append(p.want.Leases, 77)
	for _, s := range servers[1:] {
		name, password := "", ""
		if p.want.Auth {
			name, password = "root", rootPassword
		}
		c := dial(t, name, password, s.Endpoint)
		p.checkKeys(t, c)
		p.checkLeases(t, c)
	}
	for _, s := range servers {
		s.Kill()
	}
}
