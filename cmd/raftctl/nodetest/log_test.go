package nodetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// words are what others wait for in etcd's log, of what a member alone does.
var words = []string{"ready to serve client requests", "saved snapshot", "finished compaction hash check"}

// A member says the words that others wait for in etcd's log.
func TestLogHasEtcdsWords(t *testing.T) {
	peers, url := etcdtest.Peers(t, 1), etcdtest.Peers(t, 1)[0].URL
	m := launch(t, append([]string{
		"--data-dir", t.TempDir(), "--snapshot-count", "5", "--feature-gates", "CompactHashCheck=true",
		"--compact-hash-check-time", "100ms", "--listen-client-urls", url, "--advertise-client-urls", url,
		"--listen-peer-urls", peers[0].URL, "--initial-advertise-peer-urls", peers[0].URL,
	}, quick...)...)
	m.waitServing()
	c := (&side{t: t, endpoints: []string{url}}).client()
	defer c.Close()
	for i, w := range words {
		for end := time.Now().Add(startTimeout); !strings.Contains(m.said(), w); {
			if time.Now().After(end) {
				t.Fatalf("%q is not in its log", w)
			}
			if _, err := c.Put(t.Context(), "a", fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
