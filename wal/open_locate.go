package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/raftctl/raftctl/internal/archive"
)

// maxNamed is how many logs an error lists of those among which it asks to choose.
const maxNamed = 8

// locate returns the directory of segments that name stands for. In an archive, deep, the log may
// lie anywhere.
func locate(fsys fs.FS, name string, deep bool) (string, error) {
	if hasSegments(fsys, name) {
		return name, nil
	}
	for _, sub := range []string{"member/wal", "wal"} {
		if dir := path.Join(name, sub); isDir(fsys, dir) {
			return dir, nil // an empty one is told when it is listed
		}
	}
	found, err := below(fsys, name, deep)
	if err != nil {
		return "", err
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if isDir(fsys, path.Join(name, "member")) {
			return "", fmt.Errorf("%w: no wal in member: was etcd given a --wal-dir?", ErrNoLog)
		}
		return "", fmt.Errorf("%w: neither segments nor a member/wal in the directory", ErrNoLog)
	}
	n := len(found)
	more := ""
	if n > maxNamed {
		found, more = found[:maxNamed], ", …"
	}
	names := strings.Join(found, ", ") + more
	return "", fmt.Errorf("%w (%d), name one: %s", ErrSeveralLogs, n, names)
}

// below returns the directories of segments below name: of data directories directly in it, or,
// deep, all there are.
func below(fsys fs.FS, name string, deep bool) ([]string, error) {
	var found []string
	if deep {
		err := fs.WalkDir(fsys, name, func(dir string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() && hasSegments(fsys, dir) {
				found = append(found, dir)
			}
			return err
		})
		return found, err
	}
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, bare(err)
	}
	for _, e := range entries {
		if dir := path.Join(name, e.Name(), "member/wal"); e.IsDir() && hasSegments(fsys, dir) {
			found = append(found, dir)
		}
	}
	return found, nil
}

func isDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

func hasSegments(fsys fs.FS, dir string) bool {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if _, ok := ParseSegmentName(e.Name()); ok && mayBeSegment(e) {
			return true
		}
	}
	return false
}

// mayBeSegment reports whether a directory entry can be a segment. Anything but a file, such as a
// pipe, could block whoever opens it.
func mayBeSegment(e fs.DirEntry) bool {
	return e.Type().IsRegular() || e.Type() == fs.ModeSymlink
}

// snapDir returns the directory of snapshot files that belongs to a directory of segments, empty if
// there is none.
func snapDir(fsys fs.FS, dir string) string {
	snap := path.Join(path.Dir(dir), "snap")
	if path.Base(dir) != "wal" || !isDir(fsys, snap) {
		return ""
	}
	return snap
}

type sniffed int

const (
	sniffedSegment sniffed = iota
	sniffedArchive
)

// sniff tells what a file is. A segment with a damaged head is told by its name.
func sniff(fsys fs.FS, name string) (sniffed, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return 0, bare(err)
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	head := make([]byte, archive.SniffSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, bare(err)
	}
	head = head[:n]
	h, ok := parseFrame(head, 0, 1<<56, true)
	switch {
	case ok && h.kind == KindCRC && !h.hasData:
		return sniffedSegment, nil
	case archive.Is(head):
		return sniffedArchive, nil
	case isSegmentLike(path.Base(name)):
		return sniffedSegment, nil
	}
	return 0, fmt.Errorf("%w: %s", ErrNoLog, describeFile(head))
}

func isSegmentLike(base string) bool {
	return strings.HasSuffix(base, segmentSuffix) || strings.Contains(base, segmentSuffix+".") ||
		base == "0"+spareSuffix || base == "1"+spareSuffix
}

// describeFile says what a file that is no log begins with.
func describeFile(head []byte) string {
	const metaOff, metaMagic = 16, 0xed0cdaed
	if len(head) >= metaOff+4 && binary.LittleEndian.Uint32(head[metaOff:]) == metaMagic {
		return "a bbolt database, such as member/snap/db or the result of snapshot save"
	}
	head = head[:min(len(head), frameHeaderSize)]
	return fmt.Sprintf("the file begins with %x, neither a segment nor an archive", head)
}
