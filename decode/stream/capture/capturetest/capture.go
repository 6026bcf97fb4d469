// Package capturetest makes captures of packets for tests: of connections whose bytes a test tells.
package capturetest

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Packet is a packet of a capture.
type Packet struct {
	At   time.Time
	Data []byte // from the head of IP on
}

// Wire is what connections go over. Each packet is captured a millisecond after the one before.
type Wire struct {
	TB      testing.TB
	Packets []Packet
	// Segment is how many bytes a packet carries at most; 0 stands for 1448.
	Segment int
	now     time.Time
}

// Start is when the first packet is captured.
var Start = time.Date(2026, 11, 29, 12, 4, 5, 0, time.UTC)

// Conn is a connection.
type Conn struct {
	w    *Wire
	ends [2]netip.AddrPort
	seq  [2]uint32
	acks bool
}

// Dial opens a connection from one address to another, such as 10.0.0.1:40000, with the packets of its
// beginning.
func (w *Wire) Dial(from, to string) *Conn {
	c := w.Join(from, to)
	c.packet(0, nil, func(t *layers.TCP) { t.SYN, t.ACK = true, false })
	c.seq[0]++
	c.packet(1, nil, func(t *layers.TCP) { t.SYN = true })
	c.seq[1]++
	c.packet(0, nil, nil)
	return c
}

// Join returns a connection that is open already.
func (w *Wire) Join(from, to string) *Conn {
	return &Conn{w: w, ends: [2]netip.AddrPort{netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)},
		seq: [2]uint32{0xffff_f000, 1000}, acks: true} // the first one wraps around soon
}

// Request sends bytes of the one that dialled, Respond those of the other.
func (c *Conn) Request(b []byte) { c.send(0, b) }

// Respond sends bytes of the one that was dialled.
func (c *Conn) Respond(b []byte) { c.send(1, b) }

func (c *Conn) send(dir int, b []byte) {
	size := c.w.Segment
	if size == 0 {
		size = 1448
	}
	for len(b) > 0 {
		n := min(size, len(b))
		c.packet(dir, b[:n], nil)
		c.seq[dir] += uint32(n)
		b = b[n:]
	}
	if c.acks {
		c.packet(1-dir, nil, nil)
	}
}

// Close ends both directions.
func (c *Conn) Close() {
	for dir := range 2 {
		c.packet(dir, nil, func(t *layers.TCP) { t.FIN = true })
		c.seq[dir]++
	}
}

// packet captures a segment.
func (c *Conn) packet(dir int, payload []byte, change func(*layers.TCP)) {
	src, dst := c.ends[dir], c.ends[1-dir]
	t := &layers.TCP{SrcPort: layers.TCPPort(src.Port()), DstPort: layers.TCPPort(dst.Port()),
		Seq: c.seq[dir], Ack: c.seq[1-dir], ACK: true, Window: 65535}
	if change != nil {
		change(t)
	}
	var ip gopacket.SerializableLayer
	if src.Addr().Is4() {
		ip = &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP(src.Addr().AsSlice()), DstIP: net.IP(dst.Addr().AsSlice())}
	} else {
		ip = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: net.IP(src.Addr().AsSlice()), DstIP: net.IP(dst.Addr().AsSlice())}
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, ip, t, gopacket.Payload(payload)); err != nil {
		c.w.TB.Fatal(err)
	}
	if c.w.now.IsZero() {
		c.w.now = Start
	}
	c.w.Packets = append(c.w.Packets, Packet{c.w.now, buf.Bytes()})
	c.w.now = c.w.now.Add(time.Millisecond)
}

// PCAP returns the capture in the format pcap, of raw IP.
func (w *Wire) PCAP() []byte {
	var out bytes.Buffer
	w.WritePCAP(&out)
	return out.Bytes()
}

// WritePCAP writes the capture as PCAP returns it.
func (w *Wire) WritePCAP(out io.Writer) {
	w.TB.Helper()
	p := pcapgo.NewWriterNanos(out)
	if err := p.WriteFileHeader(1<<18, layers.LinkTypeRaw); err != nil {
		w.TB.Fatal(err)
	}
	for _, packet := range w.Packets {
		ci := gopacket.CaptureInfo{Timestamp: packet.At, CaptureLength: len(packet.Data), Length: len(packet.Data)}
		if err := p.WritePacket(ci, packet.Data); err != nil {
			w.TB.Fatal(err)
		}
	}
}
