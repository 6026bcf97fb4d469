package wal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/internal/hexdoc"
)

// The hex dump in the documentation is what etcd's own package writes, what our encoder makes, and
// what our reader reads.
func TestDocumentedLog(t *testing.T) {
	want := hexdoc.Bytes(t, "doc.go")
	if len(want) != 72 {
		t.Fatalf("the documentation shows %d bytes, want 72", len(want))
	}
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := etcdwal.Create(zap.NewNop(), dir, []byte("somedata"))
	check(t, err)
	check(t, w.Close())
	name := SegmentName{}.String()
	file, err := os.ReadFile(filepath.Join(dir, name))
	check(t, err)
	if got := file[:len(want)]; !bytes.Equal(got, want) {
		t.Errorf("etcd writes\n%s, the documentation shows\n%s", hex.Dump(got), hex.Dump(want))
	}

	got := appendFrame(nil, KindCRC, 0, nil)
	sum := updateCRC(0, []byte("somedata"))
	got = appendFrame(got, KindMetadata, sum, []byte("somedata"))
	snapshot := []byte{0x08, 0, 0x10, 0}
	got = appendFrame(got, KindSnapshot, updateCRC(sum, snapshot), snapshot)
	if !bytes.Equal(got, want) {
		t.Errorf("our encoder makes\n%s, the documentation shows\n%s", hex.Dump(got), hex.Dump(want))
	}

	all := readFiles(t, map[string][]byte{name: want}, Recover)
	kinds := ""
	for _, r := range all {
		kinds += r.Kind.String() + " "
	}
	if kinds != "crc metadata snapshot " {
		t.Errorf("reads as %q", kinds)
	}
}

// The limits in the documentation are those of the code.
func TestDocumentedLimits(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	check(t, err)
	for name, want := range map[string]string{
		"maxRecordSize": fmt.Sprintf("%d MiB", maxRecordSize>>20),
		"maxUnproven":   fmt.Sprintf("%d MiB", maxUnproven>>20),
		"windowSize":    fmt.Sprintf("%d KiB", windowSize>>10),
		"budgetFactor":  fmt.Sprint(budgetFactor),
		"maxOpen":       fmt.Sprint(maxOpen),
	} {
		if !regexp.MustCompile(`\n//\t` + name + ` +` + want + ` `).Match(doc) {
			t.Errorf("doc.go doesn't say that %s is %s", name, want)
		}
	}
}
