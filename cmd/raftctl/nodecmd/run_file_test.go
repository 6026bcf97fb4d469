package nodecmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// The forms that values have in etcd's config file: numbers, lists, groups, durations in nanoseconds, and keys
// that stand there without a value.
const configFile = `
name: m1
data-dir:
snapshot-count: 5000
heartbeat-interval: 50
watch-progress-notify-interval: 600000000
listen-client-urls: http://127.0.0.1:1,http://127.0.0.1:2
cors:
cipher-suites: [A, B]
proxy: 'off'
client-transport-security:
  cert-file: server.crt
  client-cert-auth: true
  allowed-cn: [c, d]
peer-transport-security:
  cert-file: peer.crt
  allowed-cn:
    - a
    - b
feature-gates: LeaseCheckpoint=true
socket-options: {reuse-port: false}
`

func TestConfigFile(t *testing.T) {
	s := newSettings()
	if _, err := parseFile(s, []byte(configFile)); err != nil {
		t.Fatal(err)
	}
	got := []any{
		s.node.Name, s.node.DataDir, s.node.SnapshotCount, s.node.Tick, s.serve.API.ProgressInterval,
		len(s.serve.ClientURLs), s.serve.CORS[0], len(s.cipherSuites), s.serve.TLS.CertFile, s.serve.TLS.ClientCertAuth,
		len(s.serve.TLS.AllowedCNs), s.node.PeerTLS.CertFile, len(s.node.PeerTLS.AllowedCNs), s.node.LeaseCheckpoints,
	}
	want := []any{
		"m1", "", uint64(5000), 50 * time.Millisecond, 600 * time.Millisecond,
		2, "*", 2, "server.crt", true, 2, "peer.crt", 2, true,
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("value %d: %v, want %v", i, got[i], want[i])
		}
	}
}

func TestWrongConfigFile(t *testing.T) {
	for text, want := range map[string]string{
		"nam: m1":                              "line 1: nam: unknown key",
		"name: m1\nproxy: on":                  "line 2: proxy: not supported",
		"name: [a, [b]]":                       "line 1: name: want a list of texts",
		"name: {a: b}":                         "line 1: name: want a value",
		"- a":                                  "line 1: want keys and values",
		"a: : b":                               "mapping values are not allowed",
		"discovery-config: {token: x}":         "there is no discovery",
		"client-transport-security: {cert: x}": "client-transport-security.cert: unknown key",
		"client-transport-security: x":         "client-transport-security: unknown key",
		"max-txn-ops: many":                    "line 1: max-txn-ops: want a number",
	} {
		_, err := parseFile(newSettings(), []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// With a config file, flags and the environment don't count, and which flags is told.
func TestConfigFileStandsAlone(t *testing.T) {
	a := testApp(t, map[string]string{"ETCD_MAX_WALS": "9"})
	if err := os.WriteFile(filepath.Join(a.Dir, "etcd.yml"), []byte("name: m1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSettings()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	register(fs, s)
	if err := fs.Parse([]string{"--config-file", "etcd.yml", "--max-snapshots", "9"}); err != nil {
		t.Fatal(err)
	}
	from, err := s.read(a, fs)
	if err != nil || s.node.Name != "m1" || s.maxWALs != 5 || s.maxSnaps != 5 {
		t.Errorf("name %s, %d segments, %d snapshots, %v", s.node.Name, s.maxWALs, s.maxSnaps, err)
	}
	if strings.Join(from.ignored, " ") != "--max-snapshots" {
		t.Errorf("ignored %q", from.ignored)
	}

	s = newSettings()
	a.Getenv = func(name string) string { return map[string]string{"ETCD_CONFIG_FILE": "missing.yml"}[name] }
	if _, err := s.read(a, newFlags()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
}

func TestBadVariable(t *testing.T) {
	a := testApp(t, map[string]string{"ETCD_MAX_WALS": "x"})
	_, err := newSettings().read(a, newFlags())
	if _, usage := errors.AsType[ui.UsageError](err); !usage || !strings.HasPrefix(err.Error(), "ETCD_MAX_WALS=x: want") {
		t.Errorf("%v", err)
	}
}

// A line of the log has etcd's keys.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newLogHandler(&out, &logSettings{level: "warn", format: "json"}))
	log.Info("not this")
	log.Warn("a thing", "took", time.Second, "error", os.ErrNotExist)
	var line map[string]string
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %q", err, &out)
	}
	if _, err := time.Parse(etcdTime, line["ts"]); err != nil {
		t.Error(err)
	}
	if line["level"] != "warn" || line["msg"] != "a thing" || line["took"] != "1s" ||
		line["error"] != "file does not exist" || !strings.HasPrefix(line["caller"], "nodecmd/run_file_test.go:") {
		t.Errorf("%s", &out)
	}

	out.Reset()
	slog.New(newLogHandler(&out, &logSettings{level: "info", format: "console"})).Info("x")
	if !strings.Contains(out.String(), "level=info") {
		t.Errorf("console: %s", &out)
	}
}

func TestLogOutputs(t *testing.T) {
	a := testApp(t, nil)
	o := logSettings{level: "info", format: "json", outputs: []string{"stdout", "stderr", "log.txt"}}
	log, files, err := openLog(a, &o)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hello")
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(a.Dir, "log.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{string(text), a.Out.(*bytes.Buffer).String(), a.Err.(*bytes.Buffer).String()} {
		if strings.Count(got, "hello") != 1 {
			t.Errorf("%q", got)
		}
	}
	if _, _, err := openLog(a, &logSettings{outputs: []string{"systemd/journal"}}); err == nil {
		t.Error("systemd/journal was taken")
	}
}
