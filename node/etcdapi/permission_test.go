package etcdapi

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/auth"
	"google.golang.org/grpc/metadata"

	"github.com/raftctl/raftctl/node"
)

// withUsers starts a node with fewUsers.
func withUsers(t *testing.T, cfg node.Config) (*node.Node, *side) {
	t.Helper()
	n, endpoint := startNode(t, cfg, Options{})
	s := dial(t, endpoint)
	for _, row := range fewUsers {
		if a := s.answer(t, row); a.Status != "OK: " {
			t.Fatalf("%v: %s", row.r, a.Status)
		}
	}
	return n, s
}

// TestChangeWhileReading gives out nothing that was read for a user whose rights have changed meanwhile.
func TestChangeWhileReading(t *testing.T) {
	t.Parallel()
	n, s := withUsers(t, node.Config{})
	srv := newService(n, Options{})
	s.as(t, "somebody:of some")
	s.as(t, root)
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(rpctypes.TokenFieldNameGRPC, s.tokens["somebody"]))
	may := func(*auth.AuthInfo) error { return nil }
	change := func() error {
		a := s.answer(t, row{r: &pb.AuthRoleAddRequest{Name: t.Name()}, as: root})
		if a.Status != "OK: " {
			a = s.answer(t, row{r: &pb.AuthRoleDeleteRequest{Role: t.Name()}, as: root})
		}
		if a.Status != "OK: " {
			t.Error(a.Status)
		}
		return nil
	}
	nothing := func() error { return nil }
	lease := leaseServer{service: srv}
	for name, read := range map[string]func(context.Context, func(*auth.AuthInfo) error, func() error) error{
		"permitted": srv.permitted, "unchanged": lease.unchanged,
	} {
		if err := read(ctx, may, nothing); err != nil {
			t.Errorf("%s, with nothing changed: %v", name, err)
		}
		if err := read(ctx, may, change); !errors.Is(err, auth.ErrAuthOldRevision) {
			t.Errorf("%s, with a change: %v, want %v", name, err, auth.ErrAuthOldRevision)
		}
	}
}

// TestTokensWhileUsersChange asks for tokens while users and roles change all the time: the password is then checked
// more than once.
func TestTokensWhileUsersChange(t *testing.T) {
	t.Parallel()
	_, s := withUsers(t, node.Config{})
	s.as(t, root)
	stop := make(chan struct{})
	var changing, asking sync.WaitGroup
	changing.Go(func() {
		for name := "r"; ; name += "r" {
			select {
			case <-stop:
				return
			default:
			}
			if a := s.answer(t, row{r: &pb.AuthRoleAddRequest{Name: name}, as: root}); a.Status != "OK: " {
				t.Error(a.Status)
			}
		}
	})
	for range 4 {
		asking.Go(func() {
			for range 15 {
				r, err := pb.NewAuthClient(s.conn).Authenticate(t.Context(), token("somebody", "of some"))
				if err != nil {
					t.Error(err)
					return
				}
				a := s.answer(t, row{r: put("w", "1"), as: r.Token})
				if a.Status != "OK: " && !strings.Contains(a.Status, "revision of auth store is old") {
					t.Errorf("with the token: %s", a.Status)
				}
			}
		})
	}
	asking.Wait()
	close(stop)
	changing.Wait()
}

// TestNoSecretIsWritten looks for passwords in the log and in all files of a member, and for tokens in the log.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	n, s := withUsers(t, node.Config{
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	s.as(t, "somebody:of some")
	for _, row := range []row{
		{r: &pb.AuthUserChangePasswordRequest{Name: "somebody", Password: "of some more"}, as: root},
		{r: token("somebody", "of some mistake")},
		{r: put("w", "1"), as: "of some token"},
		{r: get("w"), as: root},
	} {
		s.answer(t, row)
	}
	for _, password := range []string{"of some more", "of some mistake"} {
		r := token("somebody", password)
		_, err := newAuthServer(newService(n, Options{})).Authenticate(t.Context(), r)
		if r.Password != "" {
			t.Errorf("a password stays in memory, %v", err)
		}
	}
	if err := n.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	secrets := []string{"secret of root", "of some", "of some more", "of some mistake", "of some token"}
	for _, secret := range append(secrets, s.tokens["root"], s.tokens["somebody"]) {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	files := 0
	err := filepath.WalkDir(n.Config().DataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%q is in %s", secret, d.Name())
			}
		}
		return err
	})
	if err != nil || files < 2 || log.String() == "" {
		t.Errorf("%d files, %d bytes of log, %v", files, len(log.String()), err)
	}
}

// lockedBuffer takes what several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
