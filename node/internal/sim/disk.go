package sim

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
)

// errGone is what a disk answers after the crash of its machine.
var errGone = errors.New("the machine is gone")

// disk is a member's disk from one start to the next. The databases are real files below root, whose last commit
// survives a crash, for bbolt syncs each; all else is in memory, where what was not synced may get lost.
type disk struct {
	root string
	mem  *faultfs.FS
	gone chan struct{} // closed by a crash

	mu      sync.Mutex
	dice    *rand.Rand
	syncs   time.Duration // how long a sync takes at most
	halt    int           // operations until one that never ends, if above 0
	halted  chan struct{} // closed when that is reached
	fail    int           // operations until those that write begin to fail, if above 0
	failing bool
	refused bool     // a write or a sync of the log
	fresh   []string // databases whose names no sync of their folder has made durable
}

var _ vfs.FS = (*disk)(nil)

func newDisk(root string, mem *faultfs.FS, seed uint64) *disk {
	return &disk{
		root: root, mem: mem, gone: make(chan struct{}), halted: make(chan struct{}),
		dice: rand.New(rand.NewPCG(seed, 1)),
	}
}

// set makes syncs take so long at most.
func (d *disk) set(syncs time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncs = syncs
}

// haltAfter makes the disk stand still after so many operations; it returns a channel that is closed then.
func (d *disk) haltAfter(n int) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.halt = n
	return d.halted
}

// failAfter makes every operation that writes fail, after so many.
func (d *disk) failAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = n
}

// mend ends what is wrong with a disk that hasn't failed yet.
func (d *disk) mend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncs, d.fail, d.halt = 0, 0, 0
}

// hasFailed reports whether the disk has refused an operation.
func (d *disk) hasFailed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failing
}

// hasRefused reports whether the log could not be written.
func (d *disk) hasRefused() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}

// begin counts an operation that writes, which may be slow, fail, or be the one that a crash interrupts.
func (d *disk) begin(slow bool) error {
	d.mu.Lock()
	var pause time.Duration
	if slow && d.syncs > 0 {
		pause = time.Duration(d.dice.Int64N(int64(d.syncs)))
	}
	if d.halt > 0 {
		if d.halt--; d.halt == 0 {
			close(d.halted)
			pause = time.Hour
		}
	}
	if d.fail > 0 {
		if d.fail--; d.fail == 0 {
			d.failing = true
		}
	}
	failing := d.failing
	d.mu.Unlock()
	if err := d.pause(pause); err != nil {
		return err
	}
	if failing {
		return syscall.EIO
	}
	return nil
}

// pause waits, and returns errGone if the machine is gone.
func (d *disk) pause(t time.Duration) error {
	if t > 0 {
		timer := time.NewTimer(t)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-d.gone:
		}
	}
	return d.alive()
}

func (d *disk) alive() error {
	select {
	case <-d.gone:
		return errGone
	default:
		return nil
	}
}

// inMemory returns the name that a path has in memory. It is the same in each life.
func (d *disk) inMemory(path string) string {
	return "/" + strings.TrimPrefix(strings.TrimPrefix(path, d.root), "/")
}

// databases matches the names of databases in a member's folder snap, and of those that are being received.
var databases = regexp.MustCompile(`^(db|.*\.snap\.db|tmp[0-9]+)$`)

func isDatabase(path string) bool {
	return databases.MatchString(filepath.Base(path)) && filepath.Base(filepath.Dir(path)) == "snap"
}

// Open implements [vfs.FS].
func (d *disk) Open(name string) (vfs.File, error) { return d.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile implements [vfs.FS].
func (d *disk) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if err := d.alive(); err != nil {
		return nil, err
	}
	f, err := d.mem.OpenFile(d.inMemory(name), flag, perm)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, name}, nil
}

// Stat implements [vfs.FS].
func (d *disk) Stat(name string) (fs.FileInfo, error) {
	if err := d.alive(); err != nil {
		return nil, err
	}
	if isDatabase(name) {
		return os.Stat(name)
	}
	return d.mem.Stat(d.inMemory(name))
}

// ReadDir implements [vfs.FS].
func (d *disk) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := d.alive(); err != nil {
		return nil, err
	}
	list, err := d.mem.ReadDir(d.inMemory(name))
	if err != nil || filepath.Base(name) != "snap" {
		return list, err
	}
	real, err := os.ReadDir(name)
	list = append(list, real...)
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// Rename implements [vfs.FS].
func (d *disk) Rename(from, to string) error {
	if err := d.begin(false); err != nil {
		return err
	}
	if !isDatabase(from) {
		return d.mem.Rename(d.inMemory(from), d.inMemory(to))
	}
	if filepath.Base(to) != "db" { // in the place of another the new one counts as durable
		d.mu.Lock()
		d.fresh = append(d.fresh, filepath.Base(to))
		d.mu.Unlock()
	}
	return os.Rename(from, to)
}

// Remove implements [vfs.FS].
func (d *disk) Remove(name string) error {
	if err := d.begin(false); err != nil {
		return err
	}
	if isDatabase(name) {
		return os.Remove(name)
	}
	return d.mem.Remove(d.inMemory(name))
}

// RemoveAll implements [vfs.FS].
func (d *disk) RemoveAll(name string) error {
	if err := d.begin(false); err != nil {
		return err
	}
	return d.mem.RemoveAll(d.inMemory(name))
}

// MkdirAll implements [vfs.FS].
func (d *disk) MkdirAll(name string, perm fs.FileMode) error {
	if err := d.begin(false); err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(name, perm), d.mem.MkdirAll(d.inMemory(name), perm))
}

// SyncDir implements [vfs.FS].
func (d *disk) SyncDir(name string) error {
	if err := d.begin(true); err != nil {
		return err
	}
	if filepath.Base(name) == "snap" {
		d.mu.Lock()
		d.fresh = nil
		d.mu.Unlock()
	}
	return d.mem.SyncDir(d.inMemory(name))
}

// diskFile is an open file in memory.
type diskFile struct {
	vfs.File
	d    *disk
	name string
}

// begin is that of the disk. It notes whether the log hears of an error, after which its member can't go on.
func (f *diskFile) begin(slow bool) error {
	err := f.d.begin(slow)
	if err == syscall.EIO && strings.HasSuffix(f.name, ".wal") {
		f.d.mu.Lock()
		f.d.refused = true
		f.d.mu.Unlock()
	}
	return err
}

// Name implements [vfs.File].
func (f *diskFile) Name() string { return f.name }

// Write implements [vfs.File].
func (f *diskFile) Write(b []byte) (int, error) {
	if err := f.d.begin(false); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

// WriteAt implements [vfs.File].
func (f *diskFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.begin(false); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, off)
}

// Sync implements [vfs.File]. The bytes are safe some time before the caller hears of it.
func (f *diskFile) Sync() error {
	if err := f.begin(true); err != nil {
		return err
	}
	if err := f.File.Sync(); err != nil {
		return err
	}
	return f.begin(true)
}

// Truncate implements [vfs.File].
func (f *diskFile) Truncate(size int64) error {
	if err := f.d.begin(false); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Allocate implements [vfs.File].
func (f *diskFile) Allocate(size int64) error {
	if err := f.d.begin(false); err != nil {
		return err
	}
	return f.File.Allocate(size)
}
