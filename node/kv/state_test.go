package kv_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/authpb"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/snapshot/database"
)

// state is all that a database holds: by the name of a bucket, its items.
type state map[string]map[string]string

// readState reads a database, which nothing has open.
func readState(t testing.TB, dir string) state {
	t.Helper()
	db, err := database.Open(t.Context(), os.DirFS(dir), kv.FileName, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	names, err := db.Buckets()
	if err != nil {
		t.Fatal(err)
	}
	s := state{}
	for _, name := range names {
		items := map[string]string{}
		for item, err := range db.Bucket(t.Context(), name) {
			if err != nil {
				t.Fatal(err)
			}
			items[string(item.Key)] = string(item.Value)
		}
		s[name] = items
	}
	return s
}

// index returns the entry that was applied last.
func (s state) index() uint64 {
	v := s["meta"]["consistent_index"]
	if v == "" {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(v))
}

// difference is an item, or a bucket if the key is empty, in which two databases differ.
type difference struct {
	bucket, key string
	real, ours  string // the values; "" for none
	isReal      bool   // the real etcd's database has it
	isOurs      bool   // ours has it
}

func (d difference) String() string {
	short := func(has bool, v string) string {
		switch {
		case !has:
			return "nothing"
		case len(v) > 200:
			v = v[:200] + "…"
		}
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprintf("bucket %s, key %q: real etcd has %s, we have %s", d.bucket, d.key,
		short(d.isReal, d.real), short(d.isOurs, d.ours))
}

// diff returns all in which two databases differ.
func diff(real, ours state) (ds []difference) {
	for bucket, items := range real {
		if _, ok := ours[bucket]; !ok {
			ds = append(ds, difference{bucket: bucket, isReal: true})
		}
		for k, v := range items {
			if got, ok := ours[bucket][k]; !ok || got != v {
				ds = append(ds, difference{bucket, k, v, got, true, ok})
			}
		}
	}
	for bucket, items := range ours {
		if _, ok := real[bucket]; !ok {
			ds = append(ds, difference{bucket: bucket, isOurs: true})
		}
		for k, v := range items {
			if _, ok := real[bucket][k]; !ok {
				ds = append(ds, difference{bucket, k, "", v, false, true})
			}
		}
	}
	return ds
}

// exceptions are the differences by design. Each is needed by a database that a real etcd left: if none is
// left that needs it, [needed.all] fails.
var exceptions = []exception{
	{"3.4 writes no ConfState; later releases do so with the next change of the membership only",
		func(d *difference, _ *subject) bool {
			return d.bucket == "meta" && d.key == "confState" && !d.isReal
		}},
	{"3.4 writes no term",
		func(d *difference, w *subject) bool {
			return d.bucket == "meta" && d.key == "term" && !d.isReal && w.oldIndex
		}},
	{"3.4 leaves the index behind entries that change nothing in the database, and compactions",
		func(d *difference, w *subject) bool {
			return d.bucket == "meta" && d.key == "consistent_index" && d.real < d.ours && w.oldIndex
		}},
	{"3.4 forgets that a learner is one when its URLs are changed",
		func(d *difference, w *subject) bool {
			return d.bucket == "members" && w.oldIndex &&
				strings.Replace(d.ours, `,"isLearner":true`, "", 1) == d.real
		}},
	{"a password in plain text is hashed on each member with another salt",
		func(d *difference, w *subject) bool { return d.bucket == "authUsers" && samePassword(d, w) }},
}

type exception struct {
	reason  string
	excuses func(d *difference, w *subject) bool
}

// subject is a replay, so far as exceptions ask for it.
type subject struct {
	oldIndex  bool              // the database is one of 3.4
	passwords map[string]string // in plain text, by user: the last that the log has
}

// samePassword reports whether a user differs in the salt of a password only.
func samePassword(d *difference, w *subject) bool {
	password, ok := w.passwords[d.key]
	var real, ours authpb.User
	if !ok || proto.Unmarshal([]byte(d.real), &real) != nil || proto.Unmarshal([]byte(d.ours), &ours) != nil {
		return false
	}
	for _, hash := range [][]byte{real.Password, ours.Password} {
		if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil {
			return false
		}
	}
	if bytes.Equal(real.Password, ours.Password) {
		return false
	}
	real.Password, ours.Password = nil, nil
	return proto.Equal(&real, &ours)
}

// needed collects the reasons that were needed.
type needed map[string]bool

// all fails the test if there is an exception that no database needed.
func (n needed) all(t *testing.T) {
	t.Helper()
	for _, x := range exceptions {
		if !n[x.reason] {
			t.Errorf("no database needs the exception that %s", x.reason)
		}
	}
}

// compare fails the test at each difference that has no exception.
func (n needed) compare(t testing.TB, real, ours state, w *subject) {
	t.Helper()
	left := 0
	for _, d := range diff(real, ours) {
		excused := false
		for _, x := range exceptions {
			if x.excuses(&d, w) {
				n[x.reason], excused = true, true
				break
			}
		}
		if left++; !excused && left < 20 {
			t.Error(d)
		}
	}
}

// same fails the test if two databases, both ours, differ.
func same(t testing.TB, want, got state) {
	t.Helper()
	for i, d := range diff(want, got) {
		if i == 20 {
			t.Fatal("…")
		}
		t.Error(strings.Replace(d.String(), "real etcd has", "want", 1))
	}
}

// copyDB copies a database into a new folder.
func copyDB(t testing.TB, from string) (dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(from, kv.FileName))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, kv.FileName), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
