package snapshot

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"path"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
	"github.com/raftctl/raftctl/raftpb"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The fields of a .snap file.
const (
	fieldCRC  protowire.Number = 1
	fieldData protowire.Number = 2
)

// Read reads the snapshot that ends with entry id from the directory dir of fsys, and checks it.
// An intact snapshot that isn't the one that its name says is a *[CorruptError] as well.
func Read(fsys fs.FS, dir string, id raftpb.EntryID) (*raftpb.Snapshot, error) {
	name := FileName(id)
	b, err := fs.ReadFile(fsys, path.Join(dir, name))
	if err != nil {
		return nil, err
	}
	snap, err := Parse(b)
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		corrupt.File = name
	}
	if err != nil {
		return nil, err
	}
	if got := snap.Metadata.ID(); got != id {
		return nil, &CorruptError{File: name, Err: fmt.Errorf("snapshot of %v, but its name says %v", got, id)}
	}
	return snap, nil
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
