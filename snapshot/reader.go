package snapshot

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"path"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/wirefield"
	"github.com/raftctl/raftctl/raftpb"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The fields of a .snap file.
const (
	fieldCRC  protowire.Number = 1
	fieldData protowire.Number = 2
)

// maxFile is the size in bytes up to which a .snap file is read into memory: a protobuf message is
// no longer, so etcd writes none.
const maxFile = 2<<30 - 1

// Read reads the snapshot that ends with entry id from the directory dir of fsys, and checks it.
// An intact snapshot that isn't the one that its name says is a *[CorruptError] as well.
func Read(fsys fs.FS, dir string, id raftpb.EntryID) (*raftpb.Snapshot, error) {
	f := &File{Name: FileName(id), Kind: KindSnapshot, ID: id}
	snap, err := readFile(fsys, path.Join(dir, f.Name))
	if err != nil {
		return nil, err
	}
	if err := checkName(f, snap); err != nil {
		return nil, err
	}
	return snap, nil
}

// readFile reads a .snap file of any name, and names it in the error.
func readFile(fsys fs.FS, name string) (*raftpb.Snapshot, error) {
	b, err := ReadBytes(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Base(name), err)
	}
	snap, err := Parse(b)
	if corrupt, ok := errors.AsType[*CorruptError](err); ok {
		corrupt.File = path.Base(name)
	}
	return snap, err
}

// ReadBytes reads the bytes of a .snap file of any name, if they are not more than etcd could have
// written. The error doesn't name the file.
func ReadBytes(fsys fs.FS, name string) ([]byte, error) {
	f, info, err := vfs.OpenRegular(fsys, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%d bytes, more than the %d that are read", info.Size(), maxFile)
	}
	b := make([]byte, info.Size())
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it has become shorter
		err = nil
	}
	return b[:n], err
}

// settled is how long a file must not have changed to be judged: etcd writes a .snap file under its
// own name, in one write.
const settled = 50 * time.Millisecond

// readSettled is readFile for a file that may be being written: one that is damaged is looked at
// again until it has not changed for a while. Info is as of the last look.
func readSettled(
	ctx context.Context, fsys fs.FS, name string,
) (snap *raftpb.Snapshot, info fs.FileInfo, err error) {
	for waited := fs.FileInfo(nil); ; waited = info {
		before, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, nil, err
		}
		snap, readErr := readFile(fsys, name)
		if info, err = fs.Stat(fsys, name); err != nil {
			return nil, nil, err
		}
		_, corrupt := errors.AsType[*CorruptError](readErr)
		if !corrupt || isSettled(waited, before, info) {
			return snap, info, readErr
		}
		select {
		case <-ctx.Done():
			return snap, info, readErr
		case <-time.After(settled):
		}
	}
}

// isSettled reports whether a file has not changed for a while: by its time, or because it is as it
// was before the wait; its time may lie in the future where clocks differ.
func isSettled(waited, before, after fs.FileInfo) bool {
	return unchanged(before, after) &&
		(time.Since(after.ModTime()) > settled || waited != nil && unchanged(waited, after))
}

func unchanged(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Parse checks the contents of a .snap file and returns the snapshot in it. The snapshot's data
// aliases b. The error is a *[CorruptError], which wraps [ErrEmpty] for a file that holds nothing.
func Parse(b []byte) (*raftpb.Snapshot, error) {
	f, err := parseFile(b)
	if err != nil {
		return nil, err
	}
	if len(f.data) == 0 {
		return nil, &CorruptError{Off: f.dataOff, Err: fmt.Errorf("%w: no data", ErrEmpty)}
	}
	if f.crc == 0 {
		return nil, &CorruptError{Off: f.crcOff, Err: fmt.Errorf("%w: crc 0", ErrEmpty)}
	}
	if sum := crc32.Checksum(f.data, castagnoli); sum != f.crc {
		return nil, &CorruptError{Off: f.crcOff, Err: fmt.Errorf("crc %08x, want %08x", f.crc, sum)}
	}
	snap := new(raftpb.Snapshot)
	if err := snap.UnmarshalAlias(f.data); err != nil {
		off := f.dataOff
		var d *raftpb.DecodeError
		if errors.As(err, &d) {
			off += int64(d.Off)
		}
		return nil, &CorruptError{Off: off, Err: err}
	}
	return snap, nil
}

// file is a .snap file taken apart, with the offset of what each field holds.
type file struct {
	crc     uint32
	crcOff  int64
	data    []byte
	dataOff int64
}

func parseFile(b []byte) (file, error) {
	var f file
	err := wirefield.Each(b, func(w wirefield.Field) error {
		switch w.Num {
		case fieldCRC:
			if w.Uint > math.MaxUint32 { // protobuf would cut it to 32 bits, and hide the damage
				return fmt.Errorf("crc %x exceeds 32 bits", w.Uint)
			}
			f.crc, f.crcOff = uint32(w.Uint), int64(w.Value)
			return w.Want(protowire.VarintType)
		case fieldData:
			f.data, f.dataOff = w.Bytes, int64(w.Value)
			return w.Want(protowire.BytesType)
		}
		return nil
	})
	if e, ok := errors.AsType[*wirefield.Error](err); ok {
		return file{}, &CorruptError{Off: int64(e.Off), Err: e.Err}
	}
	return f, err
}
