package remote_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/snapshot/remote"
)

// patient is a config with which a busy machine doesn't make a test fail.
func patient(endpoint string) remote.Config {
	const long = time.Minute
	return remote.Config{Endpoint: endpoint, InsecureTransport: true, DialTimeout: long, CallTimeout: long}
}

func dial(t *testing.T, config remote.Config) *remote.Client {
	t.Helper()
	c, err := remote.Dial(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // a second time in some tests
	return c
}

// fill puts n keys of some size, many in a transaction.
func fill(t *testing.T, s *etcdtest.Server, n, size int) {
	t.Helper()
	const batch = 64
	for at := 0; at < n; at += batch {
		var txn strings.Builder
		txn.WriteString("\n")
		for i := at; i < min(at+batch, n); i++ {
			fmt.Fprintf(&txn, "put k%06d %s\n", i, strings.Repeat(string(rune('a'+i%26)), size))
		}
		s.CtlIn(txn.String()+"\n\n", "txn")
	}
}

// A stream is the database and its hash, status and hash are what etcdctl says, for each release.
func TestReleases(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			s := etcdtest.Start(t, version, t.TempDir(), etcdtest.Quick...)
			fill(t, s, 500, 1000)
			c := dial(t, patient(s.URL()))
			status, err := c.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(status.Version, version+".") || status.Revision != 9 || status.Size == 0 ||
				status.Leader == 0 || status.Leader != status.MemberID || status.ClusterID == 0 {
				t.Errorf("status %+v, want one of %s with a leader at revision 9", status, version)
			}
			checkSnapshot(t, c)
			checkHash(t, s, c, status.Revision)
			checkHash(t, s, c, status.Revision-2)
		})
	}
}

func checkSnapshot(t *testing.T, c *remote.Client) {
	t.Helper()
	var b bytes.Buffer
	var done, total int64
	snap, err := c.Snapshot(t.Context(), &b, func(d, all int64) {
		if d <= done || total != 0 && all != total {
			t.Errorf("progress %d of %d after %d of %d", d, all, done, total)
		}
		done, total = d, all
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := int64(b.Len()); got != snap.Size || got != done || got != total || got%4096 != sha256.Size {
		t.Errorf("%d bytes, progress %d of %d, size %d; want all the same, pages and a hash",
			got, done, total, snap.Size)
	}
	data, trailer := b.Bytes()[:b.Len()-sha256.Size], b.Bytes()[b.Len()-sha256.Size:]
	if sum := sha256.Sum256(data); sum != snap.SHA256 || !bytes.Equal(sum[:], trailer) {
		t.Errorf("sha256 %x and trailer %x, want %x", snap.SHA256, trailer, sum)
	}
}

func checkHash(t *testing.T, s *etcdtest.Server, c *remote.Client, revision int64) {
	t.Helper()
	hash, err := c.HashKV(t.Context(), revision)
	if err != nil {
		t.Fatal(err)
	}
	out := s.Ctl("endpoint", "hashkv", "--rev", fmt.Sprint(revision), "-w", "json")
	if want := fmt.Sprintf(`"hash":%d,`, hash.Hash); !bytes.Contains(out, []byte(want)) {
		t.Errorf("hash %d at revision %d, etcdctl says %s", hash.Hash, revision, out)
	}
}

// Keys come in order and complete, whatever the sizes of their values, as of the revision asked for.
func TestKeys(t *testing.T) {
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	fill(t, s, 3000, 20)
	s.Ctl("put", "k001000", "--", "second")
	s.CtlIn(strings.Repeat("x", 1<<20), "put", "k002500x")
	s.Ctl("del", "k000007")
	c := dial(t, patient(s.URL()))
	now := list(t, c, remote.Query{})
	if len(now) != 3000 {
		t.Fatalf("%d keys, want 3000", len(now))
	}
	want := &database.KeyValue{
		Key: []byte("k001000"), Value: []byte("second"), CreateRevision: 17, ModRevision: 49, Version: 2,
	}
	if diff := cmp.Diff(want, now[999]); diff != "" {
		t.Error(diff)
	}
	before := list(t, c, remote.Query{Revision: 48})
	if len(before) != 3000 || string(before[7].Key) != "k000007" || before[1000].Version != 1 {
		t.Errorf("%d keys as of revision 48, want 3000 with the deleted one", len(before))
	}
	if some := list(t, c, remote.Query{Prefix: "k0025"}); len(some) != 101 || len(some[1].Value) != 1<<20 {
		t.Errorf("%d keys with a prefix, want 101", len(some))
	}
	if none := list(t, c, remote.Query{Prefix: "none"}); len(none) != 0 {
		t.Errorf("%d keys with a prefix that none has", len(none))
	}
}

func list(t *testing.T, c *remote.Client, q remote.Query) (keys []*database.KeyValue) {
	t.Helper()
	for kv, err := range c.Keys(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		if n := len(keys); n > 0 && bytes.Compare(keys[n-1].Key, kv.Key) >= 0 {
			t.Fatalf("key %q follows %q", kv.Key, keys[n-1].Key)
		}
		keys = append(keys, kv)
	}
	return keys
}

// All pages are of the revision of the first, and a compaction in the middle is an error, not a list
// that ends early.
func TestKeysWhileWritten(t *testing.T) {
	s := etcdtest.Start(t, "3.5", t.TempDir(), etcdtest.Quick...)
	fill(t, s, 200, 10)
	c := dial(t, patient(s.URL()))
	n := 0
	for kv, err := range c.Keys(t.Context(), remote.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			s.Ctl("put", "k000100", "changed")
			s.Ctl("put", "k000100a", "new")
			s.Ctl("del", "k000199")
		}
		if kv.ModRevision > 5 {
			t.Errorf("%q of revision %d, want those up to 5", kv.Key, kv.ModRevision)
		}
		n++
	}
	if n != 200 {
		t.Errorf("%d keys, want the 200 that were there", n)
	}
	n = 0
	var last error
	for _, err := range c.Keys(t.Context(), remote.Query{}) {
		if n++; n == 1 {
			s.Ctl("put", "k000000", "x")
			s.Ctl("compact", "9", "--physical")
		}
		last = err
	}
	wantError(t, last, remote.ErrCompacted, s.URL()+": keys as of revision 8: compacted")
	if _, err := first(c.Keys(t.Context(), remote.Query{Revision: 99})); err == nil ||
		!strings.Contains(err.Error(), "revision 99: required revision is a future revision") {
		t.Errorf("error %v for a revision to come", err)
	}
}

func first(seq func(func(*database.KeyValue, error) bool)) (kv *database.KeyValue, err error) {
	for kv, err := range seq {
		return kv, err
	}
	return nil, io.EOF
}

// wantError checks that an error is the sentinel, if there is one, and one line that contains text
// and no word of gRPC.
func wantError(t *testing.T, err, sentinel error, text string) {
	t.Helper()
	if err == nil || sentinel != nil && !errors.Is(err, sentinel) || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want %v with %q", err, sentinel, text)
		return
	}
	for _, word := range []string{"rpc error", "desc =", "transport:", "etcdserver:", "balancer", "\n", `\`} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("error %v, want it without %q", err, word)
		}
	}
}

func TestTLS(t *testing.T) {
	certs, other := etcdtest.NewCerts(t), etcdtest.NewCerts(t)
	s := etcdtest.StartTLS(t, "3.7", t.TempDir(), certs, etcdtest.Quick...)
	plain := etcdtest.Start(t, "3.7", t.TempDir(), etcdtest.Quick...)
	good := patient(s.URL())
	good.CACert, good.Cert, good.Key = certs.CA, certs.ClientCert, certs.ClientKey
	broken := filepath.Join(t.TempDir(), "broken.crt")
	if err := os.WriteFile(broken, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(c *remote.Config)
		is     error // nil with a text: any
		text   string
	}{
		"as it should be": {func(*remote.Config) {}, nil, ""},
		"without a scheme": {func(c *remote.Config) {
			c.Endpoint = s.Endpoint
		}, nil, ""},
		"a name": {func(c *remote.Config) { c.ServerName = etcdtest.ServerName }, nil, ""},
		"another name": {func(c *remote.Config) {
			c.ServerName = "other.test"
		}, remote.ErrServerCertificate, "not other.test"},
		"the system's authorities": {func(c *remote.Config) {
			c.CACert = ""
		}, remote.ErrServerCertificate, "signed by unknown authority"},
		"another authority": {func(c *remote.Config) {
			c.CACert = other.CA
		}, remote.ErrServerCertificate, "signed by unknown authority"},
		"not verified": {func(c *remote.Config) {
			c.CACert, c.InsecureSkipVerify = "", true
		}, nil, ""},
		"no certificate": {func(c *remote.Config) {
			c.Cert, c.Key = "", ""
		}, remote.ErrClientCertificate, "certificate required"},
		"certificate of another": {func(c *remote.Config) {
			c.Cert, c.Key = other.ClientCert, other.ClientKey
		}, remote.ErrClientCertificate, "remote error: tls: "},
		"plain to TLS": {func(c *remote.Config) {
			*c = patient(s.Endpoint)
		}, remote.ErrNotEtcd, ""},
		"TLS without anything": {func(c *remote.Config) {
			*c = patient(s.Endpoint)
			c.InsecureTransport = false
		}, remote.ErrServerCertificate, "unknown authority"},
		"TLS to plain": {func(c *remote.Config) {
			c.Endpoint = "https://" + plain.Endpoint
		}, remote.ErrNotTLS, ""},
		"key missing":  {func(c *remote.Config) { c.Key = "" }, nil, "got only one of them"},
		"no such file": {func(c *remote.Config) { c.CACert = "missing.crt" }, os.ErrNotExist, "missing.crt"},
		"no PEM":       {func(c *remote.Config) { c.CACert = broken }, nil, "no certificate in PEM"},
		"no pair":      {func(c *remote.Config) { c.Cert = broken }, nil, "broken.crt"},
	} {
		config := good
		c.change(&config)
		client, err := remote.Dial(t.Context(), config)
		if err == nil {
			_, err = client.Status(t.Context())
			_ = client.Close() // nothing was written
		}
		switch {
		case c.is != nil || c.text != "":
			t.Run(name, func(t *testing.T) { wantError(t, err, c.is, c.text) })
		case err != nil:
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who may do what is the server's to say, and it says no in one word in each release.
func TestAuth(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			s := etcdtest.Start(t, version, t.TempDir(), etcdtest.Quick...)
			s.Ctl("put", etcdtest.ReaderPrefix+"a", "1")
			s.Ctl("put", "/secret", "2")
			s.EnableAuth()
			as := func(user string) *remote.Client {
				c := patient(s.URL())
				c.User, c.Password, _ = strings.Cut(user, ":")
				return dial(t, c)
			}
			checkSnapshot(t, as(etcdtest.Root))
			_, err := as(etcdtest.Nobody).Snapshot(t.Context(), io.Discard, nil)
			wantError(t, err, remote.ErrPermission, "permission denied")
			_, err = as(etcdtest.Reader).HashKV(t.Context(), 0)
			wantError(t, err, remote.ErrPermission, "permission denied")
			if keys := list(t, as(etcdtest.Reader), remote.Query{Prefix: etcdtest.ReaderPrefix}); len(keys) != 1 {
				t.Errorf("%d keys, want 1", len(keys))
			}
			_, err = first(as(etcdtest.Reader).Keys(t.Context(), remote.Query{}))
			wantError(t, err, remote.ErrPermission, "permission denied")
			_, err = first(dial(t, patient(s.URL())).Keys(t.Context(), remote.Query{}))
			wantError(t, err, remote.ErrNoUser, "wants a user")
			_, err = dial(t, patient(s.URL())).Snapshot(t.Context(), io.Discard, nil)
			wantError(t, err, remote.ErrNoUser, "wants a user")

			c := patient(s.URL())
			c.User, c.Password = "root", "wrong"
			_, err = remote.Dial(t.Context(), c)
			wantError(t, err, remote.ErrAuthentication, "wrong user or password")
			c.User = "unknown"
			_, err = remote.Dial(t.Context(), c)
			wantError(t, err, remote.ErrAuthentication, "wrong user or password")
		})
	}
}

// A token that the server no longer takes is replaced by a new one; and a server without users takes
// any.
func TestTokenIsRenewed(t *testing.T) {
	for _, version := range []string{"3.5", "3.7"} {
		t.Run(version, func(t *testing.T) { testTokenIsRenewed(t, version) })
	}
}

func testTokenIsRenewed(t *testing.T, version string) {
	s := etcdtest.Start(t, version, t.TempDir(), append(etcdtest.Quick, "--auth-token-ttl", "1")...)
	config := patient(s.URL())
	config.User, config.Password, _ = strings.Cut(etcdtest.Root, ":")
	if keys := list(t, dial(t, config), remote.Query{}); len(keys) != 0 {
		t.Errorf("%d keys, want none", len(keys))
	}
	s.EnableAuth()
	c := dial(t, config)
	list(t, c, remote.Query{})
	for range 2 {
		time.Sleep(1100 * time.Millisecond) // the server looks for old tokens each second
		checkSnapshot(t, c)
		if _, err := c.HashKV(t.Context(), 0); err != nil {
			t.Error(err)
		}
		time.Sleep(1100 * time.Millisecond)
		list(t, c, remote.Query{})
	}
}

func TestEndpoints(t *testing.T) {
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	socket := filepath.Join(t.TempDir(), "etcd.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // a tunnel to the server
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", s.Endpoint)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, to) }()
			go func() { _, _ = io.Copy(to, c) }()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	for _, good := range []string{s.Endpoint, s.URL(), s.URL() + "/", "unix://" + socket} {
		if _, err := dial(t, patient(good)).Status(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for bad, text := range map[string]string{
		"":                      "want host:port",
		"localhost":             "missing port in address, want host:port",
		"localhost:":            `port ""`,
		"localhost:99999":       `port "99999"`,
		":2379":                 "no host",
		"a:1,b:1":               "several endpoints",
		"ftp://a:1":             `scheme "ftp"`,
		"http://a:1/path":       "and nothing else",
		"https://u:p@a:1":       "and nothing else",
		"https://a":             "missing port",
		"unix://":               "no path",
		"http://a:1,http://b:1": "several endpoints",
	} {
		_, err := remote.Dial(t.Context(), patient(bad))
		if _, ok := errors.AsType[*remote.ConfigError](err); !ok || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, want a config error with %q", bad, err, text)
		}
	}
}

// Nothing waits for ever, and what is told is what happened.
func TestNoServer(t *testing.T) {
	const soon = 50 * time.Millisecond
	gone := etcdtest.NewProxy(t, "", 0, etcdtest.Hang)
	gone.Close()
	_, err := remote.Dial(t.Context(), patient(gone.Endpoint))
	wantError(t, err, nil, gone.Endpoint+": dial tcp "+gone.Endpoint+": connect: connection refused")

	silent := etcdtest.NewProxy(t, "", 0, etcdtest.Hang)
	for _, scheme := range []string{"http://", "https://"} {
		config := patient(scheme + silent.Endpoint)
		config.DialTimeout = soon
		_, err = remote.Dial(t.Context(), config)
		wantError(t, err, remote.ErrNoAnswer, config.Endpoint+": no answer within 50ms")
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(soon, cancel)
	_, err = remote.Dial(ctx, patient(silent.Endpoint))
	wantError(t, err, context.Canceled, "")

	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	config := patient(s.URL())
	config.CallTimeout, config.StallTimeout = soon, soon
	c := dial(t, config)
	s.Pause()
	_, err = c.Status(t.Context())
	wantError(t, err, remote.ErrNoAnswer, "no answer within 50ms")
	_, err = c.Snapshot(t.Context(), io.Discard, nil)
	wantError(t, err, remote.ErrNoAnswer, "no answer within 50ms")
	_, err = first(c.Keys(t.Context(), remote.Query{}))
	wantError(t, err, remote.ErrNoAnswer, "no answer within 50ms")
	ctx, cancel = withDeadline(t.Context(), soon)
	defer cancel()
	_, err = c.HashKV(ctx, 0)
	wantError(t, err, remote.ErrNoAnswer, "no answer in time")
}

func withDeadline(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

// A stream that ends in the middle is an error, wherever that is; one that stops, and one whose reader
// has enough, end as well.
func TestBrokenStream(t *testing.T) {
	s := etcdtest.Start(t, "3.6", t.TempDir(), etcdtest.Quick...)
	fill(t, s, 640, 4000)
	var whole bytes.Buffer
	snap, err := dial(t, patient(s.URL())).Snapshot(t.Context(), &whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []int64{300, 5000, 100_000, snap.Size / 2, snap.Size - 100_000, snap.Size - 10} {
		p := etcdtest.NewProxy(t, s.Endpoint, after, etcdtest.Cut)
		c, err := remote.Dial(t.Context(), patient(p.Endpoint))
		if err == nil {
			var n int64
			_, err = c.Snapshot(t.Context(), counter{&n}, nil)
			if n >= after || n > 0 && !strings.Contains(fmt.Sprint(err), fmt.Sprintf("after %d of %d bytes", n, snap.Size)) {
				t.Errorf("%d bytes of %d, error %v, want how far it came", n, after, err)
			}
			_ = c.Close()
		}
		wantError(t, err, remote.ErrBroken, p.Endpoint)
	}
	p := etcdtest.NewProxy(t, s.Endpoint, 1_000_000, etcdtest.Hang)
	config := patient(p.Endpoint)
	config.StallTimeout = 200 * time.Millisecond
	_, err = dial(t, config).Snapshot(t.Context(), io.Discard, nil)
	wantError(t, err, remote.ErrNoAnswer, "no answer within 200ms")

	c := dial(t, patient(s.URL()))
	full := errors.New("full")
	if _, err := c.Snapshot(t.Context(), failing{full}, nil); err != full {
		t.Errorf("error %v, want that of the writer", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = c.Snapshot(ctx, io.Discard, func(int64, int64) { cancel() })
	wantError(t, err, context.Canceled, "")
	checkSnapshot(t, c) // the connection is still good
	s.Kill()
	_, err = c.Snapshot(t.Context(), io.Discard, nil)
	if err == nil {
		t.Error("no error from a server that is gone")
	}
}

type counter struct{ n *int64 }

func (c counter) Write(b []byte) (int, error) {
	*c.n += int64(len(b))
	return len(b), nil
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
