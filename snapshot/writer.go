package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// tempPrefix begins the names of unfinished files: etcd removes such files when it starts.
const tempPrefix = "tmp"

// ErrZeroCRC is returned for a snapshot whose checksum happens to be 0, one of four billion: etcd
// would take its file for an empty one.
var ErrZeroCRC = errors.New("crc 0, for which etcd takes the file for an empty snapshot")

// Encode returns the .snap file of a snapshot, as the releases of a flavour write it; the
// file itself is the same in both. The error is [ErrEmpty] for a snapshot of index 0, which etcd
// doesn't write, or [ErrZeroCRC].
func Encode(snap *raftpb.Snapshot, flavor raftpb.Flavor) ([]byte, error) {
	if snap.IsEmpty() {
		return nil, fmt.Errorf("%w: index 0", ErrEmpty)
	}
	data := snap.Marshal(flavor)
	crc := crc32.Checksum(data, castagnoli)
	if crc == 0 {
		return nil, fmt.Errorf("%s: %w", FileName(snap.Metadata.ID()), ErrZeroCRC)
	}
	const head = 1 + 5 + 1 + 10 // two tags and the longest numbers behind them
	b := make([]byte, 0, head+len(data))
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldCRC, protowire.VarintType), uint64(crc))
	b = protowire.AppendBytes(protowire.AppendTag(b, fieldData, protowire.BytesType), data)
	return b, nil
}

// Write writes the .snap file of a snapshot into the directory dir, which no etcd may run on. When
// it returns nil the file is durable; until then there is either no file of that name or the whole
// one. What a crash leaves beside it begins with "tmp", and etcd removes it.
//
// A file of the same bytes is left as it is. One of other bytes is never overwritten: the error is
// [fs.ErrExist]. Other errors are those of [Encode], and of the file system.
func Write(fsys vfs.FS, dir string, snap *raftpb.Snapshot, flavor raftpb.Flavor) error {
	b, err := Encode(snap, flavor)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, FileName(snap.Metadata.ID()))
	switch there, err := readIfThere(fsys, name); {
	case err != nil:
		return err
	case there != nil && !bytes.Equal(there, b):
		return fmt.Errorf("%s: %w, of %d bytes; the snapshot has %d others",
			name, fs.ErrExist, len(there), len(b))
	case there != nil: // perhaps a write that failed in SyncDir is done again
		return fsys.SyncDir(dir)
	}
	temp, err := writeTemp(fsys, name, b)
	if err != nil {
		return err
	}
	if err := fsys.Rename(temp, name); err != nil {
		return errors.Join(err, fsys.Remove(temp))
	}
	return fsys.SyncDir(dir)
}

// readIfThere returns the bytes of a file, nil if there is none of that name.
func readIfThere(fsys vfs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	if b == nil {
		b = []byte{}
	}
	return b, errors.Join(err, f.Close())
}

// writeTemp writes a file beside name and syncs it. If that fails it leaves none.
func writeTemp(fsys vfs.FS, name string, b []byte) (temp string, err error) {
	f, err := createTemp(fsys, name)
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, fsys.Remove(f.Name()))
	}
	return f.Name(), nil
}

// createTemp creates a file of a name that no other has: what a crash left is not touched, nor what
// another process is writing.
func createTemp(fsys vfs.FS, name string) (vfs.File, error) {
	const most = 1000 // names; so many crashes leave no room for doubt
	for i := 0; ; i++ {
		temp := fmt.Sprintf("%s-%s-%d", tempPrefix, filepath.Base(name), i)
		f, err := fsys.OpenFile(filepath.Join(filepath.Dir(name), temp),
			os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // etcd's mode: the server may be another user
		if !errors.Is(err, fs.ErrExist) || i == most {
			return f, err
		}
	}
}
