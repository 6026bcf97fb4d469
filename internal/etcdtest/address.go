package etcdtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// given are the ports that FreeAddr has returned, with what reserves them as long as the process lives. It leaves
// no file behind: tests look for some.
var given sync.Map

// FreeAddr returns a loopback address that nothing listens on, and that no other test is given, in whatever
// process. Its port is none of those that the system gives to connections: one of these might take it before it
// is used. Nor is it one of those that etcd's own suite of tests uses, from 20000 on.
func FreeAddr(tb testing.TB) string {
	tb.Helper()
	const first, ports, attempts = 21_000, 11_000, 1000
	for range attempts {
		port := first + rand.IntN(ports)
		if !reserve(port) {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue // somebody listens there
		}
		if err := l.Close(); err != nil {
			tb.Fatal(err)
		}
		return addr
	}
	tb.Fatal("no free address")
	return ""
}

// reserve takes a port for this process, unless it or another one has it.
func reserve(port int) bool {
	l, err := net.Listen("unix", fmt.Sprintf("@raftctl-test-port-%d", port)) // "@": in the system's memory
	if err != nil {
		return false
	}
	given.Store(port, l)
	return true
}
