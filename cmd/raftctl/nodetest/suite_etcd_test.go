package nodetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// etcd's own end-to-end tests pass where `etcd` is a member of ours.
func TestEtcdCommon(t *testing.T) {
	takeTurn(t)
	dir := etcdFolder(t, "common")
	s := &suite{
		name:    "etcd-common",
		tests:   95,
		skipped: undone(),
		sample: []string{"TestKVGet", "TestTxnSucc", "TestWatch", "TestLeaseGrantRevoke", "TestCompact", "TestAuthTxn",
			"TestMemberList", "TestEndpointHealth", "TestAlarm", "TestRoleAdd_Simple"},
		dir:  filepath.Join(dir, "common"),
		args: []string{"-bin-dir", filepath.Join(dir, "bin")},
	}
	s.run(t)
}

// etcdFolder returns a folder where etcd's suites find what they ask for: in bin a member of ours as `etcd`, started with
// flags of its own besides, and etcdctl; certificates; and a folder to run a suite in.
func etcdFolder(t *testing.T, suite string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	for _, d := range []string{bin, filepath.Join(dir, suite)} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFixtures(t, filepath.Join(dir, "fixtures"))
	script := fmt.Sprintf("#!/bin/sh\nexec %s node run %s \"$@\"\n", program(t), strings.Join(flags, " "))
	if err := os.WriteFile(filepath.Join(bin, "etcd"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"etcdctl", "etcdutl"} {
		if err := os.Symlink(etcdtest.Binary(t, "3.7", name), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// copyFixtures copies the certificates of the suite, which it writes beside.
func copyFixtures(t *testing.T, to string) {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.etcd.io/etcd/tests/v3")
	cmd.Dir = filepath.Join("..", "..", "..", "testdata", "suites", "etcd")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(strings.TrimSpace(string(out)), "fixtures")
	names, err := os.ReadDir(from)
	if err == nil {
		err = os.Mkdir(to, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		data, err := os.ReadFile(filepath.Join(from, n.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, n.Name()), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// takeTurn waits until no other process of this machine runs etcd's suite, whose members have ports from 20000 on.
// Whose turn it is holds the port before.
func takeTurn(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(suiteTimeout); ; time.Sleep(time.Second) {
		l, err := net.Listen("tcp", "127.0.0.1:19999")
		if err == nil {
			t.Cleanup(func() { _ = l.Close() })
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// undone returns the tests that skip themselves, also on etcd, with the reason.
func undone() map[string]string {
	tests := map[string]string{}
	for _, of := range []string{"Downgrade", "MoveLeader", "Snapshot"} {
		for _, by := range []string{"NoAuth", "InvalidAuth", "RootAuth", "UserAuth"} {
			tests["Test"+of+"With"+by] = "there is only its name yet"
		}
	}
	return tests
}
