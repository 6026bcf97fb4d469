package nodecmd

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// written is what a command that runs writes.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// running is a member that runs within the test.
type running struct {
	endpoint, peer string
	out, log       *written
	stop           context.CancelCauseFunc
	status         chan int
	errText        string
}

// errTerminated is the cause with which signals end a context.
var errTerminated = fmt.Errorf("%s signal received", syscall.SIGTERM)

// startMember runs a member in a folder, and waits until it serves.
func startMember(t *testing.T, dir string, args ...string) *running {
	t.Helper()
	r := &running{out: new(written), log: new(written), status: make(chan int, 1), peer: etcdtest.Peers(t, 1)[0].URL}
	r.endpoint = strings.TrimPrefix(etcdtest.Peers(t, 1)[0].URL, "http://")
	a := testApp(t, nil)
	a.Dir, a.Out, a.Err = dir, r.out, r.log
	cmd := New(a)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append([]string{"run", "--heartbeat-interval", "20", "--election-timeout", "100",
		"--listen-client-urls", "http://" + r.endpoint, "--listen-peer-urls", r.peer}, args...))
	ctx, stop := context.WithCancelCause(context.Background())
	r.stop = stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := cmd.ExecuteContext(ctx)
		if err != nil {
			r.errText = err.Error()
		}
		r.status <- ui.StatusOf(ctx, err)
	}()
	t.Cleanup(func() {
		stop(errTerminated)
		<-done
	})
	for !strings.Contains(r.log.String(), "ready to serve client requests") {
		select {
		case <-done:
			t.Fatalf("the member ends: %s\n%s", r.errText, r.log)
		case <-time.After(time.Millisecond):
		}
	}
	return r
}

// end stops a member, and checks its exit status.
func (r *running) end(t *testing.T, cause error, want int) {
	t.Helper()
	r.stop(cause)
	if got := <-r.status; got != want {
		t.Errorf("exit status %d, want %d; %s", got, want, r.errText)
	}
}

// etcdctl runs etcd's own client.
func etcdctl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(etcdtest.Binary(t, "3.7", "etcdctl"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("etcdctl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// Without flags but ports: a member in a folder named for it, that says where it is and what may be typed next,
// which works. Its log has etcd's keys. It starts again on what it left, and so does an etcd.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	r := startMember(t, dir)
	etcdctl(t, "--endpoints", r.endpoint, "put", "a", "b")
	m := statuses(t, ui.StatusOK, r.endpoint)[0]
	for !strings.Contains(r.out.String(), "Ctrl-C") {
		time.Sleep(time.Millisecond)
	}
	for _, want := range []string{
		"member " + m.MemberID + " of cluster " + m.ClusterID, "http://" + r.endpoint, r.peer, "default.raftctl",
		"etcdctl --endpoints http://" + r.endpoint, "raftctl node status http://" + r.endpoint,
	} {
		if !strings.Contains(r.out.String(), want) {
			t.Errorf("%s\nwant %q", r.out, want)
		}
	}
	r.end(t, errTerminated, ui.StatusOK)
	for line := range strings.Lines(r.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["level"] == "" || fields["msg"] == nil {
			t.Errorf("%s: %v", line, err)
		}
	}

	r = startMember(t, dir)
	if got := etcdctl(t, "--endpoints", r.endpoint, "get", "a"); got != "a\nb\n" {
		t.Errorf("after a start: %q", got)
	}
	r.end(t, context.Canceled, ui.StatusInterrupted)
	s := etcdtest.Start(t, "3.7", filepath.Join(dir, "default.raftctl"), etcdtest.Quick...)
	if got := string(s.Ctl("get", "a")); got != "a\nb\n" {
		t.Errorf("in an etcd: %q", got)
	}
}

// A member that stands for an earlier release says so, and that release starts on its files.
func TestRunAs(t *testing.T) {
	for _, release := range []string{"3.5", "3.6", "3.7"} {
		dir := t.TempDir()
		r := startMember(t, dir, "--as", release, "--data-dir", "d")
		if m := statuses(t, ui.StatusOK, r.endpoint)[0]; !strings.HasPrefix(m.Version, release+".") {
			t.Errorf("--as %s: version %s", release, m.Version)
		}
		etcdctl(t, "--endpoints", r.endpoint, "put", "a", release)
		r.end(t, errTerminated, ui.StatusOK)
		s := etcdtest.Start(t, release, filepath.Join(dir, "d"), etcdtest.Quick...)
		if got := string(s.Ctl("get", "a", "--print-value-only")); got != release+"\n" {
			t.Errorf("in an etcd %s: %q", release, got)
		}
		s.Stop()
	}
}

// Settings from the config file and the environment reach the member.
func TestRunConfigFile(t *testing.T) {
	dir := t.TempDir()
	peers := etcdtest.Peers(t, 2)
	text := fmt.Sprintf("name: m7\ndata-dir: here\nlisten-client-urls: %s\nlisten-peer-urls: %s\nlog-outputs: [log.txt]\n"+
		"heartbeat-interval: 20\nelection-timeout: 100\n", peers[0].URL, peers[1].URL)
	if err := os.WriteFile(filepath.Join(dir, "c.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := testApp(t, nil)
	a.Dir = dir
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	cmd := New(a)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"run", "--config-file", "c.yml", "--name", "ignored"})
	done := make(chan error, 1)
	go func() { done <- cmd.ExecuteContext(ctx) }()
	for {
		response, err := http.Get(peers[0].URL + "/health")
		if err == nil {
			_ = response.Body.Close()
			break
		}
		select {
		case err := <-done:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	if m := statuses(t, ui.StatusOK, strings.TrimPrefix(peers[0].URL, "http://"))[0]; m.Name != "m7" {
		t.Errorf("name %s, want m7", m.Name)
	}
	stop(errTerminated)
	if err := <-done; err != nil {
		t.Error(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "log.txt"))
	if err != nil || !strings.Contains(string(log), `"flags":["--name"]`) {
		t.Errorf("the log: %v, %s", err, log)
	}
	if _, err := os.Stat(filepath.Join(dir, "here", "member")); err != nil {
		t.Error(err)
	}
}

// A member that waits for others to begin a cluster can be stopped, too.
func TestRunStopsEarly(t *testing.T) {
	for cause, want := range map[error]int{errTerminated: ui.StatusOK, context.Canceled: ui.StatusInterrupted} {
		peers := etcdtest.Peers(t, 2)
		a := testApp(t, nil)
		log := new(written)
		a.Err = log
		cmd := New(a)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs([]string{"run", "--name", peers[0].Name, "--listen-peer-urls", peers[0].URL, "--data-dir", t.TempDir(),
			"--listen-client-urls", etcdtest.Peers(t, 1)[0].URL, "--initial-cluster", etcdtest.InitialCluster(peers)})
		ctx, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(300*time.Millisecond, func() { stop(cause) }) // at whatever it then is
		err := cmd.ExecuteContext(ctx)
		if got := ui.StatusOf(ctx, err); got != want {
			t.Errorf("%v: exit status %d, want %d; %v\n%s", cause, got, want, err, log)
		}
	}
}

// TLS with certificates that it makes itself, which are the same after a start.
func TestRunAutoTLS(t *testing.T) {
	dir := t.TempDir()
	port := strings.TrimPrefix(etcdtest.Peers(t, 1)[0].URL, "http://")
	args := []string{"--auto-tls", "--peer-auto-tls", "--listen-client-urls", "https://" + port}
	var made [2][]byte
	for i := range made {
		r := startMember(t, dir, args...)
		etcdctl(t, "--endpoints", "https://"+port, "--insecure-skip-tls-verify", "put", "a", "b")
		r.end(t, errTerminated, ui.StatusOK)
		var err error
		if made[i], err = os.ReadFile(filepath.Join(dir, "default.raftctl", "fixtures", "client", "cert.pem")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("another certificate after a start")
	}
}

// A peer that doesn't get through the TLS handshake is told in the log, in etcd's words.
func TestRunLogsRejectedPeers(t *testing.T) {
	port := strings.TrimPrefix(etcdtest.Peers(t, 1)[0].URL, "http://")
	r := startMember(t, t.TempDir(), "--peer-auto-tls", "--listen-peer-urls", "https://"+port)
	if _, err := tls.Dial("tcp", port, nil); err == nil {
		t.Fatal("a certificate that the member made is trusted")
	}
	for !strings.Contains(r.log.String(), `"msg":"rejected connection on peer endpoint"`) {
		time.Sleep(time.Millisecond)
	}
	if text := r.log.String(); !strings.Contains(text, `"error":"remote error: tls: bad certificate"`) {
		t.Errorf("the log:\n%s", text)
	}
}

// What can't be run is told in a line, with the status that it deserves.
func TestRunRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	there, ports := "http://"+taken.Addr().String(), etcdtest.Peers(t, 2)
	for _, tc := range []struct {
		name, args string
		status     int
		want       string
	}{
		{"an argument", "true", ui.StatusUsage, "write --flag=true"},
		{"an unknown flag", "--nonsense", ui.StatusUsage, "unknown flag: --nonsense"},
		{"a flag that is refused", "--enable-v2", ui.StatusUsage, "not supported: the API of etcd 2"},
		{"a value", "--as 3.4", ui.StatusUsage, "want one of 3.5, 3.6, 3.7"},
		{"not in its cluster", "--initial-cluster a=http://127.0.0.1:1", ui.StatusUsage, "has no member default"},
		{"no cluster", "--initial-cluster a", ui.StatusUsage, "--initial-cluster a"},
		{"no certificate", "--listen-peer-urls https://127.0.0.1:1", ui.StatusUsage, "wants --peer-cert-file"},
		{"tokens", "--auth-token none", ui.StatusUsage, "want simple, or jwt"},
		{"a port that is taken", "--listen-client-urls " + there, ui.StatusError, "address already in use"},
		{"a peer port that is taken", "--listen-peer-urls " + there, ui.StatusError, "address already in use"},
		{"no such file", "--config-file missing", ui.StatusError, "no such file"},
	} {
		_, text, status := runNode(t, append([]string{"run", "--log-level", "fatal", "--listen-client-urls", ports[0].URL,
			"--listen-peer-urls", ports[1].URL}, strings.Fields(tc.args)...)...)
		if status != tc.status || !strings.Contains(text, tc.want) {
			t.Errorf("%s: exit status %d, want %d; %s, want %q", tc.name, status, tc.status, text, tc.want)
		}
	}
}

// The directory of a member that runs is in use.
func TestRunHeld(t *testing.T) {
	dir := t.TempDir()
	startMember(t, dir)
	ports := etcdtest.Peers(t, 2)
	_, text, status := runNode(t, "run", "--log-level", "fatal", "--data-dir", filepath.Join(dir, "default.raftctl"),
		"--listen-client-urls", ports[0].URL, "--listen-peer-urls", ports[1].URL)
	if status != ui.StatusInUse || !strings.Contains(text, "held by another process") {
		t.Errorf("a directory that is held: exit status %d, %s", status, text)
	}
}
