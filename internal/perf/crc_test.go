package perf

import (
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crcRead checksums the files on all processors, in reads of 128 KiB: what reading a log costs
// when nothing is understood of it.
func crcRead(tb testing.TB, files []string) {
	inParallel(files, func(name string) {
		f, err := os.Open(name)
		if err != nil {
			tb.Error(err)
			return
		}
		defer f.Close()
		buf := make([]byte, 128<<10)
		sum := uint32(0)
		for {
			n, err := f.Read(buf)
			sum = crc32.Update(sum, castagnoli, buf[:n])
			if err == io.EOF {
				return
			}
			if err != nil {
				tb.Error(err)
				return
			}
		}
	})
}

// crcMapped is crcRead over mapped files, which spares the copy out of the page cache.
func crcMapped(tb testing.TB, files []string) {
	inParallel(files, func(name string) {
		f, err := os.Open(name)
		if err != nil {
			tb.Error(err)
			return
		}
		defer f.Close()
		fi, err := f.Stat()
		if err != nil {
			tb.Error(err)
			return
		}
		data, err := unix.Mmap(int(f.Fd()), 0, int(fi.Size()), unix.PROT_READ,
			unix.MAP_SHARED|unix.MAP_POPULATE)
		if err != nil {
			tb.Error(err)
			return
		}
		crc32.Update(0, castagnoli, data)
		if err := unix.Munmap(data); err != nil {
			tb.Error(err)
		}
	})
}

// inParallel calls do for each file, on as many goroutines as there are processors.
func inParallel(files []string, do func(name string)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return
				}
				do(files[i])
			}
		})
	}
	wg.Wait()
}
