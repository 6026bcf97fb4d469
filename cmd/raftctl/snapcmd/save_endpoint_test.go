package snapcmd

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// Each flag about TLS is needed, does what it says, and may come from etcdctl's environment.
func TestSaveTLS(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) { testSaveTLS(t, version) })
	}
}

func testSaveTLS(t *testing.T, version string) {
	certs, other := etcdtest.NewCerts(t), etcdtest.NewCerts(t)
	s := etcdtest.StartTLS(t, version, t.TempDir(), certs, etcdtest.Quick...)
	s.Ctl("put", "a", "b")
	ca, cert, key := "--cacert="+certs.CA, "--cert="+certs.ClientCert, "--key="+certs.ClientKey
	for _, tc := range []struct {
		endpoint string
		text     string // empty: it succeeds
		flags    []string
	}{
		{s.URL(), "", []string{ca, cert, key}},
		{s.Endpoint, "", []string{ca, cert, key}},
		{s.URL(), "", []string{"--insecure-skip-tls-verify", cert, key}},
		{s.URL(), "signed by unknown authority", []string{cert, key}},
		{s.URL(), "unknown authority", []string{"--cacert=" + other.CA, cert, key}},
		{s.URL(), "unknown authority (possibly", []string{"--cacert=" + other.CA, cert, key}},
		{s.URL(), "--cert and --key name one that it accepts", []string{ca}},
		{s.URL(), "doesn't accept the client's certificate", []string{
			ca, "--cert=" + other.ClientCert, "--key=" + other.ClientKey,
		}},
		{s.URL(), "no such file", []string{"--cacert=missing", cert, key}},
		{s.Endpoint, "write https:// if it speaks TLS", nil},
		{s.Endpoint, "--cacert names its authority", []string{"--insecure-transport=false"}},
	} {
		w := newWorld(t)
		status := ui.StatusOK
		if tc.text != "" {
			status = ui.StatusError
		}
		w.save(t, status, tc.text, endpointArgs(tc.endpoint, "a.db", tc.flags...)...)
		if tc.text != "" {
			w.wantFiles(t)
			continue
		}
		checkWhole(t, w.read(t, "a.db"))
	}
	w := newWorld(t)
	w.env = map[string]string{
		"ETCDCTL_CACERT": certs.CA, "ETCDCTL_CERT": certs.ClientCert, "ETCDCTL_KEY": certs.ClientKey,
	}
	w.saved(t, endpointArgs(s.URL(), "env.db")...)
	w.env["ETCDCTL_CACERT"] = other.CA
	w.save(t, ui.StatusError, "unknown authority", endpointArgs(s.URL(), "wrong.db")...)
	w.saved(t, endpointArgs(s.URL(), "flag.db", ca)...)
	w.env["ETCDCTL_CACERT"], w.env["ETCDCTL_INSECURE_SKIP_TLS_VERIFY"] = "", "true"
	w.saved(t, endpointArgs(s.URL(), "skip.db")...)
	w.wantFiles(t, "env.db", "flag.db", "skip.db")
	w.env = map[string]string{"ETCDCTL_INSECURE_TRANSPORT": "false"}
	w.save(t, ui.StatusError, "--cacert names its authority", endpointArgs(s.Endpoint, "a.db")...)
}

// A user needs a password, from a flag, the environment or a terminal, and the role root.
func TestSaveAsUser(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) { testSaveAsUser(t, version) })
	}
}

func testSaveAsUser(t *testing.T, version string) {
	s := etcdtest.Start(t, version, t.TempDir(), etcdtest.Quick...)
	s.Ctl("put", "a", "b")
	s.EnableAuth()
	name, password, _ := strings.Cut(etcdtest.Root, ":")
	w := newWorld(t)
	w.saved(t, endpointArgs(s.URL(), "1.db", "--user", etcdtest.Root)...)
	w.saved(t, endpointArgs(s.URL(), "2.db", "--user", name, "--password", password)...)
	w.env = map[string]string{"ETCDCTL_USER": etcdtest.Root}
	w.saved(t, endpointArgs(s.URL(), "3.db")...)
	w.env = map[string]string{"ETCDCTL_USER": name, "ETCDCTL_PASSWORD": password}
	w.saved(t, endpointArgs(s.URL(), "4.db")...)
	w.env = map[string]string{"ETCDCTL_PASSWORD": "of another"}
	w.saved(t, endpointArgs(s.URL(), "5.db", "--user", etcdtest.Root)...)
	w.env = nil
	w.app.AskSecret = func(_ context.Context, question string) (string, error) {
		if question != "Password of root" {
			t.Errorf("asked for %q", question)
		}
		return password, nil
	}
	w.saved(t, endpointArgs(s.URL(), "6.db", "--user", name)...)
	w.wantFiles(t, "1.db", "2.db", "3.db", "4.db", "5.db", "6.db")

	w = newWorld(t)
	for text, flags := range map[string][]string{
		"--user names one":        nil,
		"wrong user or password":  {"--user", "root:wrong"},
		"authentication failed":   {"--user", "nobody", "--password", "wrong"},
		"permission denied":       {"--user", etcdtest.Nobody},
		"a user with the role ro": {"--user", etcdtest.Reader},
	} {
		w.save(t, ui.StatusError, text, endpointArgs(s.URL(), "a.db", flags...)...)
	}
	w.save(t, ui.StatusUsage, "no terminal to ask on; --password", endpointArgs(s.URL(), "a.db", "--user", name)...)
	w.app.AskSecret = func(context.Context, string) (string, error) { return "", errors.New("terminal is gone") }
	w.save(t, ui.StatusError, "terminal is gone", endpointArgs(s.URL(), "a.db", "--user", name)...)
	w.wantFiles(t)
}

// TLS and a user together: the certificate's name is not the user's.
func TestSaveTLSAndUser(t *testing.T) {
	certs := etcdtest.NewCerts(t)
	s := etcdtest.StartTLS(t, "3.7", t.TempDir(), certs, etcdtest.Quick...)
	s.EnableAuth()
	w := newWorld(t)
	flags := append(certs.ClientFlags(), "--user", etcdtest.Root)
	w.saved(t, endpointArgs(s.URL(), "a.db", flags...)...)
	w.save(t, ui.StatusError, "authentication failed", endpointArgs(s.URL(), "b.db", certs.ClientFlags()...)...)
	w.wantFiles(t, "a.db")
}

// What can't be reached, or hangs, is told in bounded time, and leaves nothing.
func TestSaveFromNobody(t *testing.T) {
	w := newWorld(t)
	gone := etcdtest.NewProxy(t, "", 0, etcdtest.Hang)
	gone.Close()
	w.save(t, ui.StatusError, gone.Endpoint+": dial tcp "+gone.Endpoint+": connect: connection refused",
		endpointArgs(gone.Endpoint, "a.db")...)
	silent := etcdtest.NewProxy(t, "", 0, etcdtest.Hang)
	w.save(t, ui.StatusError, ": no answer within 30ms", silent.Endpoint, "a.db", "--dial-timeout", "30ms")
	w.env = map[string]string{"ETCDCTL_DIAL_TIMEOUT": "20ms"}
	w.save(t, ui.StatusError, ": no answer within 20ms", silent.Endpoint, "a.db")
	w.env = map[string]string{"ETCDCTL_DIAL_TIMEOUT": "soon"}
	w.save(t, ui.StatusUsage, "ETCDCTL_DIAL_TIMEOUT=soon: ", silent.Endpoint, "a.db")
	w.env = map[string]string{"ETCDCTL_INSECURE_TRANSPORT": "perhaps"}
	w.save(t, ui.StatusUsage, "ETCDCTL_INSECURE_TRANSPORT=perhaps: ", silent.Endpoint, "a.db")
	w.env = nil

	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 10, 100_000)
	hangs := etcdtest.NewProxy(t, s.Endpoint, 400_000, etcdtest.Hang)
	w.save(t, ui.StatusError, "not done within the --command-timeout of 300ms",
		endpointArgs(hangs.Endpoint, "a.db", "--command-timeout", "300ms")...)
	w.env = map[string]string{"ETCDCTL_COMMAND_TIMEOUT": "250ms"}
	w.save(t, ui.StatusError, "not done within the --command-timeout of 250ms", endpointArgs(hangs.Endpoint, "a.db")...)
	w.env = nil
	for _, after := range []int64{200, 20_000, 300_000, 900_000} {
		cut := etcdtest.NewProxy(t, s.Endpoint, after, etcdtest.Cut)
		w.save(t, ui.StatusError, "the connection broke", endpointArgs(cut.Endpoint, "a.db")...)
	}
	w.wantFiles(t)
	w.saved(t, endpointArgs(etcdtest.NewProxy(t, s.Endpoint, -1, etcdtest.Cut).Endpoint, "a.db")...)
	checkWhole(t, w.read(t, "a.db"))
}

// A user who gives up in the middle leaves nothing, whatever it is waiting for.
func TestSaveInterrupted(t *testing.T) {
	w := newWorld(t)
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 10, 100_000)
	for _, endpoint := range []string{
		etcdtest.NewProxy(t, "", 0, etcdtest.Hang).Endpoint,
		etcdtest.NewProxy(t, s.Endpoint, 100, etcdtest.Hang).Endpoint,
		etcdtest.NewProxy(t, s.Endpoint, 500_000, etcdtest.Hang).Endpoint,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)
		args := append([]string{"save"}, endpointArgs(endpoint, "a.db", "--command-timeout", "10m")...)
		if status := execute(ctx, w.app, args); status != ui.StatusInterrupted {
			t.Errorf("exit status %d, want %d: %s", status, ui.StatusInterrupted, w.errs.String())
		}
		w.wantFiles(t)
	}
}

// A path that exists is never taken for an endpoint.
func TestSaveFromPathOrEndpoint(t *testing.T) {
	w := newWorld(t)
	if err := os.WriteFile(w.app.Path("localhost:1"), bytes.Repeat([]byte("no database "), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	w.save(t, ui.StatusUsage, "localhost:1: no snapshot or database", "localhost:1", "a.db")
	w.save(t, ui.StatusError, "connection refused", endpointArgs("http://localhost:1", "a.db")...)
	w.wantFiles(t, "localhost:1")
}
