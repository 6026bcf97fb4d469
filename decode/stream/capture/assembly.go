package capture

import (
	"encoding/binary"
	"net/netip"
	"sort"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"

	"github.com/raftctl/raftctl/decode/stream"
)

const (
	// MaxConns is how many connections are followed at a time. Beyond them those are forgotten that were still for
	// longest, or all.
	MaxConns = 1 << 14

	pageSize     = 2 << 10 // about what a page of the reassembly takes
	maxWaiting   = 16 << 20 / pageSize
	maxOfOneConn = 8 << 20 / pageSize
)

// assembly puts the bytes of connections in order, and hands them to the decoder.
type assembly struct {
	d      *stream.Decoder
	counts *Counts
	tcp    *reassembly.Assembler
	open   int
	last   *packet
	slab   []packet
	doubt  time.Time // since when an acknowledgement shows that packets are missing
	swept  time.Time
}

// packet is what is known of a packet while bytes of it wait.
type packet struct {
	stream.Seen
	self [1]any // itself, which the reassembly hands back with its bytes
}

// GetCaptureInfo implements reassembly.AssemblerContext.
func (p *packet) GetCaptureInfo() gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: p.Time, AncillaryData: p.self[:]}
}

func newAssembly(d *stream.Decoder, counts *Counts) *assembly {
	a := &assembly{d: d, counts: counts}
	a.tcp = reassembly.NewAssembler(reassembly.NewStreamPool(a))
	a.tcp.MaxBufferedPagesTotal, a.tcp.MaxBufferedPagesPerConnection = maxWaiting, maxOfOneConn
	return a
}

// add takes a segment.
func (a *assembly) add(flow gopacket.Flow, t *layers.TCP, at stream.Seen) {
	if len(a.slab) == 0 {
		a.slab = make([]packet, 256)
	}
	a.last, a.slab = &a.slab[0], a.slab[1:]
	a.last.Seen, a.last.self[0] = at, a.last
	a.tcp.AssembleWithContext(flow, t, a.last)
	a.sweep(at.Time)
}

// sweep gives up waiting for what won't come.
func (a *assembly) sweep(now time.Time) {
	if !a.doubt.IsZero() && now.Sub(a.doubt) >= ackGrace {
		a.tcp.FlushWithOptions(reassembly.FlushOptions{T: a.doubt.Add(1)})
		a.doubt = time.Time{}
	}
	if a.open > MaxConns {
		a.tcp.FlushCloseOlderThan(now)
		if a.open > MaxConns {
			a.tcp.FlushAll()
		}
	}
	if d := now.Sub(a.swept); d >= sweepEvery || d < 0 {
		a.swept = now
		a.tcp.FlushWithOptions(reassembly.FlushOptions{T: now.Add(-holeGrace), TC: now.Add(-idleGrace)})
	}
}

// finish hands on what still waits.
func (a *assembly) finish() { a.tcp.FlushAll() }

// New implements reassembly.StreamFactory.
func (a *assembly) New(net, ports gopacket.Flow, _ *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	a.counts.Conns++
	a.open++
	from := [2]netip.AddrPort{addrPort(net.Src(), ports.Src()), addrPort(net.Dst(), ports.Dst())}
	return &conn{a: a, c: a.d.Open(uint64(a.counts.Conns), from)}
}

func addrPort(addr, port gopacket.Endpoint) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(addr.Raw())
	raw := port.Raw()
	if len(raw) != 2 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(raw))
}

// conn is a connection. It implements reassembly.Stream.
type conn struct {
	a     *assembly
	c     *stream.Conn
	begun [2]bool
	next  [2]reassembly.Sequence // what follows in each direction that has begun
	ended [2]bool
}

func direction(d reassembly.TCPFlowDirection) stream.Direction {
	if d == reassembly.TCPDirClientToServer {
		return 0
	}
	return 1
}

// Accept takes every segment, also of connections whose beginning was not captured.
func (c *conn) Accept( //nolint:revive // the interface has as many arguments
	t *layers.TCP, ci gopacket.CaptureInfo, d reassembly.TCPFlowDirection, next reassembly.Sequence, start *bool,
	_ reassembly.AssemblerContext,
) bool {
	dir := direction(d)
	if next < 0 {
		*start = true
		c.next[dir] = reassembly.Sequence(t.Seq)
		if t.SYN {
			c.next[dir] = c.next[dir].Add(1)
		}
		c.begun[dir] = true
	}
	c.ended[dir] = c.ended[dir] || t.FIN || t.RST
	other := dir.Opposite()
	if t.ACK && c.begun[other] && !c.ended[other] && c.next[other].Difference(reassembly.Sequence(t.Ack)) > 0 {
		if c.a.doubt.IsZero() {
			c.a.doubt = ci.Timestamp
		}
	}
	return true
}

// ReassembledSG takes bytes in their order: of one packet, or of more that waited for one before them.
func (c *conn) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	d, start, end, skip := sg.Info()
	dir := direction(d)
	n, _ := sg.Lengths()
	p := c.packetAt(sg, 0)
	if start {
		c.c.Begins(dir)
	}
	if skip > 0 {
		c.c.Lost(dir, int64(skip), p.Seen)
	}
	c.next[dir] = c.next[dir].Add(max(skip, 0) + n)
	c.a.counts.Bytes += int64(n)
	data := sg.Fetch(n)
	for from := 0; from < n; {
		p = c.packetAt(sg, from)
		to := n
		if c.packetAt(sg, n-1) != p {
			to = from + sort.Search(n-from, func(i int) bool { return c.packetAt(sg, from+i) != p })
		}
		c.c.Data(dir, data[from:to:to], p.Seen)
		from = to
	}
	if end {
		c.c.End(dir, true, p.Seen)
	}
}

// packetAt returns the packet that brought a byte; the last one where there is none.
func (c *conn) packetAt(sg reassembly.ScatterGather, offset int) *packet {
	if info := sg.CaptureInfo(offset); len(info.AncillaryData) > 0 {
		if p, ok := info.AncillaryData[0].(*packet); ok {
			return p
		}
	}
	return c.a.last
}

// ReassemblyComplete ends the connection.
func (c *conn) ReassemblyComplete(reassembly.AssemblerContext) bool {
	for dir := range stream.Direction(2) {
		c.c.End(dir, false, c.a.last.Seen)
	}
	c.a.open--
	return true
}
