//go:build !linux

package etcdtest

import "syscall"

// Pause stops the server in the middle of what it does, as a machine that hangs: its connections stay
// open, and nothing answers. It can still be killed.
func (s *Server) Pause() {
	s.tb.Helper()
	s.signal(syscall.SIGSTOP)
}
