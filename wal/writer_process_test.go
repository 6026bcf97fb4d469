package wal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// childEnv tells the test binary that it is to append to a log, and which.
const childEnv = "RAFTCTL_TEST_APPEND"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		err := appendForever(dir, os.Stdout)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const childSegment = 256 << 10

// appendForever appends batches to a log, and tells after each which index is safe.
func appendForever(dir string, acks io.Writer) error {
	w, _, err := OpenForAppend(vfs.OS, dir, AppendOptions{
		CutTorn: true, WriterOptions: WriterOptions{segmentSize: childSegment},
	})
	if err != nil {
		return err
	}
	index := w.Last()
	for n := uint64(0); ; n++ {
		var entries []raftpb.Entry
		for range 1 + n%7 {
			index++
			entries = append(entries, raftpb.Entry{Term: 1, Index: index, Data: childData(index)})
		}
		if err := w.Append(raftpb.HardState{Term: 1, Commit: index}, entries); err != nil {
			return err
		}
		if _, err := acks.Write(binary.LittleEndian.AppendUint64(nil, index)); err != nil {
			return err
		}
	}
}

// childData is what the entry at an index holds: between a few bytes and several blocks.
func childData(index uint64) []byte {
	b := make([]byte, index*index%9000)
	for i := range b {
		b[i] = byte(index + uint64(i)*13 + 1)
	}
	return b
}

// A process that appends is killed, 50 times. Its successors find all that it said was safe.
func TestKill9(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	mustClose(t, mustCreate(t, dir, WriterOptions{segmentSize: childSegment}))
	rng := rand.New(rand.NewPCG(9, 9))
	acked := uint64(0)
	for round := range 50 {
		next, err := killedChild(dir, 1+rng.IntN(60))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		acked = max(acked, next)
		if last := replayChild(t, dir); last < acked {
			t.Fatalf("round %d: last entry %d, but %d was acknowledged", round, last, acked)
		}
	}
	if names, err := Etcd.segmentNames(vfs.OS, dir); err != nil || len(names) < 3 {
		t.Errorf("%d segments (%v), want several", len(names), err)
	}
}

// killedChild starts a process that appends, kills it after a number of acknowledgements, in the
// middle of whatever it does then, and returns the last index that it acknowledged.
func killedChild(dir string, acks int) (acked uint64, err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	r := bufio.NewReader(out)
	var b [8]byte
	for n := 0; ; n++ {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			break // killed
		}
		acked = binary.LittleEndian.Uint64(b[:])
		if n == acks {
			if err := cmd.Process.Kill(); err != nil {
				return 0, err
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
		return 0, fmt.Errorf("child ended by itself: %w", err)
	}
	return acked, nil
}

// replayChild reads the log and returns its last index.
func replayChild(t *testing.T, dir string) (last uint64) {
	t.Helper()
	w := mustOpen(t, dir, AppendOptions{CutTorn: true, Replay: func(rec *Record) error {
		var e raftpb.Entry
		if rec.Kind != KindEntry {
			return nil
		}
		if err := e.UnmarshalAlias(rec.Data); err != nil {
			return err
		}
		if last++; e.Index != last || string(e.Data) != string(childData(last)) {
			return fmt.Errorf("entry %d has index %d and %d bytes", last, e.Index, len(e.Data))
		}
		return nil
	}, WriterOptions: WriterOptions{segmentSize: childSegment}})
	mustClose(t, w)
	return last
}

// While a process writes the log, nobody else can: not another process, not another handle, not
// etcd; and the other way round.
func TestLocksKeepOthersOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w := mustCreate(t, dir, WriterOptions{})
	if _, _, err := OpenForAppend(vfs.OS, dir, AppendOptions{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second handle: got %v, want ErrLocked", err)
	}
	if _, err := etcdwal.Open(zap.NewNop(), dir, nil); !errors.Is(err, fileutil.ErrLocked) {
		t.Errorf("etcd: got %v, want its ErrLocked", err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	if want := ErrLocked.Error() + "\n"; err == nil || !bytes.HasSuffix(out, []byte(want)) {
		t.Errorf("second process: %v, output %q, want it to end with %q", err, out, want)
	}
	mustClose(t, w)

	theirs := mustOpenEtcd(t, dir, raftpb.FlavorGogo, raftpb.EntryID{})
	if _, _, err := OpenForAppend(vfs.OS, dir, AppendOptions{}); !errors.Is(err, ErrLocked) {
		t.Errorf("while etcd holds it: got %v, want ErrLocked", err)
	}
	mustClose(t, theirs)
	mustClose(t, mustOpen(t, dir, AppendOptions{}))
}
