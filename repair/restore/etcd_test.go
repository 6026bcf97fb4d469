package restore_test

import (
	"fmt"
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
	for _, version := range etcdtest.Versions {
		b := backupOf(t, version)
		for _, as := range restore.Releases() {
			for _, with := range etcdtest.Versions {
				t.Run(fmt.Sprintf("%s as %v on %s", version, as, with), func(t *testing.T) {
					dir := asked{file: b.path}.ours(t, as)
					s, err := etcdtest.TryStart(t, with, dir, etcdtest.Quick...)
					if err != nil {
						t.Errorf("%v: %s", err, lastLines(s.Log()))
						return
					}
					checkServes(t, s, b)
				})
			}
		}
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
