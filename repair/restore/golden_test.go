package restore_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/repair/restore"
)

// The IDs and the logs are those of real restores with the same flags.
func TestGolden(t *testing.T) {
	const size = 544 // of the records
	logs := map[restore.Release]map[string]string{
		restore.Release35: {
			"s1": "9d2b5bb4ff51e3d893267fb7e95e204fbe09c13deedebbedab97f87d0ae5bfbd",
			"s2": "d788b327e5ad5ae5e1258296961c0716abb450b9c9d4232a8014976e221c2565",
		},
		restore.Release37: {
			"s1": "1fe7f686ef08a3cf04fac1b846b4c0073c0931ed2668e0d1b4096b28c971b1b4",
			"s2": "5f5580fd30286d9fcc34576b712a21f91b27e540228c15bf2292a5d9cd77b428",
		},
	}
	logs[restore.Release36] = logs[restore.Release35]
	ids := map[string]uint64{"s1": 0x89e9166a722859f9, "s2": 0xfce4ccdb9802da4a, "s3": 0xc437c30fb21fc940}
	file := backupOf(t, "3.6").path
	for as, want := range logs {
		for name, sum := range want {
			q := asked{file: file, cluster: threeMembers, token: "tok1", name: name}
			dir, p := q.planned(t, as)
			got := sha256.Sum256(segment(t, dir)[:size])
			if hex.EncodeToString(got[:]) != sum {
				t.Errorf("%s as %v: log %x, want %s", name, as, got, sum)
			}
			for _, m := range p.Cluster.Members {
				if m.ID != ids[m.Name] {
					t.Errorf("member %s: %x, want %x", m.Name, m.ID, ids[m.Name])
				}
			}
			if p.Cluster.ID != 0xe509f51353fa66c8 {
				t.Errorf("cluster %x", p.Cluster.ID)
			}
		}
	}
	c, err := restore.ParseCluster("default=http://localhost:2380", "etcd-cluster")
	if err != nil || c.ID != 0xcdf818194e3a8c32 || c.Members[0].ID != 0x8e9e05c52164694d {
		t.Errorf("%+v, %v", c, err)
	}
}

// What etcd doesn't take for a cluster is refused.
func TestParseCluster(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "no members"},
		{"a", "scheme"},
		{"a=", "scheme"},
		{"a=localhost:2380", "scheme"},
		{"a=ftp://localhost:2380", "scheme"},
		{"a=http://localhost", "port"},
		{"a=http://localhost:2380/x", "path"},
		{"a=http://h:1,b=http://h:1", "http://h:1 is the URL of a, and of b"},
		{"a=http://h:1,a=http://h:1", "http://h:1 is the URL of a twice"},
	} {
		c, err := restore.ParseCluster(tc.text, "t")
		if err == nil || !contains(err, tc.want) {
			t.Errorf("%q: %+v, %v; want %q", tc.text, c, err, tc.want)
		}
	}
	c, err := restore.ParseCluster("b=http://h:2,a=http://h:3,b=http://h:1", "t")
	if err != nil || c.Initial() != "a=http://h:3,b=http://h:1,b=http://h:2" {
		t.Errorf("%+v, %v", c, err)
	}
}

// The advertised URLs are those of the cluster, in other words perhaps.
func TestCheckAdvertised(t *testing.T) {
	c, err := restore.ParseCluster("m1=http://localhost:2380,m1=http://localhost:2390,m2=http://127.0.0.2:2380", "t")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, urls, want string }{
		{"m1", "http://localhost:2390,http://localhost:2380", ""},
		{"m1", "http://127.0.0.1:2380,http://localhost:2390", ""},
		{"m2", "http://127.0.0.2:2380", ""},
		{"m1", "http://localhost:2380", "and --initial-cluster has http://localhost:2380,http://localhost:2390 for m1"},
		{"m1", "http://127.0.0.3:2380,http://localhost:2390", "--initial-advertise-peer-urls"},
		{"m2", "http://localhost:2380", "for m2"},
		{"m2", "https://127.0.0.2:2380", "for m2"},
		{"m2", "127.0.0.2:2380", "--initial-advertise-peer-urls: "},
		{"m3", "http://localhost:2380", "--name m3 is not in --initial-cluster"},
	} {
		err := c.CheckAdvertised(t.Context(), tc.name, tc.urls)
		if tc.want == "" && err != nil || tc.want != "" && !contains(err, tc.want) {
			t.Errorf("%s %s: %v, want %q", tc.name, tc.urls, err, tc.want)
		}
	}
}

func contains(err error, text string) bool {
	return err != nil && strings.Contains(err.Error(), text)
}
