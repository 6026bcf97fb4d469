package etcdtest

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Pause stops the server in the middle of what it does, as a machine that hangs: its connections stay
// open, and nothing answers. It can still be killed. Once Pause has returned, no thread of it runs: a
// signal that is only sent lets a busy server answer for a while.
func (s *Server) Pause() {
	s.tb.Helper()
	s.signal(syscall.SIGSTOP)
	if err := unix.Waitid(unix.P_PID, s.cmd.Process.Pid, nil, unix.WSTOPPED, nil); err != nil {
		s.tb.Fatal(err)
	}
}
