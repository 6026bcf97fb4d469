package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/raftctl/raftctl/internal/archive"
)

// The numbers that files begin with.
const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
	magicNG           = 0x0a0d0d0a // the type of a section header, the same from either end
)

// HeadSize is how many bytes of a file Is wants to see.
const HeadSize = 4

// Is reports whether a file that begins with head is a capture, not compressed.
func Is(head []byte) bool {
	if len(head) < HeadSize {
		return false
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(head) {
		case magicMicroseconds, magicNanoseconds, magicNG:
			return true
		}
	}
	return false
}

// file reads the packets of a capture.
type file struct {
	unpacked io.ReadCloser
	from     *counter
	buf      *bufio.Reader
	packets  packets
	link     layers.LinkType // of all packets; mixed tells it for each
	mixed    bool
}

// packets is what both formats have in common.
type packets interface {
	ZeroCopyReadPacketData() (data []byte, ci gopacket.CaptureInfo, err error)
}

// bufferSize is how much of a file is read at once.
const bufferSize = 256 << 10

// ErrNoCapture is returned by Open when a source is no capture in pcap or pcapng.
var ErrNoCapture = errors.New("no capture of packets")

func openFile(r io.Reader) (*file, error) {
	unpacked, err := archive.Unpack(r)
	if err != nil {
		return nil, err
	}
	f := &file{unpacked: unpacked, from: &counter{r: unpacked}}
	f.buf = bufio.NewReaderSize(f.from, bufferSize)
	head, err := f.buf.Peek(HeadSize)
	switch {
	case f.failed() != nil:
		err = f.failed()
	case len(head) == 0:
		err = fmt.Errorf("%w: the file is empty", ErrNoCapture)
	case err != nil:
		err = fmt.Errorf("%w: the file has %d bytes", ErrNoCapture, len(head))
	case !Is(head):
		err = fmt.Errorf("%w: the file begins with %x", ErrNoCapture, head)
	case binary.LittleEndian.Uint32(head) == magicNG:
		err = f.openNG()
	default:
		err = f.openPlain()
	}
	if err != nil {
		return nil, errors.Join(err, unpacked.Close())
	}
	return f, nil
}

func (f *file) openPlain() error {
	p, err := pcapgo.NewReader(f.buf)
	if err != nil {
		return fmt.Errorf("head of the capture: %w", err)
	}
	f.packets, f.link = p, p.LinkType()&linkMask
	return nil
}

// linkMask leaves out what the field of the link type says of checksums.
const linkMask = 0x0fff

func (f *file) openNG() error {
	p, err := pcapgo.NewNgReader(f.buf, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err != nil {
		return fmt.Errorf("head of the capture: %w", err)
	}
	f.packets, f.mixed = p, true
	return nil
}

// next returns the next packet, which is valid until the one after it is read.
func (f *file) next() (data []byte, at time.Time, link layers.LinkType, err error) {
	data, ci, err := f.packets.ZeroCopyReadPacketData()
	if err != nil {
		return nil, time.Time{}, 0, err
	}
	link = f.link
	if f.mixed && len(ci.AncillaryData) > 0 {
		link, _ = ci.AncillaryData[0].(layers.LinkType)
	}
	return data, ci.Timestamp, link, nil
}

// offset returns where the next packet begins, unpacked, or what lies right before it.
func (f *file) offset() int64 { return f.from.n - int64(f.buf.Buffered()) }

// failed returns the error of reading, but for one that says that the file ends.
func (f *file) failed() error { return f.from.err }

func (f *file) close() error { return f.unpacked.Close() }

// counter counts the bytes that were read, and remembers the first error that is no end.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	if err != nil && c.err == nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		c.err = err
	}
	return n, err
}
