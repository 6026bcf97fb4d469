package msgcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/internal/rawsocket"
)

// maxPacket is how much is heard of a packet: more than any has, also where the system joins them.
const maxPacket = 1 << 18

// packets is the source that hears an interface.
type packets struct {
	iface    string
	ports    []uint16
	protocol stream.Protocol
	socket   *rawsocket.Socket
	counts   capture.Counts
}

func (o *recordOptions) hearInterface(*ui.App) (heardSource, error) {
	socket, err := rawsocket.Open(o.iface, portNumbers(o.ports)...)
	if err != nil {
		return nil, fmt.Errorf("--interface %s: %w", ui.Quote(o.iface), err)
	}
	return &packets{iface: o.iface, ports: portNumbers(o.ports), protocol: stream.Protocol(o.protocol), socket: socket}, nil
}

// run has the packets read as the capture that they are.
func (s *packets) run(ctx context.Context, emit func(*stream.Event) bool) error {
	in, out := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := s.read(out)
		_ = out.CloseWithError(err) // always nil
		read <- err
	}()
	defer context.AfterFunc(ctx, s.socket.Stop)()
	err := s.decode(in, emit)
	s.socket.Stop()
	_ = in.Close() // always nil; a write that waits ends
	failed := <-read
	if errors.Is(failed, io.ErrClosedPipe) {
		failed = nil
	}
	return errors.Join(err, failed, s.tellDropped(emit), s.socket.Close())
}

// read writes what is heard as a capture, until the socket is stopped.
func (s *packets) read(to io.Writer) error {
	w := pcapgo.NewWriterNanos(to)
	if err := w.WriteFileHeader(maxPacket, layers.LinkTypeRaw); err != nil {
		return err
	}
	buf := make([]byte, maxPacket)
	for {
		n, at, err := s.socket.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: n, Length: n}, buf[:n]); err != nil {
			return err
		}
	}
}

func (s *packets) decode(in io.Reader, emit func(*stream.Event) bool) error {
	c, err := capture.Open(in, capture.Options{Source: s.iface, Ports: s.ports, Protocol: s.protocol})
	if err != nil {
		return err
	}
	defer func() { s.counts = c.Counts() }()
	for e, err := range c.Events() {
		if err != nil {
			return errors.Join(err, c.Close())
		}
		if !emit(e) {
			break
		}
	}
	return c.Close()
}

// tellDropped records how many packets the system has dropped, since they were not read in time.
func (s *packets) tellDropped(emit func(*stream.Event) bool) error {
	n, err := s.socket.Dropped()
	if err == nil && n > 0 {
		emit(&stream.Event{Kind: stream.KindGap, Gap: &stream.Gap{Bytes: -1, Reason: fmt.Sprintf("the system dropped %d packets", n)}})
	}
	return err
}

func (s *packets) close() error { return s.socket.Close() }

// String names the interface and the ports.
func (s *packets) String() string {
	return fmt.Sprintf("what is said over %s at ports %v", ui.Printable(s.iface), s.ports)
}

func (s *packets) conns() string {
	return fmt.Sprintf(" on %s, of %d packets", counted(s.counts.Conns, "connection"), s.counts.Packets)
}
