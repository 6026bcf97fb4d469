package firetest

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"testing"
	"time"
)

// A member's wall clock is set by changing where its program asks for the time: the machine's clock is everybody's, and the namespaces
// of time that Linux has leave the wall clock alone. A Go program on Linux calls clock_gettime of the vDSO through a variable of its runtime.
// It is pointed to code that calls the same function and adds a number of seconds if it is the wall clock that was asked for. The code
// takes the place of a function that only a process calls which crashes.

// clock sets the wall clock of processes of one program on amd64.
type clock struct {
	variable int64 // where the address of clock_gettime lies
	code     int64 // where there is room for code
}

// jump is the code:
//
//	push rdi; push rsi; sub rsp, 8; mov rax, <clock_gettime>; call rax; add rsp, 8; pop rsi; pop rdi
//	test edi, edi; jne end; mov rcx, <seconds>; add [rsi], rcx
//	end: ret
var jump = []byte{
	0x57, 0x56, 0x48, 0x83, 0xec, 0x08, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0,
	0x48, 0x83, 0xc4, 0x08, 0x5e, 0x5f,
	0x85, 0xff, 0x75, 0x0d, 0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0x01, 0x0e,
	0xc3,
}

// Where the addresses lie in jump.
const (
	jumpFunction = 8
	jumpSeconds  = 30
)

func newClock(tb testing.TB, program string) *clock {
	tb.Helper()
	f, err := elf.Open(program)
	must(tb, err)
	defer f.Close()
	all, err := f.Symbols()
	must(tb, err)
	c := new(clock)
	for _, s := range all {
		switch s.Name {
		case "runtime.vdsoClockgettimeSym":
			c.variable = int64(s.Value)
		case "runtime.dumpregs":
			if c.code = int64(s.Value); s.Size < uint64(2*len(jump)+64) {
				tb.Fatalf("runtime.dumpregs has %d bytes", s.Size)
			}
		}
	}
	if c.variable == 0 || c.code == 0 {
		tb.Fatalf("%s has no such symbols", program)
	}
	return c
}

// set makes a process's wall clock go wrong by so much. It waits until the process has begun.
func (c *clock) set(pid int, by time.Duration) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Microsecond) {
		begun, err := c.trySet(pid, by)
		if begun && err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the clock of process %d: %w", pid, err)
		}
	}
}

// trySet is set for a process that may not have begun: it may still be the one that becomes the program.
func (c *clock) trySet(pid int, by time.Duration) (begun bool, err error) {
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer mem.Close()
	var address [8]byte
	if _, err := mem.ReadAt(address[:], c.variable); err != nil {
		return false, err
	}
	at := int64(binary.LittleEndian.Uint64(address[:]))
	if at == 0 {
		return false, nil // the runtime hasn't found the vDSO
	}
	place := c.code + 18 // the seconds are aligned there, and change at once
	if at == place {
		var seconds [8]byte
		binary.LittleEndian.PutUint64(seconds[:], uint64(int64(by/time.Second)))
		_, err := mem.WriteAt(seconds[:], place+jumpSeconds)
		return true, err
	}
	code := append([]byte(nil), jump...)
	copy(code[jumpFunction:], address[:])
	binary.LittleEndian.PutUint64(code[jumpSeconds:], uint64(int64(by/time.Second)))
	if _, err := mem.WriteAt(code, place); err != nil {
		return true, err
	}
	binary.LittleEndian.PutUint64(address[:], uint64(place))
	_, err = mem.WriteAt(address[:], c.variable)
	return true, err
}
