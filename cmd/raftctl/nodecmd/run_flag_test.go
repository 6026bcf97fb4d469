package nodecmd

import (
	"bytes"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
)

// helpFlag is a flag in the help text of etcd, with its default.
var helpFlag = regexp.MustCompile(`(?m)^ +--([a-z0-9-]+)(?: '?([^'\n]*)'?)?$`)

// ownDefaults are the flags whose default is not that of etcd, or is not the one that its help tells.
var ownDefaults = map[string]string{
	"data-dir":                    "other folders than etcd's",
	"initial-advertise-peer-urls": "where it listens",
	"advertise-client-urls":       "where it listens",
	"initial-cluster":             "itself, where it is found",
	"listen-client-http-urls":     "told as is",
	"max-concurrent-streams":      "told by name",
	"backend-batch-interval":      "told as nothing",
	"snapshot-count":              "3.5: 100000",
	"feature-gates":               "told elsewhere",
	"discovery-fallback":          "3.5: proxy",
	"v2-deprecation":              "by release",

	// Their defaults aren't told.
	"memory-mlock": "", "enable-grpc-gateway": "", "bootstrap-defrag-threshold-megabytes": "",
	"compaction-sleep-interval": "", "downgrade-check-time": "", "snapshot-catchup-entries": "", "config-file": "",
	"experimental-memory-mlock": "", "experimental-bootstrap-defrag-threshold-megabytes": "",
	"experimental-downgrade-check-time": "", "experimental-snapshot-catchup-entries": "",
	"experimental-stop-grpc-service-on-defrag": "", "experimental-compaction-sleep-interval": "",
	"experimental-txn-mode-write-with-shared-buffer": "",
}

// Each flag of etcd is there, with etcd's default, or is refused for any other value.
func TestFlagsOfEtcd(t *testing.T) {
	for _, release := range []string{"3.5", "3.6", "3.7"} {
		out, err := exec.Command(etcdtest.Binary(t, release, "etcd"), "--help").CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		found := helpFlag.FindAllSubmatch(out, -1)
		if len(found) < 100 {
			t.Fatalf("etcd %s: %d flags in its help, want 100 or more", release, len(found))
		}
		for _, m := range found {
			name, otherwise := string(m[1]), string(m[2])
			fs := newFlags()
			f := fs.Lookup(name)
			if f == nil {
				t.Errorf("etcd %s has --%s", release, name)
				continue
			}
			if _, ok := ownDefaults[name]; !ok {
				checkDefault(t, f, otherwise)
			}
			if _, ok := f.Value.(refused); !ok {
				continue
			}
			if err := f.Value.Set("something"); err == nil || !strings.HasPrefix(err.Error(), "not supported: ") {
				t.Errorf("--%s=something: %v", name, err)
			}
		}
	}
}

// checkDefault checks that what a flag is by default is taken, and is what the flag has.
func checkDefault(t *testing.T, f *pflag.Flag, otherwise string) {
	t.Helper()
	before := f.Value.String()
	if err := f.Value.Set(otherwise); err != nil {
		t.Errorf("--%s=%s, which is etcd's default: %v", f.Name, otherwise, err)
	}
	if got := f.Value.String(); got != before {
		t.Errorf("--%s is %q by default, and etcd's is %q", f.Name, before, got)
	}
}

func newFlags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	register(fs, newSettings())
	return fs
}

// samples are values that are no defaults, of kinds of flags and of single flags.
var samples = map[string]string{
	"string": "other", "number": "9", "milliseconds": "333", "seconds": "7", "duration": "3m0s",
	"list": "a,b", "URLS": "http://127.0.0.1:7001,http://127.0.0.1:7002", "HOSTS": "a,b", "NAMES": "a,b",
	"ORIGINS": "http://a,http://b", "FILES": "stdout",
	"--feature-gates": "CompactHashCheck=true,LeaseCheckpoint=true", "--auto-compaction-retention": "5m",
}

// sample returns a value that a flag doesn't have by default.
func sample(t *testing.T, row *setting, v value) string {
	t.Helper()
	if s, ok := samples["--"+row.name]; ok {
		return s
	}
	switch v := v.(type) {
	case truth:
		return map[string]string{"true": "false", "false": "true"}[v.String()]
	case word:
		for _, w := range v.of {
			if w != "" && w != v.String() {
				return w
			}
		}
	}
	s, ok := samples[v.Type()]
	if !ok {
		t.Fatalf("--%s: no sample of %s", row.name, v.Type())
	}
	return s
}

// Each setting changes something, and the same whether a flag, the environment or the file says it, under each
// of its names.
func TestSettings(t *testing.T) {
	n := 0
	each(func(row *setting) {
		v := row.value(newSettings())
		if _, ok := v.(refused); ok || row.name == "config-file" {
			return
		}
		n++
		text := sample(t, row, v)
		key := row.key
		if key == "" {
			key = row.name
		}
		want := fromText(t, key, text)
		if reflect.DeepEqual(want, newSettings()) {
			t.Errorf("%s: %s changes nothing", key, text)
		}
		if row.file {
			return
		}
		for _, name := range append([]string{row.name}, row.old...) {
			s := newSettings()
			fs := pflag.NewFlagSet("", pflag.ContinueOnError)
			register(fs, s)
			if err := fs.Parse([]string{"--" + name + "=" + text}); err != nil || !reflect.DeepEqual(s, want) {
				t.Errorf("--%s=%s: %v, or another setting than that of the file", name, text, err)
			}
			s = newSettings()
			fs = pflag.NewFlagSet("", pflag.ContinueOnError)
			register(fs, s)
			a := testApp(t, map[string]string{variable(name): text})
			if _, err := s.read(a, fs); err != nil || !reflect.DeepEqual(s, want) {
				t.Errorf("%s=%s: %v, or another setting than that of the file", variable(name), text, err)
			}
		}
	})
	if n < 75 {
		t.Errorf("%d settings, want 75 or more", n)
	}
}

// fromText returns the settings of a file that says one thing.
func fromText(t *testing.T, key, text string) *settings {
	t.Helper()
	s := newSettings()
	group, name, nested := strings.Cut(key, ".")
	line := key + ": '" + text + "'\n"
	if nested {
		line = group + ":\n  " + name + ": '" + text + "'\n"
	}
	if _, err := parseFile(s, []byte(line)); err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return s
}

func testApp(t *testing.T, env map[string]string) *ui.App {
	t.Helper()
	return &ui.App{
		Out: new(bytes.Buffer), Err: new(bytes.Buffer), Dir: t.TempDir(), FS: vfs.OS, Now: time.Now,
		Getenv: func(name string) string { return env[name] },
	}
}

func TestVariable(t *testing.T) {
	if got, want := variable("listen-client-http-urls"), "ETCD_LISTEN_CLIENT_HTTP_URLS"; got != want {
		t.Errorf("variable %s, want %s", got, want)
	}
}

// The command line outweighs the environment, under whichever name.
func TestCommandLineOutweighs(t *testing.T) {
	s := newSettings()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	register(fs, s)
	if err := fs.Parse([]string{"--experimental-corrupt-check-time", "7s"}); err != nil {
		t.Fatal(err)
	}
	a := testApp(t, map[string]string{"ETCD_CORRUPT_CHECK_TIME": "9s", "ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME": "8s"})
	if _, err := s.read(a, fs); err != nil || s.node.CorruptCheckInterval != 7*time.Second {
		t.Errorf("every %v, %v, want 7s", s.node.CorruptCheckInterval, err)
	}
}

func TestWrongValues(t *testing.T) {
	for _, tc := range []struct{ flag, value, want string }{
		{"heartbeat-interval", "100ms", "want a number of milliseconds"},
		{"heartbeat-interval", "99999999999999999999", "want a number of milliseconds"},
		{"corrupt-check-time", "5", "want a duration"},
		{"corrupt-check-time", "-5s", "want a duration"},
		{"max-txn-ops", "0", "want 1 or more"},
		{"max-txn-ops", "1x", "want a number"},
		{"bcrypt-cost", "32", "want 4 to 31"},
		{"initial-cluster-state", "old", "want one of new, existing"},
		{"pre-vote", "maybe", "want true or false"},
		{"listen-client-urls", "127.0.0.1:2379", "no URL"},
		{"listen-client-urls", "http://etcd.example:2379", "want an address to listen on"},
		{"listen-client-urls", "http://127.0.0.1", "the port is missing"},
		{"listen-client-urls", "http://127.0.0.1:1/x", "has a path"},
		{"listen-client-urls", "ftp://127.0.0.1:1", "want http://"},
		{"listen-client-urls", "unix://", "the path of the socket is missing"},
		{"advertise-client-urls", "http://:2379", "the host is missing"},
		{"feature-gates", "Nonsense=true", `unknown feature "Nonsense"`},
		{"feature-gates", "LeaseCheckpoint", "want NAME=true"},
		{"feature-gates", "TxnModeWriteWithSharedBuffer=false", "not supported: transactions always share"},
		{"discovery", "https://discovery.example/x", "not supported: there is no discovery"},
		{"enable-v2", "true", "not supported: the API of etcd 2"},
		{"as", "3.4", "want one of"},
		{"log-level", "trace", "want one of debug"},
	} {
		err := newFlags().Parse([]string{"--" + tc.flag + "=" + tc.value})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("--%s=%s: %v, want %q", tc.flag, tc.value, err, tc.want)
		}
	}
}

func TestResolve(t *testing.T) {
	for _, tc := range []struct {
		args string
		want string // in the error; empty: none
	}{
		{"", ""},
		{"--heartbeat-interval 300", "want 5 times"},
		{"--heartbeat-interval 0", "want more"},
		{"--election-timeout 60000", "want 50s or less"},
		{"--feature-gates LeaseCheckpointPersist=true", "goes with LeaseCheckpoint"},
		{"--name=", "--name is empty"},
		{"--listen-client-urls=", "--listen-client-urls is empty"},
		{"--listen-client-urls http://0.0.0.0:1", "--advertise-client-urls is missing"},
		{"--listen-peer-urls http://[::]:1", "--initial-advertise-peer-urls is missing"},
		{"--listen-client-urls http://0.0.0.0:1 --advertise-client-urls http://a:1", ""},
		{"--auto-compaction-retention 5", ""},
		{"--auto-compaction-retention 5x", "want a number of hours"},
		{"--auto-compaction-mode revision --auto-compaction-retention 5m", "want a number of revisions"},
		{"--cipher-suites NONE", "--cipher-suites"},
		{"--tls-min-version TLS1.3 --tls-max-version TLS1.2", "is above"},
		{"--tls-min-version TLS1.3 --cipher-suites TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "can't be chosen"},
	} {
		s := newSettings()
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		register(fs, s)
		if err := fs.Parse(strings.Fields(tc.args)); err != nil {
			t.Fatal(err)
		}
		err := s.resolve(testApp(t, nil))
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.args, err, tc.want)
		}
	}
}

// What is zero in etcd's flags and stands for something else in a config.
func TestZeros(t *testing.T) {
	s := newSettings()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	register(fs, s)
	args := "--max-snapshots=0 --max-wals=0 --record-messages-keep=0 --snapshot-count=0 --grpc-keepalive-interval=0s --auto-compaction-retention=2"
	if err := fs.Parse(strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	if err := s.resolve(testApp(t, nil)); err != nil {
		t.Fatal(err)
	}
	n := &s.node
	if n.MaxSnapshots != -1 || n.MaxSegments != -1 || n.RecordSegments != -1 || n.SnapshotCount != 10_000 ||
		s.serve.API.KeepAliveInterval >= 0 || n.AutoCompactionRetention != 2*time.Hour {
		t.Errorf("%d snapshots, %d segments, every %d entries, pings %v, %v of history",
			n.MaxSnapshots, n.MaxSegments, n.SnapshotCount, s.serve.API.KeepAliveInterval, n.AutoCompactionRetention)
	}
}
