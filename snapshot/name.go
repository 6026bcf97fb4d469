package snapshot

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
)

const (
	suffix   = ".snap"
	dbSuffix = ".snap.db"
	digits   = 16 // hex digits of a number in a file name
)

// FileName returns the name of the .snap file whose last included entry is id.
func FileName(id raftpb.EntryID) string {
	return fmt.Sprintf("%016x-%016x%s", id.Term, id.Index, suffix)
}

// ParseFileName is the inverse of [FileName]. It reports false for any other name.
func ParseFileName(name string) (id raftpb.EntryID, ok bool) {
	base, ok := strings.CutSuffix(name, suffix)
	if !ok || len(base) != 2*digits+1 || base[digits] != '-' {
		return raftpb.EntryID{}, false
	}
	term, okTerm := parseHex(base[:digits])
	index, okIndex := parseHex(base[digits+1:])
	if !okTerm || !okIndex {
		return raftpb.EntryID{}, false
	}
	return raftpb.EntryID{Term: term, Index: index}, true
}

// DBFileName returns the name under which etcd keeps a database received from a leader, as of the
// log index, until it replaces its own.
func DBFileName(index uint64) string { return fmt.Sprintf("%016x%s", index, dbSuffix) }

// ParseDBFileName is the inverse of [DBFileName]. It reports false for any other name.
func ParseDBFileName(name string) (index uint64, ok bool) {
	base, ok := strings.CutSuffix(name, dbSuffix)
	if !ok || len(base) != digits {
		return 0, false
	}
	return parseHex(base)
}

// parseHex accepts what %016x prints and nothing else: no capitals, no sign.
func parseHex(s string) (n uint64, ok bool) {
	if strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }) {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 16, 64)
	return n, err == nil
}

// List returns the snapshots in the directory dir of fsys by their names, newest first. The files
// are not opened: [Files] does that. Names that don't belong to a snapshot are passed over.
func List(fsys fs.FS, dir string) ([]raftpb.EntryID, error) {
	return ofKind(fsys, dir, KindSnapshot)
}

// ListDB returns the indexes of the received databases in the directory dir of fsys, newest first.
func ListDB(fsys fs.FS, dir string) ([]uint64, error) {
	ids, err := ofKind(fsys, dir, KindReceived)
	var indexes []uint64
	for _, id := range ids {
		indexes = append(indexes, id.Index)
	}
	return indexes, err
}

func ofKind(fsys fs.FS, dir string, kind Kind) ([]raftpb.EntryID, error) {
	files, err := named(fsys, dir)
	var ids []raftpb.EntryID
	for i := range files {
		if files[i].Kind == kind {
			ids = append(ids, files[i].ID)
		}
	}
	return ids, err
}
