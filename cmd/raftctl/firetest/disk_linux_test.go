package firetest

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// disk is what a member's files lie on: a tmpfs, which can be full, or an ext4 on a loop device over a file on a tmpfs. Once that
// one is full, the device can't write any more, and syncs fail with EIO. An ext4 can be frozen, too: whoever writes waits.
type disk struct {
	tb   testing.TB
	back string // the tmpfs
	loop bool
}

// diskSize is room for what a member needs; a log of etcd takes 128 MB at once.
const diskSize = "512m"

func newDisk(tb testing.TB, loop bool) *disk {
	tb.Helper()
	d := &disk{tb: tb, back: tb.TempDir(), loop: loop}
	must(tb, syscall.Mount("tmpfs", d.back, "tmpfs", 0, "size="+diskSize))
	tb.Cleanup(func() { d.unmount(d.back) })
	if loop {
		must(tb, os.Mkdir(d.top(), 0o700))
		must(tb, run("truncate", "-s", diskSize, d.image()))
		must(tb, run("mkfs.ext4", "-q", d.image()))
		d.mount()
		tb.Cleanup(func() { d.unmount(d.top()) })
	}
	return d
}

func (d *disk) image() string  { return filepath.Join(d.back, "image") }
func (d *disk) filler() string { return filepath.Join(d.back, "filler") }
func (d *disk) mount()         { must(d.tb, run("mount", "-o", "loop", d.image(), d.top())) }

// top returns the folder that a member gets.
func (d *disk) top() string { return filepath.Join(d.back, "top") }

func (d *disk) unmount(dir string) {
	if err := syscall.Unmount(dir, 0); err != nil {
		d.tb.Errorf("unmount %s: %v", dir, err)
	}
}

// fill takes all room that is left. A device keeps what was ever written, and could write there again: it gives up what no file has.
func (d *disk) fill() {
	if d.loop {
		must(d.tb, run("fstrim", d.top()))
	}
	f, err := os.Create(d.filler())
	must(d.tb, err)
	for buf := make([]byte, 1<<20); err == nil && len(buf) > 0; {
		if _, err = f.Write(buf); errors.Is(err, syscall.ENOSPC) && len(buf) > 1<<12 {
			buf, err = buf[:len(buf)/2], nil
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.tb.Errorf("a disk was to be filled: %v", err)
	}
	must(d.tb, f.Close())
}

// room gives the room back. What could not be written is asked for again only by a new mount: nothing may use the disk.
func (d *disk) room() {
	must(d.tb, os.Remove(d.filler()))
	if d.loop {
		d.unmount(d.top())
		d.mount()
	}
}

// freeze has whoever writes wait until thaw.
func (d *disk) freeze() { must(d.tb, run("fsfreeze", "-f", d.top())) }
func (d *disk) thaw()   { must(d.tb, run("fsfreeze", "-u", d.top())) }

// flip inverts a bit of a file.
func flip(path string, off int64, bit uint) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, off); err != nil && err != io.EOF {
		return err
	}
	b[0] ^= 1 << bit
	_, err = f.WriteAt(b, off)
	return err
}
