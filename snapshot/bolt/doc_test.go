package bolt_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// The dump in the package comment is what bbolt writes.
func TestDump(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	raw := recipe{options: bbolt.Options{PageSize: 4096}}.bytes(t)
	rows := 0
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(strings.TrimPrefix(line, "//\t"))
		if len(fields) < 17 || len(fields[0]) != 8 {
			continue
		}
		off, err := strconv.ParseInt(fields[0], 16, 64)
		if err != nil {
			continue
		}
		rows++
		want, err := hex.DecodeString(strings.Join(fields[1:17], ""))
		if err != nil || !bytes.Equal(raw[off:][:16], want) {
			t.Errorf("%08x: % x, %v, want % x", off, raw[off:][:16], err, want)
		}
	}
	if rows != 6 {
		t.Errorf("%d rows, want 6", rows)
	}
}

func ExampleDB_Check() {
	file, err := os.CreateTemp("", "")
	if err != nil {
		return
	}
	defer func() { _ = os.Remove(file.Name()) }()
	made, err := bbolt.Open(file.Name(), 0o600, &bbolt.Options{PageSize: 4096})
	if err != nil {
		return
	}
	_ = made.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("key"))
		return err
	})
	_ = made.Close()

	raw, err := os.ReadFile(file.Name())
	if err != nil {
		return
	}
	raw = raw[:4*4096] // the end is lost
	db, err := bolt.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := db.Check(context.Background(), bolt.CheckOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range report.Findings {
		fmt.Println(report.Findings[i].Class, report.Findings[i].Err)
	}
	// Output:
	// freelist page 5: offset 16384: the file ends at 16384, before the end of the page: unexpected EOF
	// page page 4: offset 16384: the file ends at 16384, before the end of the page: unexpected EOF
	// truncated the file ends at 16384, within page 4, want 6 pages of 4096 bytes
}
