package restoretest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// A random history, a backup at a random place in it, and random targets: what is restored is what a client
// saw then, or the target is refused.
func TestRandomHistories(t *testing.T) {
	for _, version := range []string{"3.6", "3.7"} {
		for _, seed := range seeds(t) {
			t.Run(fmt.Sprintf("%s seed %d", version, seed), func(t *testing.T) {
				t.Parallel()
				t.Logf("etcd %s, RAFTCTL_SEED=%d", version, seed)
				rng := rand.New(rand.NewPCG(seed, 4))
				w, s, o := startOld(t, version)
				o.seed = seed
				w.put("a/1", 0)
				w.random(rng, rng.IntN(50))
				o.save(s, w)
				w.random(rng, rng.IntN(80))
				w.killed(s)
				unchanged(t, o.dir, filepath.Dir(o.backup))
				for range 5 {
					o.tryTarget(t, rng)
				}
			})
		}
	}
}

// tryTarget restores up to a random target, which may be one that can't be reached.
func (o *old) tryTarget(t *testing.T, rng *rand.Rand) {
	t.Helper()
	base := &o.moments[o.base]
	until, want, reached := "end", o.last(), true
	switch rng.IntN(4) {
	case 0:
		i := rng.IntN(len(o.moments) - lastWrites)
		if o.moments[i].Index >= o.moments[o.base-1].Index {
			i = max(i, o.base) // whether the backup has more than the moment before it isn't known
		}
		until, want, reached = fmt.Sprint("index=", o.moments[i].Index), o.moments[i], i >= o.base
	case 1:
		rev := 2 + rng.Int64N(o.last().Rev+2)
		if until, reached = fmt.Sprint("revision=", rev), rev >= base.Rev && rev <= o.last().Rev; reached {
			want = o.atRevision(o.base, rev)
		}
	case 2:
		name := []string{"a/1", "a/", "b/", "c", "b/2", "zz"}[rng.IntN(6)]
		until = "before-delete=" + name
		want, reached = o.beforeDelete(o.base, name)
	}
	if reached {
		o.replays(t, until, want)
		return
	}
	dir := t.TempDir()
	status, out, errs := run(t, o.backup, "--wal", o.dir, "--until", until, "--data-dir", filepath.Join(dir, "new"))
	if status != ui.StatusUsage || !strings.Contains(errs, "--until "+until+": ") || out != "" {
		t.Errorf("--until %s: exit status %d, want %d: %s%s", until, status, ui.StatusUsage, errs, out)
	}
	nothingIn(t, dir)
}
