package snapcmd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
)

// asCommand makes the test binary the command itself, for tests that send it signals.
const asCommand = "RAFTCTL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := execute(ctx, ui.NewApp(), os.Args[1:])
	stop()
	os.Exit(status)
}

// execute runs a command line as main does.
func execute(ctx context.Context, a *ui.App, args []string) int {
	cmd := New(a)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	c, err := cmd.ExecuteContextC(ctx)
	status := ui.StatusOf(ctx, err)
	if _, said := err.(ui.ExitError); err != nil && !said {
		fmt.Fprintf(a.Err, "%s: %s\n", c.CommandPath(), ui.OneLine(err))
	}
	return status
}

// world is what a command sees, and what it prints.
type world struct {
	app       *ui.App
	out, errs bytes.Buffer
	env       map[string]string
}

func newWorld(t *testing.T) *world {
	w := &world{env: map[string]string{}}
	w.app = &ui.App{
		In: strings.NewReader(""), Out: &w.out, Err: &w.errs, Dir: t.TempDir(), FS: vfs.OS, Now: time.Now,
		Getenv: func(name string) string { return w.env[name] }, AskSecret: ui.RefuseSecret,
	}
	return w
}

// save runs the command and checks its exit status and that the error stream contains text.
func (w *world) save(t *testing.T, status int, text string, args ...string) {
	t.Helper()
	w.out.Reset()
	w.errs.Reset()
	got := execute(t.Context(), w.app, append([]string{"save"}, args...))
	if got != status || !strings.Contains(w.errs.String(), text) || text == "" && w.errs.Len() > 0 {
		t.Errorf("save %q: exit status %d, %q; want %d and %q", args, got, w.errs.String(), status, text)
	}
	if strings.Count(w.errs.String(), "\n") > 1 {
		t.Errorf("save %q: several lines: %q", args, w.errs.String())
	}
}

// saved saves as JSON and returns what the command says of it.
func (w *world) saved(t *testing.T, args ...string) (s saved) {
	t.Helper()
	w.save(t, ui.StatusOK, "", append(args, "-o", "json")...)
	if err := json.Unmarshal(w.out.Bytes(), &s); err != nil {
		t.Fatalf("save %q: %v: %s", args, err, w.out.String())
	}
	return s
}

// files are the names of what lies where the command runs.
func (w *world) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(w.app.Dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (w *world) wantFiles(t *testing.T, want ...string) {
	t.Helper()
	if got := w.files(t); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

func (w *world) read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(w.app.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkWhole checks that b is a database with its sum behind it.
func checkWhole(t *testing.T, b []byte) {
	t.Helper()
	if len(b)%4096 != sha256.Size {
		t.Fatalf("%d bytes, want pages and a sum", len(b))
	}
	at := len(b) - sha256.Size
	if sum := sha256.Sum256(b[:at]); !bytes.Equal(sum[:], b[at:]) {
		t.Errorf("sha256 %x, and %x behind it", sum, b[at:])
	}
}

// endpointArgs are the source, and flags with which a busy machine doesn't make a test fail.
func endpointArgs(endpoint, out string, more ...string) []string {
	return append([]string{endpoint, out, "--dial-timeout", "1m"}, more...)
}

// etcdutl runs the tool of a release that knows `snapshot status` and `restore`.
func etcdutl(t *testing.T, version string, args ...string) []byte {
	t.Helper()
	program := "etcdutl"
	if version == "3.4" {
		program = "etcdctl"
	}
	cmd := exec.Command(etcdtest.Binary(t, version, program), args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s %s %q: %v: %s%s", program, version, args, err, out, errs.Bytes())
	}
	return out
}

// fillServer writes keys of which each release keeps some history.
func fillServer(s *etcdtest.Server, n, size int) {
	for i := range n {
		s.CtlIn(strings.Repeat(strconv.Itoa(i%10), size), "put", fmt.Sprintf("/registry/k%03d", i))
	}
	s.Ctl("put", "/registry/k000", "again")
	s.Ctl("del", "/registry/k001")
}

// allKeys is what a server holds, with revisions.
func allKeys(t *testing.T, s *etcdtest.Server) any {
	t.Helper()
	var got struct{ Kvs any }
	if err := json.Unmarshal(s.Ctl("get", "", "--from-key", "-w", "json"), &got); err != nil {
		t.Fatal(err)
	}
	return got.Kvs
}

// What was saved from each release, live and from its directory, is accepted by the tools of all, and
// restored it boots with the same keys.
func TestSaveOfEachRelease(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			w, dir := newWorld(t), t.TempDir()
			s := etcdtest.Start(t, version, dir, etcdtest.Quick...)
			fillServer(s, 20, 10_000)
			want := allKeys(t, s)
			live := w.saved(t, endpointArgs(s.URL(), "live.db")...)
			if live.Revision != 23 || !strings.HasPrefix(live.ServerVersion, version+".") || live.MemberID == "" {
				t.Errorf("%+v, want revision 23 of a member of etcd %s", live, version)
			}
			held := w.saved(t, dir, "held.db") // what was written last may not be in its database yet
			if held.Revision == 0 || held.Revision > 23 {
				t.Errorf("%+v, want a revision up to 23", held)
			}
			s.Stop()
			offline := w.saved(t, dir, "offline.db")
			w.saved(t, filepath.Join(dir, "member", "snap", "db"), "file.db")
			w.saved(t, "live.db", "again.db")
			w.wantFiles(t, "again.db", "file.db", "held.db", "live.db", "offline.db")
			if !bytes.Equal(w.read(t, "live.db"), w.read(t, "again.db")) {
				t.Error("a saved file that is saved is another file")
			}
			if offline.Revision != 23 {
				t.Errorf("%+v, want revision 23", offline)
			}
			for _, name := range w.files(t) {
				checkWhole(t, w.read(t, name))
				for _, tool := range etcdtest.Versions {
					etcdutl(t, tool, "snapshot", "status", w.app.Path(name))
				}
			}
			for _, name := range []string{"live.db", "offline.db", "held.db"} {
				data := filepath.Join(t.TempDir(), "data")
				etcdutl(t, version, "snapshot", "restore", w.app.Path(name), "--data-dir", data)
				restored := etcdtest.Start(t, version, data, etcdtest.Quick...)
				got := allKeys(t, restored)
				if diff := cmp.Diff(want, got); name != "held.db" && diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				restored.Stop()
			}
		})
	}
}

// What is reported is what lies there, in both forms.
func TestSaveReport(t *testing.T) {
	w := newWorld(t)
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 5, 100)
	for !bytes.Contains(s.Ctl("endpoint", "status", "-w", "json"), []byte(`"storageVersion":"3.6.0"`)) {
		time.Sleep(50 * time.Millisecond) // the server writes it some seconds after its start
	}
	got := w.saved(t, endpointArgs(s.URL(), "a.db")...)
	b := w.read(t, "a.db")
	sum, file := sha256.Sum256(b[:len(b)-sha256.Size]), sha256.Sum256(b)
	want := saved{
		Path: "a.db", Source: s.URL(), Verdict: "ok", Revision: 8, Size: int64(len(b)), FileSize: int64(len(b)), Compression: "none",
		SHA256: hex.EncodeToString(sum[:]), FileSHA256: hex.EncodeToString(file[:]),
		ServerVersion: got.ServerVersion, StorageVersion: "3.6.0", ClusterID: got.ClusterID, MemberID: got.MemberID,
		Seconds: got.Seconds,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(saved{})); diff != "" {
		t.Error(diff)
	}
	member := string(s.Ctl("endpoint", "status", "-w", "fields"))
	id, err := strconv.ParseUint(got.MemberID, 16, 64)
	if err != nil || !strings.Contains(member, fmt.Sprintf(`"MemberID" : %d`, id)) {
		t.Errorf("member %s, want that of %s", got.MemberID, member)
	}
	if info, err := os.Stat(w.app.Path("a.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600: there are secrets in it", info.Mode(), err)
	}
	w.save(t, ui.StatusOK, "", endpointArgs(s.URL(), "b.db.zst")...)
	for _, part := range []string{
		"saved       b.db.zst\n", "from        " + s.URL(), "revision    8\n", "database    sha256 ",
		"with zstd, ", "etcd 3.6.",
	} {
		if !strings.Contains(w.out.String(), part) {
			t.Errorf("lacks %q:\n%s", part, w.out.String())
		}
	}
}

// Files that are saved while others write are whole, each of one moment.
func TestSaveUnderWrites(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	s := etcdtest.Start(t, "3.7", dir, etcdtest.Quick...)
	fillServer(s, 10, 100_000)
	var stop atomic.Bool
	written := make(chan int, 1)
	go func() {
		n := 0
		for ; !stop.Load(); n++ {
			s.CtlIn(strings.Repeat("x", 1000*(n%50+1)), "put", fmt.Sprintf("/new/%d", n%7))
		}
		written <- n
	}()
	last := map[string]int64{}
	for i := range 24 {
		name, source := fmt.Sprintf("%d.db", i), []string{s.URL(), dir}[i%2]
		got := w.saved(t, endpointArgs(source, name)[:4-2*(i%2)]...)
		checkWhole(t, w.read(t, name))
		status := etcdutl(t, "3.7", "snapshot", "status", w.app.Path(name), "-w", "json")
		want := fmt.Sprintf(`"revision":%d,`, got.Revision)
		if !bytes.Contains(status, []byte(want)) || got.Revision < last[source] {
			t.Errorf("%s: revision %d after %d, etcdutl says %s", source, got.Revision, last[source], status)
		}
		last[source] = got.Revision
	}
	stop.Store(true)
	if n := <-written; n == 0 || last[dir] < 14 || last[s.URL()] < 14 {
		t.Errorf("%d writes up to revisions %v, want some while it was saved", n, last)
	}
}

func TestSaveOut(t *testing.T) {
	w := newWorld(t)
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	args := func(out string, more ...string) []string { return endpointArgs(s.URL(), out, more...) }
	w.saved(t, args("a.db")...)
	before := w.read(t, "a.db")
	s.Ctl("put", "a", "b")
	w.save(t, ui.StatusUsage, "a.db exists, name another file or add --overwrite", args("a.db")...)
	if !bytes.Equal(before, w.read(t, "a.db")) {
		t.Error("a file that exists was changed")
	}
	w.saved(t, args("a.db", "--overwrite")...)
	if bytes.Equal(before, w.read(t, "a.db")) {
		t.Error("--overwrite did nothing")
	}
	w.save(t, ui.StatusUsage, "is a directory", args(".")...)
	w.save(t, ui.StatusUsage, "not a file", args(os.DevNull, "--overwrite")...)
	w.save(t, ui.StatusError, "no such file or directory", args("missing/a.db")...)
	w.wantFiles(t, "a.db")
	w.save(t, ui.StatusUsage, "a.db is the database that should be saved", "a.db", "a.db", "--overwrite")

	// The database of a running etcd is never overwritten.
	dir := t.TempDir()
	other := etcdtest.Start(t, "3.6", dir, etcdtest.Quick...)
	db := filepath.Join(dir, "member", "snap", "db")
	w.save(t, ui.StatusInUse, "is not overwritten", args(db, "--overwrite")...)
	other.Ctl("put", "still", "there")
	w.wantFiles(t, "a.db")
	if parts, err := filepath.Glob(db + "*"); err != nil || len(parts) != 1 {
		t.Errorf("files %q, %v; want the database", parts, err)
	}
}

func TestSaveArguments(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		text string
		args []string
	}{
		{"ENDPOINT or DIR is missing", nil},
		{"OUT is missing", []string{"localhost:2379"}},
		{"OUT is missing", []string{"localhost:2379", ""}},
		{`unexpected argument "c"`, []string{"a", "b", "c"}},
		{"several endpoints, want one", []string{"a:1,b:1", "out"}},
		{`scheme "ftp"`, []string{"ftp://a:1", "out"}},
		{"missing port", []string{"http://a", "out"}},
		{"--cacert goes with an ENDPOINT, and . is a path", []string{".", "out", "--cacert", "x"}},
		{"--cert and --key go together", []string{"a:1", "out", "--cert", "x"}},
		{"--cacert is about TLS, and http:// is without", []string{"http://a:1", "out", "--cacert", "x"}},
		{"--insecure-skip-tls-verify is about TLS", []string{"http://a:1", "out", "--insecure-skip-tls-verify"}},
		{"--insecure-transport=false wants TLS", []string{"http://a:1", "out", "--insecure-transport=false"}},
		{"--password without --user", []string{"a:1", "out", "--password", "x"}},
		{"--dial-timeout 0s, want more", []string{"a:1", "out", "--dial-timeout", "0"}},
		{"--command-timeout -1s, want more", []string{"a:1", "out", "--command-timeout", "-1s"}},
		{"--compress xz, want one of none, zstd, s2, snappy, gzip", []string{"a:1", "out", "--compress", "xz"}},
		{"ends in .zst, which stands for zstd", []string{"a:1", "out.zst", "--compress", "none"}},
		{"ends in .gz, which stands for gzip", []string{"a:1", "out.gz", "--compress", "zstd"}},
	} {
		w.save(t, ui.StatusUsage, tc.text, tc.args...)
	}
	w.save(t, ui.StatusError, "no such file", "missing", "out")
	w.save(t, ui.StatusError, "no such file", "./localhost:2379", "out")
	w.save(t, ui.StatusUsage, "no snapshot or database", w.app.Dir, "out")
	w.wantFiles(t)
}

// Every field is in the contract.
func TestSaveJSONContract(t *testing.T) {
	text, err := os.ReadFile("../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## A saved snapshot")
	if !ok {
		t.Fatal("docs/json.md says nothing about snapshot save")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	fields := reflect.TypeFor[saved]()
	told := 0
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		told++
		if !strings.Contains(section, "`"+name+"`") {
			t.Errorf("docs/json.md lacks %q", name)
		}
	}
	if told != 14 {
		t.Errorf("%d fields, want 14", told)
	}
}
