package database_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
)

// The database of a running etcd is read from a copy, again and again while it is written to, without an
// alarm; nothing of the etcd's is changed, and its lock stays its own.
func TestRunningEtcd(t *testing.T) {
	for _, release := range etcdtest.Versions {
		t.Run(release, func(t *testing.T) {
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			dir := filepath.Join(t.TempDir(), "data")
			s := etcdtest.Start(t, release, dir, etcdtest.Quick...)
			path := filepath.Join(dir, "member", "snap", "db")
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			stop, done := make(chan struct{}), make(chan error, 1)
			go func() { done <- write(t.Context(), s.Endpoint, stop) }()
			for range etcdtest.Looks(t, 30) {
				look(t, path)
			}
			close(stop)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("another file lies there: %v", err)
			}
			if left, _ := os.ReadDir(tmp); len(left) > 0 {
				t.Errorf("%s is left in the temporary folder", left[0].Name())
			}
			s.Ctl("put", "still", "alive")
			s.Stop()
		})
	}
}

// look reads all of a database that is held.
func look(t *testing.T, path string) {
	t.Helper()
	db := open(t, path)
	if o := db.Origin(); !strings.HasPrefix(o.Copied, "process ") || o.HasTrailer {
		t.Errorf("origin %+v, want a copy", o)
	}
	r := verify(t, path)
	if r.Verdict != verdict.OK {
		t.Errorf("%v: %v", r.Verdict, r.Findings)
	}
	st, err := db.Status(t.Context(), nil)
	if err != nil || st.Hashes == nil {
		t.Errorf("%v: %v", err, st)
	}
}

// write puts, deletes and compacts by the gateway of etcd, until it is told to stop.
func write(ctx context.Context, endpoint string, stop <-chan struct{}) error {
	call := func(verb, format string, args ...any) error {
		body := bytes.NewBufferString(fmt.Sprintf(format, args...))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint+"/v3/kv/"+verb, body)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		key := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "key-%d", i%300))
		value := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'v'}, i%5000))
		err := call("put", `{"key":"%s","value":"%s"}`, key, value)
		if err == nil && i%7 == 0 {
			err = call("deleterange", `{"key":"%s"}`, key)
		}
		if err == nil && i%100 == 99 {
			err = call("compaction", `{"revision":%d,"physical":true}`, i)
		}
		if err != nil {
			return err
		}
	}
}
