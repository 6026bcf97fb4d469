package vfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func held(fd uintptr) (Hold, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(fd, unix.F_OFD_GETLK, &lock)
	if err == nil && lock.Type != unix.F_UNLCK {
		return Hold{Held: true, PID: int(max(lock.Pid, 0))}, nil
	}
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return Hold{}, fmt.Errorf("ask for the lock: %w", err)
	}
	return flocked(fd)
}

// flocked looks for a lock of the kind that bbolt takes, flock, for which there is no call to ask: it
// is in the system's list of locks.
func flocked(fd uintptr) (Hold, error) {
	id, err := lockID(fd)
	if err != nil {
		return Hold{}, err
	}
	list, err := os.Open("/proc/locks")
	if err != nil {
		return Hold{}, fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	defer func() { _ = list.Close() }() // opened for reading: nothing can be lost
	return findLock(list, id)
}

// findLock finds the lock on the file of an ID in a list whose lines read
//
//	1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF
//
// A line with "->" behind the number is one that waits for the lock above it.
func findLock(list io.Reader, id string) (Hold, error) {
	const pidField, idField = 4, 5
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) <= idField || f[1] == "->" || f[idField] != id {
			continue
		}
		pid, _ := strconv.Atoi(f[pidField]) // -1 if the lock belongs to no process
		return Hold{Held: true, PID: max(pid, 0)}, nil
	}
	return Hold{}, lines.Err()
}

// lockID returns how the list of locks names a file: by the device of its file system and its inode.
// What stat says of them is not always that, as on btrfs and overlays, so that the kernel is asked
// for the file system by its mount, and for the inode, where it tells.
func lockID(fd uintptr) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(fd), &st); err != nil {
		return "", fmt.Errorf("stat: %w", err)
	}
	dev := fmt.Sprintf("%02x:%02x", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)))
	ino := strconv.FormatUint(st.Ino, 10)
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return dev + ":" + ino, nil
	}
	for line := range strings.Lines(string(info)) {
		name, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); name {
		case "ino":
			ino = value
		case "mnt_id":
			dev = mountDevice(value, dev)
		}
	}
	return dev + ":" + ino, nil
}

// mountDevice returns the device of a mount's file system, or the given one if that isn't known.
func mountDevice(mount, otherwise string) string {
	const idField, devField = 0, 2
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return otherwise
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) <= devField || f[idField] != mount {
			continue
		}
		var major, minor uint32
		if _, err := fmt.Sscanf(f[devField], "%d:%d", &major, &minor); err == nil {
			return fmt.Sprintf("%02x:%02x", major, minor)
		}
	}
	return otherwise
}
