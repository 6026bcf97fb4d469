package etcdlog

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// runFor runs a program of etcd's until it ends, or for a time, and returns what it printed.
func runFor(t *testing.T, d time.Duration, release, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	cmd := exec.CommandContext(ctx, etcdtest.Binary(t, release, program), args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // it fails, or is killed
	return out.String()
}

// trio is a cluster of three that runs.
type trio struct {
	release string
	peers   []etcdtest.Peer
	servers []*etcdtest.Server
}

func startTrio(t *testing.T, release string) *trio {
	t.Helper()
	c := &trio{release: release, peers: etcdtest.Peers(t, 3)}
	for i := range c.peers {
		c.peers[i].DataDir = t.TempDir()
	}
	c.servers = etcdtest.StartCluster(t, release, c.peers, quickly("--initial-cluster", etcdtest.InitialCluster(c.peers))...)
	for i := range 20 {
		c.servers[0].Ctl("put", fmt.Sprint("key", i), "value")
	}
	return c
}

// again runs the third member, which was stopped, for a time.
func (c *trio) again(t *testing.T, d time.Duration, args ...string) string {
	t.Helper()
	p := c.peers[2]
	log := runFor(t, d, c.release, "etcd", append(quickly("--name", p.Name, "--data-dir", p.DataDir, "--listen-peer-urls", p.URL,
		"--initial-advertise-peer-urls", p.URL, "--listen-client-urls", "http://"+c.servers[2].Endpoint,
		"--advertise-client-urls", "http://"+c.servers[2].Endpoint, "--initial-cluster", etcdtest.InitialCluster(c.peers)), args...)...)
	return strings.ReplaceAll(log, p.DataDir, "/var/lib/etcd")
}

func wipe(t *testing.T, dir string) {
	t.Helper()
	must(t, os.RemoveAll(filepath.Join(dir, "member")))
}

// clusterProvocations are those that take several servers, or other programs.
var clusterProvocations = map[string]provocation{
	"forgotten": {all, func(t *testing.T, release string) string {
		c := startTrio(t, release)
		c.servers[2].Stop()
		wipe(t, c.peers[2].DataDir)
		return c.again(t, 20*time.Second, "--initial-cluster-state", "existing")
	}},
	"bootstrapped": {all, func(t *testing.T, release string) string {
		c := startTrio(t, release)
		c.servers[2].Stop()
		wipe(t, c.peers[2].DataDir)
		return c.again(t, 20*time.Second)
	}},
	"cluster-id": {all, func(t *testing.T, release string) string {
		c := startTrio(t, release)
		c.servers[2].Stop()
		wipe(t, c.peers[2].DataDir)
		return c.again(t, 3*time.Second, "--initial-cluster-token", "another")
	}},
	"inconsistent": {all, func(t *testing.T, release string) string {
		c := startTrio(t, release)
		c.servers[2].Stop()
		dbtest.Edit(t, below(c.peers[2].DataDir, "snap/db"), func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("key"))
			k, v := b.Cursor().First()
			return b.Put(bytes.Clone(k), bytes.Replace(bytes.Clone(v), []byte("value"), []byte("other"), 1))
		})
		flag := "--experimental-initial-corrupt-check"
		if release == "3.6" || release == "3.7" {
			flag = "--feature-gates=InitialCorruptCheck=true"
		}
		return c.again(t, 20*time.Second, flag)
	}},
	"no-leader": {all, func(t *testing.T, release string) string {
		c := startTrio(t, release)
		for _, s := range c.servers {
			s.Stop()
		}
		return c.again(t, 12*time.Second)
	}},
	"flocked": {all, func(t *testing.T, release string) string {
		dir := t.TempDir()
		s := etcdtest.Start(t, release, dir, etcdtest.Quick...)
		log := runFor(t, 12*time.Second, release, "etcd", quickly("--data-dir", dir, "--listen-client-urls", "http://127.0.0.1:0",
			"--advertise-client-urls", "http://127.0.0.1:0", "--listen-peer-urls", "http://127.0.0.1:0")...)
		s.Stop()
		return strings.ReplaceAll(log, dir, "/var/lib/etcd")
	}},
	"member-unknown": {[]string{"3.6", "3.7"}, func(t *testing.T, release string) string {
		return watch(t, release, corpus.Copy(t, "c36-restored-from34"))
	}},
	"certificate": {all, func(t *testing.T, release string) string {
		s := etcdtest.StartTLS(t, release, t.TempDir(), etcdtest.NewCerts(t), etcdtest.Quick...)
		_ = exec.Command("curl", "-ks", s.URL()+"/health").Run()
		time.Sleep(time.Second)
		s.Stop()
		return s.Log()
	}},
	"hangs": {all, func(t *testing.T, release string) string {
		c := startTrio(t, release)
		for range 3 {
			for _, s := range c.servers {
				s.Pause()
			}
			time.Sleep(2 * time.Second)
			for _, s := range c.servers {
				s.Resume()
			}
			time.Sleep(time.Second)
		}
		c.servers[2].Kill()
		time.Sleep(4 * time.Second)
		for _, s := range c.servers {
			s.Kill()
		}
		return c.servers[0].Log() + c.servers[1].Log()
	}},
	"no-trailer": {[]string{"3.4", "3.5", "3.6", "3.7"}, func(t *testing.T, release string) string {
		return restoreBy(t, release, corpus.Copy(t, "c36-leasecp-1n-clean")+"/member/snap/db")
	}},
	"wrong-trailer": {[]string{"3.4", "3.5", "3.6", "3.7"}, func(t *testing.T, release string) string {
		s := etcdtest.Start(t, release, t.TempDir(), etcdtest.Quick...)
		name := filepath.Join(t.TempDir(), "backup.db")
		s.Ctl("snapshot", "save", name)
		s.Stop()
		overwrite(t, name, 9000, 7)
		return restoreBy(t, release, name)
	}},
	"disk-full": {all, func(t *testing.T, release string) string {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=90m tmpfs "$1" && exec timeout 15 "$2" --data-dir "$1" `+
			`--listen-client-urls http://127.0.0.1:29471 --advertise-client-urls http://127.0.0.1:29471 --listen-peer-urls http://127.0.0.1:29472`,
			"sh", dir, etcdtest.Binary(t, release, "etcd"))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run()
		return strings.ReplaceAll(out.String(), dir, "/var/lib/etcd")
	}},
}

// restoreBy has etcd's own program restore a snapshot.
func restoreBy(t *testing.T, release, name string) string {
	t.Helper()
	program := "etcdutl"
	if release == "3.4" {
		program = "etcdctl"
	}
	out := runFor(t, time.Minute, release, program, "snapshot", "restore", name, "--data-dir", filepath.Join(t.TempDir(), "new"))
	return strings.ReplaceAll(out, name, "backup.db")
}
