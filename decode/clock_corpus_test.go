package decode

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/raftctl/raftctl/internal/corpus"
)

// savedSnap is a .snap file of a data directory: the entry up to which it has all, and when it was written.
type savedSnap struct {
	index uint64
	at    time.Time // to the second
}

// savedSnaps returns the .snap files of an archive by the name of their log.
func savedSnaps(t *testing.T, name string) map[string][]savedSnap {
	t.Helper()
	f, err := os.Open(corpus.Archive(name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	found := map[string][]savedSnap{}
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		dir, file, ok := strings.Cut(h.Name, "/member/snap/")
		id, isSnap := strings.CutSuffix(file, ".snap")
		if !ok || !isSnap {
			continue
		}
		log := name
		if _, member := path.Split(dir); member != dir {
			log += "-" + member
		}
		found[log] = append(found[log], savedSnap{hexUint(t, id[len(id)-16:]), h.ModTime})
	}
}

func hexUint(t *testing.T, text string) (n uint64) {
	t.Helper()
	for _, c := range []byte(text) {
		digit := strings.IndexByte(hexDigits, c)
		if digit < 0 {
			t.Fatalf("%q is no hex number", text)
		}
		n = n<<4 | uint64(digit)
	}
	return n
}

// logTimes returns what a log tells.
func logTimes(t *testing.T, l corpus.Log) *Times {
	t.Helper()
	var c Clock
	var r Request
	for e := range entriesOf(t, l) {
		_ = Payload(&r, e) // either way it has an index
		c.Add(e.Index, &r)
	}
	return c.Times()
}

// Of the logs of real etcds the times of their .snap files are known: such a file is written at once when the
// entry was, and on all of them the bounds hold.
func TestClockAgreesWithFiles(t *testing.T) {
	const moment = 10 * time.Second // to apply the entry and write the file
	snaps := map[string][]savedSnap{}
	for _, name := range corpus.Names() {
		for log, list := range savedSnaps(t, name) {
			snaps[log] = list
		}
	}
	checked, both := 0, 0
	for _, l := range corpus.Logs(t) {
		times := logTimes(t, l)
		for _, s := range snaps[l.Name] {
			b := times.At(s.index)
			if b.NotBefore.IsZero() {
				continue
			}
			checked++
			if b.NotBefore.After(s.at.Add(time.Second)) {
				t.Errorf("%s: entry %d: not before %v, but its .snap file is of %v", l.Name, s.index, b.NotBefore, s.at)
			}
			if b.NotAfter.IsZero() {
				continue
			}
			both++
			if b.NotAfter.Before(s.at.Add(-moment)) {
				t.Errorf("%s: entry %d: not after %v, but its .snap file is of %v", l.Name, s.index, b.NotAfter, s.at)
			}
		}
	}
	if checked < 100 || both < 1 {
		t.Errorf("%d bounds of .snap files looked at, %d on both sides, want 100 and 1", checked, both)
	}
}

// A directory that four releases were started on in turn tells of the last of these starts, after the files of
// the one before.
func TestClockOfRestarts(t *testing.T) {
	previous := time.Time{}
	for _, name := range []string{"chain-1n-after34", "chain-1n-after35", "chain-1n-after36", "chain-1n-after37"} {
		var saved time.Time
		for _, s := range savedSnaps(t, name)[name] {
			if s.at.After(saved) {
				saved = s.at
			}
		}
		_, last := logTimes(t, corpus.Log{Name: name, Dir: corpus.Dir(t, name)}).Span()
		if last.NotBefore.Add(time.Second).Before(previous) || last.NotBefore.After(saved.Add(time.Second)) {
			t.Errorf("%s: not before %v, want it between %v and %v", name, last.NotBefore, previous, saved)
		}
		previous = saved
	}
}
