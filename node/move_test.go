package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/wal"
)

// fill writes so many keys through a client.
func fill(t *testing.T, c *clientv3.Client, prefix string, count int) []string {
	t.Helper()
	acked := make([]string, count)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				key := fmt.Sprintf("key/%s/%d", prefix, i)
				if _, err := c.Put(t.Context(), key, key); err != nil {
					t.Error(err)
					return
				}
				acked[i] = key
			}
		})
	}
	wg.Wait()
	return acked
}

// begin starts a cluster whose members are ours or etcds as said.
func begin(t *testing.T, release string, ours ...bool) []*seat {
	t.Helper()
	all := seats(t, release, len(ours))
	for i, s := range all {
		s.launch(t, ours[i])
	}
	for _, s := range all {
		s.wait(t)
	}
	return all
}

// lead makes a member the leader.
func lead(t *testing.T, all []*seat, to *seat) {
	t.Helper()
	st, err := to.client.Status(t.Context(), to.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		mine, err := s.client.Status(t.Context(), s.url)
		if err != nil {
			t.Fatal(err)
		}
		if mine.Header.MemberId != mine.Leader {
			continue
		}
		if mine.Leader != st.Header.MemberId {
			if _, err := s.client.MoveLeader(t.Context(), st.Header.MemberId); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	t.Fatal("nobody leads")
}

// A leader sends a snapshot to a member that was away for longer than its log reaches back: ours to an etcd,
// an etcd to ours, and ours to ours.
func TestSnapshotSent(t *testing.T) {
	for _, release := range node.Releases {
		for _, c := range []struct {
			name           string
			leader, behind bool // which of them are ours
		}{{"by ours to an etcd", true, false}, {"by an etcd to ours", false, true}, {"by ours to ours", true, true}} {
			t.Run(release+" "+c.name, func(t *testing.T) {
				all := begin(t, release, c.leader, c.behind, c.leader)
				lead(t, all, all[0])
				acked := fill(t, all[0].client, "before", 10)
				all[1].stop(t)
				away := 400
				if release == "3.5" && !c.leader {
					away = 5400 // its log reaches back that far
				}
				acked = append(acked, fill(t, all[0].client, "away", away)...)
				all[1].launch(t, c.behind)
				all[1].wait(t)
				acked = append(acked, fill(t, all[1].client, "after", 10)...)
				checkEqual(t, all, acked)
				checkSnapshot(t, all[1])

				all[1].stop(t) // it starts again on what it received
				all[1].launch(t, c.behind)
				all[1].wait(t)
				checkEqual(t, all, acked)
			})
		}
	}
}

// checkSnapshot checks that the log of a member goes on from a snapshot of its leader's.
func checkSnapshot(t *testing.T, s *seat) {
	t.Helper()
	log, err := wal.Open(os.DirFS(s.DataDir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if view.Base.Index == 0 {
		t.Error("no snapshot came")
	}
}

// A learner follows, is promoted, and leads: ours in a cluster of an etcd, and an etcd in one of ours.
func TestLearnerPromoted(t *testing.T) {
	for _, release := range node.Releases {
		for _, ours := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s ours %v", release, ours), func(t *testing.T) {
				first := begin(t, release, !ours)[0]
				acked := fill(t, first.client, "before", 300)
				s := seats(t, release, 1)[0]
				s.Name, s.joins, s.initial = "learner", true, first.initial+",learner="+s.URL
				if _, err := first.client.MemberAddAsLearner(t.Context(), []string{s.URL}); err != nil {
					t.Fatal(err)
				}
				s.launch(t, ours)
				s.wait(t)
				st, err := s.client.Status(t.Context(), s.url)
				if err != nil || !st.IsLearner {
					t.Fatalf("learner: %v, %v", st, err)
				}
				promote(t, first, st.Header.MemberId)
				for learns := true; learns; { // it hears of its promotion later
					if st, err = s.client.Status(t.Context(), s.url); err != nil {
						t.Fatal(err)
					}
					learns = st.IsLearner
				}
				acked = append(acked, fill(t, s.client, "after", 10)...)
				lead(t, []*seat{first, s}, s)
				acked = append(acked, fill(t, first.client, "led", 10)...)
				checkEqual(t, []*seat{first, s}, acked)
			})
		}
	}
}

// promote promotes a learner as soon as the leader finds it ready.
func promote(t *testing.T, by *seat, id uint64) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if _, err = by.client.MemberPromote(t.Context(), id); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// A client that watches a member which hangs, and is then sent a snapshot, is told of everything once.
func TestWatchAcrossSnapshot(t *testing.T) {
	all := seats(t, "3.6", 3)
	for _, s := range all {
		s.launchProcess(t)
	}
	for _, s := range all {
		s.wait(t)
	}
	hangs, others := all[1], []*seat{all[0], all[2]}
	watch := hangs.client.Watch(t.Context(), "key/away/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	if r := <-watch; !r.Created {
		t.Fatalf("the watch isn't there: %v", r.Err())
	}
	hangs.etcd.Pause()
	for _, s := range others { // so that nothing waits in a connection to the one that hangs
		s.stop(t)
	}
	for _, s := range others {
		s.launchProcess(t)
	}
	for _, s := range others {
		s.wait(t)
	}
	const count = 800
	began := raftIndex(t, others[0])
	want := map[string]bool{}
	for _, key := range fill(t, others[0].client, "away", count) {
		want[key] = true
	}
	for _, s := range others { // whose logs don't reach back any more, whoever leads
		awaitSnapshot(t, s, began+300)
	}
	hangs.etcd.Resume()
	for last := int64(0); len(want) > 0; {
		select {
		case r := <-watch:
			if err := r.Err(); err != nil {
				t.Fatal(err)
			}
			for _, e := range r.Events {
				if key := string(e.Kv.Key); !want[key] || e.Kv.ModRevision <= last {
					t.Fatalf("%s at revision %d after %d", key, e.Kv.ModRevision, last)
				}
				delete(want, string(e.Kv.Key))
				last = e.Kv.ModRevision
			}
		case <-time.After(time.Minute):
			t.Fatalf("%d events of %d are missing", len(want), count)
		}
	}
	checkSnapshot(t, hangs)
}

// raftIndex returns the index of the last entry that a member has.
func raftIndex(t *testing.T, s *seat) uint64 {
	t.Helper()
	st, err := s.client.Status(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	return st.RaftIndex
}

// awaitSnapshot waits until a member has a snapshot of an index or later. The log in memory then reaches back 200 entries
// less at most: to the snapshot before, and what is kept behind it.
func awaitSnapshot(t *testing.T, s *seat, index uint64) {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(s.DataDir, "member", "snap", "*.snap"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			var term, at uint64
			if _, err := fmt.Sscanf(filepath.Base(file), "%016x-%016x.snap", &term, &at); err != nil {
				t.Fatal(err)
			}
			if at >= index {
				return
			}
		}
		if time.Now().After(late) {
			t.Fatalf("%s has no snapshot of index %d: %q", s.Name, index, files)
		}
	}
}

// In a cluster of two releases, one after the other, the third member is ours and stands for either; each
// member leads for a while. More than two at a time etcd itself doesn't take.
func TestMixedReleases(t *testing.T) {
	for _, releases := range [][3]string{{"3.5", "3.6", "3.5"}, {"3.5", "3.6", "3.6"}, {"3.6", "3.7", "3.6"}, {"3.6", "3.7", "3.7"}} {
		t.Run(fmt.Sprintf("%s %s ours %s", releases[0], releases[1], releases[2]), func(t *testing.T) {
			all := seats(t, "", len(releases))
			for i, s := range all {
				s.release = releases[i]
				s.launch(t, i == 2)
			}
			for _, s := range all {
				s.wait(t)
			}
			var acked []string
			for i, s := range all {
				lead(t, all, s)
				for j, by := range all {
					acked = append(acked, fill(t, by.client, fmt.Sprintf("%d/%d", i, j), 40)...)
				}
				checkEqual(t, all, acked)
			}
		})
	}
}
