package rawsocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Socket hears packets, from the head of IP on.
type Socket struct {
	fd       int
	loopback bool // it would hear each packet twice
	closed   atomic.Bool
	control  [64]byte // what the kernel tells of a packet beside it
}

const (
	receiveBuffer = 64 << 20 // what the kernel keeps while we are busy
	wake          = 100 * time.Millisecond
)

// Open returns a socket that hears the packets of an interface, such as lo, from now on: those of TCP from or to one of
// the ports, or all of IP without any. There may be a hundred ports.
func Open(name string, ports ...uint16) (*Socket, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("raw socket: %w", err)
	}
	s := &Socket{fd: fd, loopback: link.Flags&net.FlagLoopback != 0}
	if err := errors.Join(s.pick(ports), s.bind(link.Index)); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return s, nil
}

// pick lets the kernel pass over packets of other ports.
func (s *Socket) pick(ports []uint16) error {
	if len(ports) == 0 {
		return nil
	}
	program, err := bpf.Assemble(filter(ports))
	if err != nil {
		return fmt.Errorf("raw socket: filter: %w", err)
	}
	raw := make([]unix.SockFilter, len(program))
	for i, p := range program {
		raw[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	prog := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]}
	if err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return fmt.Errorf("raw socket: filter: %w", err)
	}
	return nil
}

// bind begins to hear.
func (s *Socket) bind(index int) error {
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer) // as much as there may be
	}
	timeout := unix.NsecToTimeval(int64(wake))
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return fmt.Errorf("raw socket: timeout: %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("raw socket: times: %w", err)
	}
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}); err != nil {
		return fmt.Errorf("raw socket: bind: %w", err)
	}
	return nil
}

// Read waits for a packet of IP, and reads as much of it as fits into buf. The time is when the kernel had the
// packet; of the first few after Open it may be when they were read. The error is net.ErrClosed after Close. It may be called by one goroutine.
func (s *Socket) Read(buf []byte) (n int, at time.Time, err error) {
	for !s.closed.Load() {
		n, told, _, from, err := unix.Recvmsg(s.fd, buf, s.control[:], 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, time.Time{}, fmt.Errorf("raw socket: %w", err)
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if !ok || s.loopback && link.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		return n, stamp(s.control[:told]), nil
	}
	return 0, time.Time{}, net.ErrClosed
}

// stamp returns the time that the kernel tells of a packet, or the time of now if it tells none.
func stamp(control []byte) time.Time {
	for len(control) > 0 {
		head, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			break
		}
		const size = 16 // of two 64-bit numbers: seconds and nanoseconds
		if head.Level == unix.SOL_SOCKET && head.Type == unix.SCM_TIMESTAMPNS && len(data) >= size {
			return time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
		}
		control = rest
	}
	return time.Now()
}

// Dropped returns how many packets the kernel has dropped since the last call, since they were not read in time.
func (s *Socket) Dropped() (n int64, err error) {
	stats, err := unix.GetsockoptTpacketStats(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, fmt.Errorf("raw socket: statistics: %w", err)
	}
	return int64(stats.Drops), nil
}

// Stop lets Read return.
func (s *Socket) Stop() { s.closed.Store(true) }

// Close frees the socket, which nobody may read at that time.
func (s *Socket) Close() error {
	s.Stop()
	return unix.Close(s.fd)
}
