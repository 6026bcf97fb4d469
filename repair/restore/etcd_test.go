package restore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/repair/restore"
)

// threeMembers are those of the golden vectors.
const threeMembers = "s1=http://127.0.0.1:12380,s2=http://127.0.0.1:22380,s3=http://127.0.0.1:32380"

// What is restored is what etcdutl of the release makes: every item of every bucket, the hash that
// `snapshot status` prints, and every byte of the log. Where the base is of a later release than the
// form, only its versions differ.
func TestEqualsEtcdutl(t *testing.T) {
	for _, version := range etcdtest.Versions {
		b := backupOf(t, version)
		for _, as := range restore.Releases() {
			for name, q := range map[string]asked{
				"plain":        {file: b.path},
				"three":        {file: b.path, cluster: threeMembers, name: "s2", token: "tok1"},
				"bumped":       {file: b.path, bump: 1000},
				"after txn":    {file: b.afterTxn, bump: 5},
				"after delete": {file: b.afterDelete, bump: 7},
			} {
				t.Run(fmt.Sprintf("%s as %v, %s", version, as, name), func(t *testing.T) {
					compare(t, q.ours(t, as), q.theirs(t, as), as)
				})
			}
		}
	}
}

func compare(t *testing.T, ours, theirs string, as restore.Release) {
	t.Helper()
	got, want := items(t, databaseOf(ours)), items(t, databaseOf(theirs))
	lowered := false
	var expected []string
	for _, item := range want {
		name, value, _ := strings.Cut(item, "=")
		if name == `meta/"storageVersion"` || name == `cluster/"clusterVersion"` {
			if later := value > fmt.Sprintf("%q", as.String()+".99"); later {
				lowered = true
				if strings.HasPrefix(name, "meta") && as > restore.Release35 {
					expected = append(expected, fmt.Sprintf("%s=%q", name, as.String()+".0"))
				}
				continue
			}
		}
		expected = append(expected, item)
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Error(diff)
	}
	sameBytes(t, "log", segment(t, ours), segment(t, theirs))
	if a, b := statusOf(t, ours), statusOf(t, theirs); !lowered && a != b {
		t.Errorf("etcdutl says %s, and %s of its own", a, b)
	}
}

// statusOf is what etcdutl says of a database: hash, revision, keys and size.
func statusOf(t *testing.T, dir string) string {
	t.Helper()
	words := strings.Split(tool(t, "3.7", "snapshot", "status", databaseOf(dir)), ", ")
	return strings.Join(words[:3], ", ") // not the size
}

// Which releases start on what is restored is as the outlook says, and those serve all keys, and take
// more.
func TestBoots(t *testing.T) {
	refused := 0
	for _, version := range etcdtest.Versions {
		b := backupOf(t, version)
		for _, as := range restore.Releases() {
			for i, with := range etcdtest.Versions {
				t.Run(fmt.Sprintf("%s as %v on %s", version, as, with), func(t *testing.T) {
					dir, p := asked{file: b.path}.planned(t, as)
					want := p.Outlook()[i]
					s, err := etcdtest.TryStart(t, with, dir, etcdtest.Quick...)
					if (err == nil) != want.Starts || want.Release.String() != with {
						t.Errorf("%v, want %+v: %s", err, want, lastLines(s.Log()))
					}
					if err == nil {
						checkServes(t, s, b)
					} else {
						refused++
					}
				})
			}
		}
	}
	if refused != 1 {
		t.Errorf("refused %d times, want once: 3.6 on the form of 3.7 of a database of 3.7", refused)
	}
}

// Three members restored at once elect a leader, serve, and go on. So do those restored one by one.
func TestBootsCluster(t *testing.T) {
	for i, as := range restore.Releases() {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v, together %v", as, together), func(t *testing.T) {
				b := backupOf(t, etcdtest.Versions[i+1])
				peers := etcdtest.Peers(t, 3)
				restoreCluster(t, b, as, peers, together)
				for _, p := range peers[1:] {
					sameFile(t, databaseOf(peers[0].DataDir), databaseOf(p.DataDir), together)
				}
				servers := etcdtest.StartCluster(t, as.String(), peers)
				checkServes(t, servers[0], b)
				for _, s := range servers {
					if keys, revision := keysOf(t, s); revision != b.revision+1 || keys == nil {
						t.Errorf("revision %d, want %d", revision, b.revision+1)
					}
				}
				if n := strings.Count(string(servers[1].Ctl("member", "list")), "started"); n != 3 {
					t.Errorf("%d members, want 3", n)
				}
			})
		}
	}
}

// restoreCluster makes the data directories of all peers, in one restore or in one for each.
func restoreCluster(t *testing.T, b *backup, as restore.Release, peers []etcdtest.Peer, together bool) {
	t.Helper()
	dir := t.TempDir()
	var pairs []string
	var targets []restore.Target
	for i := range peers {
		peers[i].DataDir = filepath.Join(dir, peers[i].Name)
		pairs = append(pairs, peers[i].Name+"="+peers[i].URL)
		targets = append(targets, restore.Target{Name: peers[i].Name, DataDir: peers[i].DataDir})
	}
	q := asked{file: b.path, cluster: strings.Join(pairs, ","), name: "m1", dir: dir}
	for i := range targets {
		list := targets[i : i+1]
		if together {
			list = targets
		}
		q.edit = func(o *restore.Options) { o.Targets = list }
		q.ours(t, as)
		if together {
			return
		}
	}
}

func sameFile(t *testing.T, a, b string, bytewise bool) {
	t.Helper()
	if bytewise {
		one, err := os.ReadFile(a)
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(b)
		if err != nil {
			t.Fatal(err)
		}
		sameBytes(t, b, other, one)
	}
	if diff := cmp.Diff(items(t, a), items(t, b)); diff != "" {
		t.Error(diff)
	}
}

func checkServes(t *testing.T, s *etcdtest.Server, b *backup) {
	t.Helper()
	keys, revision := keysOf(t, s)
	if diff := cmp.Diff(b.keys, keys); diff != "" || revision != b.revision {
		t.Errorf("revision %d, want %d; keys %s", revision, b.revision, diff)
	}
	s.Ctl("put", "new", "one")
	if _, revision = keysOf(t, s); revision != b.revision+1 {
		t.Errorf("revision %d after a write, want %d", revision, b.revision+1)
	}
}

func lastLines(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "\n")
}
