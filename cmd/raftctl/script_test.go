package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/archive"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

var update = flag.Bool("update", false, "rewrite the golden files within the scripts")

// TestScripts runs the scripts in testdata/script, which call commands in this process.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[testKey{}], env.Values[heldKey{}] = t, new(vfs.File)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"raftctl": scriptRaftctl,
			"status":  scriptStatus,
			"corpus":  scriptCorpus,
			"capture": scriptCapture,
			"flip":    scriptFlip,
			"cut":     scriptCut,
			"zero":    scriptZero,
			"advised": scriptAdvised,
			"lines":   scriptLines,
			"bytes":   scriptBytes,

			"typed":  scriptTyped,
			"lock":   scriptLock,
			"unlock": scriptUnlock,
			"sums":   scriptSums,

			"overwritten": scriptOverwritten,
			"payloads":    scriptPayloads,
			"terms":       scriptTerms,
			"records":     scriptRecords,
			"leases":      scriptLeases,
			"night":       scriptNight,
			"anew":        scriptAnew,
			"applied":     scriptApplied,
			"runbook":     scriptRunbook,
			"runbooks":    scriptRunbooks,
			"talk":        scriptTalk,
			"certs":       scriptCerts,
			"plain":       scriptPlain,
			"recorded":    scriptRecorded,
			"pack":        scriptPack,
		},
	})
}

type testKey struct{}

// scriptRaftctl runs a command line. Its exit status is checked by the next line, `status N`; `!`
// stands for any but 0. COLUMNS makes the output a terminal of that width. STDIN names a file that is standard
// input; without it nothing may be read there. The folder root stands for the machine's.
func scriptRaftctl(ts *testscript.TestScript, neg bool, args []string) {
	width, _ := strconv.Atoi(ts.Getenv("COLUMNS")) // unset: no terminal
	a := testApp(ts.Stdout(), ts.Stderr())
	a.Dir, a.Width, a.Color = ts.MkAbs("."), width, width > 0 && ts.Getenv("NO_COLOR") == ""
	a.Root, a.In = ts.MkAbs("root"), nobodyReads{}
	a.Getenv = func(name string) string {
		if !strings.HasPrefix(name, "ETCD_") {
			return ""
		}
		return ts.Getenv(name)
	}
	if name := ts.Getenv("STDIN"); name != "" {
		f, err := os.Open(ts.MkAbs(name))
		ts.Check(err)
		defer func() { _ = f.Close() }()
		a.In = f
	}
	if ui.ASCIILocale(ts.Getenv) {
		a.SetASCII()
	}
	if n, err := strconv.Atoi(ts.Getenv("PIPE")); err == nil {
		a.Out = &closedPipe{w: a.Out, left: n}
	}
	status := run(context.Background(), a, args)
	ts.Setenv("status", strconv.Itoa(status))
	if neg && status == 0 {
		ts.Fatalf("exit status 0, want another")
	}
}

// nobodyReads is a standard input that is not a command's to read: a loop of a shell may be reading it.
type nobodyReads struct{}

func (nobodyReads) Read([]byte) (int, error) { return 0, errors.New("standard input is read") }

// scriptStatus checks the exit status of the last command.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if got := ts.Getenv("status"); len(args) != 1 || neg == (got == args[0]) {
		ts.Fatalf("exit status %s, want %s", got, strings.Join(args, " "))
	}
}

// scriptCorpus puts an archive's folder into the script's directory, as a copy of its own:
// corpus ARCHIVE NAME, or the archive itself: corpus -archive ARCHIVE NAME.
func scriptCorpus(ts *testscript.TestScript, _ bool, args []string) {
	t := ts.Value(testKey{}).(*testing.T)
	if len(args) == 3 && args[0] == "-archive" {
		ts.Check(os.Symlink(corpus.Archive(args[1]), ts.MkAbs(args[2])))
		return
	}
	if len(args) != 2 {
		ts.Fatalf("usage: corpus [-archive] ARCHIVE NAME")
	}
	ts.Check(os.Rename(corpus.Copy(t, args[0]), ts.MkAbs(args[1])))
}

// scriptCapture puts a capture of the traffic of a release's cluster into the script's directory, packed with
// zstd, or plain if the name is *.pcap: capture RELEASE NAME.
func scriptCapture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: capture RELEASE NAME")
	}
	if !strings.HasSuffix(args[1], ".pcap") {
		ts.Check(os.Symlink(captured(args[0]), ts.MkAbs(args[1])))
		return
	}
	f, err := os.Open(captured(args[0]))
	ts.Check(err)
	defer func() { _ = f.Close() }()
	z, err := archive.Unpack(f)
	ts.Check(err)
	b, err := io.ReadAll(z)
	ts.Check(errors.Join(err, z.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// captured returns the path of a capture of the traffic of a release's cluster.
func captured(release string) string {
	return filepath.Join(filepath.Dir(corpus.Archive("c36-3m-clean")), "peers-"+release+".pcap.zst")
}

// scriptFlip flips bits: flip FILE OFFSET MASK.
func scriptFlip(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	off, err := strconv.ParseInt(args[1], 0, 64)
	ts.Check(err)
	mask, err := strconv.ParseUint(args[2], 0, 8)
	ts.Check(err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, off)
	ts.Check(err)
	b[0] ^= byte(mask)
	_, err = f.WriteAt(b, off)
	ts.Check(errors.Join(err, f.Close()))
}

// scriptCut shortens a file: cut FILE SIZE.
func scriptCut(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 0, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// scriptZero overwrites bytes with zeros: zero FILE OFFSET N.
func scriptZero(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	off, err := strconv.ParseInt(args[1], 0, 64)
	ts.Check(err)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	_, err = f.WriteAt(make([]byte, n), off)
	ts.Check(errors.Join(err, f.Close()))
}

// scriptAdvised types each command that the last output advises into a shell, as it was printed, and
// checks that there are as many of a kind: advised COPIES LOOKS. A copy must make a directory or a
// file, and a look show records.
func scriptAdvised(ts *testscript.TestScript, _ bool, args []string) {
	counts := map[string]int{}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "cp "):
			counts["cp"]++
			ts.Check(ts.Exec("sh", "-c", line))
			words := shellWords(ts, line)
			_, err := os.Stat(ts.MkAbs(words[len(words)-1]))
			ts.Check(err)
		case strings.HasPrefix(line, "raftctl wal repair "):
			a := testApp(io.Discard, io.Discard)
			a.Dir = ts.MkAbs(".")
			if got := run(context.Background(), a, shellWords(ts, line)[1:]); got != ui.StatusDamage && got != ui.StatusRefused {
				ts.Fatalf("%s: exit status %d", line, got)
			}
		case strings.HasPrefix(line, "raftctl "):
			counts["look"]++
			var out, errs bytes.Buffer
			a := testApp(&out, &errs)
			a.Dir = ts.MkAbs(".")
			status := run(context.Background(), a, shellWords(ts, line)[1:])
			if rows := strings.Count(out.String(), "\n") - 1; rows < 1 || status != 0 && status != 1 {
				ts.Fatalf("%s: exit status %d, %d records: %s", line, status, rows, errs.String())
			}
		}
	}
	if got := []string{strconv.Itoa(counts["cp"]), strconv.Itoa(counts["look"])}; !slices.Equal(got, args) {
		ts.Fatalf("%v copies and looks are advised, want %v", got, args)
	}
}

// shellWords takes a command line apart as a shell does.
func shellWords(ts *testscript.TestScript, line string) []string {
	cmd := exec.Command("sh", "-c", `printf '%s\0' `+line)
	out, err := cmd.Output()
	ts.Check(err)
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// scriptLines checks the number of lines in a file: lines stdout N.
func scriptLines(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(strings.Count(ts.ReadFile(args[0]), "\n")); got != args[1] {
		ts.Fatalf("%s lines in %s, want %s", got, args[0], args[1])
	}
}

// scriptBytes writes a file of bytes that are given in hex: bytes FILE HEX.
func scriptBytes(ts *testscript.TestScript, _ bool, args []string) {
	b, err := hex.DecodeString(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// scriptOverwritten makes a log in which a new leader overwrites entries: overwritten DIR.
func scriptOverwritten(ts *testscript.TestScript, _ bool, args []string) {
	w := createLog(ts, args[0])
	ts.Check(w.Append(raftpb.HardState{Term: 1, Commit: 1}, []raftpb.Entry{
		{Term: 1, Index: 1}, {Term: 1, Index: 2, Data: []byte("lost")}, {Term: 1, Index: 3, Data: []byte("lost")},
	}))
	ts.Check(w.Append(raftpb.HardState{Term: 2, Commit: 2}, []raftpb.Entry{
		{Term: 2, Index: 2}, {Term: 2, Index: 3, Data: []byte("kept")},
	}))
	ts.Check(w.Close())
}

// scriptTerms makes a log of two entries a term: terms DIR N.
func scriptTerms(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	w := createLog(ts, args[0])
	for term := range n {
		ts.Check(w.Append(raftpb.HardState{Term: term + 1, Commit: 2*term + 2}, []raftpb.Entry{
			{Term: term + 1, Index: 2*term + 1}, {Term: term + 1, Index: 2*term + 2},
		}))
	}
	ts.Check(w.Close())
}

// scriptRecords makes a log of records with these data, which follow a crc record: records DIR KIND HEX…
func scriptRecords(ts *testscript.TestScript, _ bool, args []string) {
	kinds := map[string]wal.Kind{
		"metadata": wal.KindMetadata, "entry": wal.KindEntry, "state": wal.KindState, "snapshot": wal.KindSnapshot,
	}
	segment := (&wal.Record{Kind: wal.KindCRC}).AppendFrame(nil)
	sum := uint32(0)
	for pair := range slices.Chunk(args[1:], 2) {
		data, err := hex.DecodeString(pair[1])
		ts.Check(err)
		sum = crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), data)
		rec := wal.Record{Kind: kinds[pair[0]], Data: data, CRC: sum}
		segment = rec.AppendFrame(segment)
	}
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o700))
	name := filepath.Join(ts.MkAbs(args[0]), segmentName)
	ts.Check(os.WriteFile(name, append(segment, make([]byte, 4096)...), 0o600))
}

// scriptPayloads makes a log of entries with these payloads: payloads DIR PAYLOAD…
func scriptPayloads(ts *testscript.TestScript, _ bool, args []string) {
	w := createLog(ts, args[0])
	var entries []raftpb.Entry
	for i, text := range args[1:] {
		data := strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\f`, "\x07\xff\x00").Replace(text)
		entries = append(entries, raftpb.Entry{Term: 1, Index: uint64(i) + 1, Data: []byte(data)})
	}
	ts.Check(w.Append(raftpb.HardState{Term: 1, Commit: uint64(len(entries))}, entries))
	ts.Check(w.Close())
}

func createLog(ts *testscript.TestScript, dir string) *wal.Writer {
	w, err := wal.Create(vfs.OS, ts.MkAbs(dir), wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	ts.Check(err)
	return w
}

// closedPipe is a pipe whose reader goes away after some bytes.
type closedPipe struct {
	w    io.Writer
	left int
}

func (p *closedPipe) Write(b []byte) (int, error) {
	if len(b) > p.left {
		n, _ := p.w.Write(b[:p.left])
		p.left = 0
		return n, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
	}
	p.left -= len(b)
	return p.w.Write(b)
}
