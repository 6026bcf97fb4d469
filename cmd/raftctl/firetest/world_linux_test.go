package firetest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What one says to another is lost from the cut on, and only that.
func TestCutIsOneWay(t *testing.T) {
	n := newNetwork(t, 2)
	l, err := net.ListenPacket("udp", net.JoinHostPort(addressOf(0), "0"))
	must(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.LocalAddr().String())
	must(t, err)
	say := func(member int, word string) {
		must(t, run("nsenter", "--net=/run/netns/"+spaceOf(member), "bash", "-c",
			fmt.Sprintf("echo -n %s >/dev/udp/%s/%s", word, addressOf(0), port)))
	}
	hear := func(want string) {
		t.Helper()
		b := make([]byte, 100)
		k, _, err := l.ReadFrom(b)
		must(t, err)
		if got := string(b[:k]); got != want {
			t.Fatalf("heard %q, want %q", got, want)
		}
	}
	n.cut(0, 1)
	say(1, "heard")
	hear("heard")
	n.cut(1, 0)
	say(1, "lost")
	say(2, "another")
	hear("another")
	n.heal()
	say(1, "healed")
	hear("healed")
}

// A disk whose device can't write fails at the sync, and has afterwards what was synced before.
func TestDiskFails(t *testing.T) {
	for _, loop := range []bool{false, true} {
		t.Run(fmt.Sprint(loop), func(t *testing.T) {
			d := newDisk(t, loop)
			must(t, os.MkdirAll(d.top(), 0o700))
			before, after := filepath.Join(d.top(), "before"), filepath.Join(d.top(), "after")
			must(t, writeSynced(before, 1<<20))
			d.fill()
			err := writeSynced(after, 64<<20)
			if full, failed := errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EIO); !full && (!loop || !failed) {
				t.Errorf("a write to a full disk: %v", err)
			}
			d.room()
			must(t, writeSynced(after, 1<<20))
			if b, err := os.ReadFile(before); err != nil || len(b) != 1<<20 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		})
	}
}

func writeSynced(path string, size int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(make([]byte, size)); err != nil {
		return err
	}
	return f.Sync()
}
