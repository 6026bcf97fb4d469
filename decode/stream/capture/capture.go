package capture

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/tls"
)

// Options says how a capture is read.
type Options struct {
	// Source names the capture in the positions of events.
	Source string
	// Ports are the TCP ports to look at, each of either end; empty: all.
	Ports []uint16
	// Protocol is what connections speak; "" is stream.ProtocolAuto.
	Protocol stream.Protocol
	// Keys are the secrets of TLS; nil: there are none.
	Keys *tls.Keys
}

// Capture is a capture of packets.
type Capture struct {
	o      Options
	file   *file
	counts Counts
}

// Counts says what a capture held.
type Counts struct {
	Packets int64 // all of them
	TCP     int64 // of TCP, at the ports that were asked for
	Conns   int64 // connections
	Bytes   int64 // that they carried, each once however often it was sent
}

// Open opens a capture that r holds, and reads its head. The error says that it is none. Closing it doesn't
// close r.
func Open(r io.Reader, o Options) (*Capture, error) {
	f, err := openFile(r)
	if err != nil {
		return nil, err
	}
	return &Capture{o: o, file: f}, nil
}

// Close frees what was needed to read.
func (c *Capture) Close() error { return c.file.close() }

// Counts returns what was read so far.
func (c *Capture) Counts() Counts { return c.counts }

// Events returns the events of the capture, once. They come in the order in which the packets were captured that
// completed them; what lies behind missing packets may come later than others, with the time of the first packet
// behind them. A capture that is damaged or cut
// off ends with a gap. The error is that of the reader below.
func (c *Capture) Events() stream.Events {
	return func(yield func(*stream.Event, error) bool) {
		d := stream.NewDecoder(func(e *stream.Event) bool { return yield(e, nil) })
		d.UseKeys(c.o.Keys)
		d.UseProtocol(c.o.Protocol)
		a := newAssembly(d, &c.counts)
		last, err := c.run(d, a)
		if d.Stopped() {
			return
		}
		if err != nil && c.file.failed() == nil {
			e := stream.Event{Kind: stream.KindGap, Time: last.Time, Pos: last.Pos,
				Gap: &stream.Gap{Bytes: -1, Reason: damageReason(err)}}
			if !yield(&e, nil) {
				return
			}
		}
		a.finish()
		d.Finish(last)
		if err := c.file.failed(); err != nil && !d.Stopped() {
			yield(nil, err)
		}
	}
}

// run reads the packets. It returns where the last one was, and the error that is no clean end.
func (c *Capture) run(d *stream.Decoder, a *assembly) (last stream.Seen, err error) {
	var p parsers
	for !d.Stopped() {
		off := c.file.offset()
		data, info, link, err := c.file.next()
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			last.Pos = stream.Pos{Source: c.o.Source, Packet: c.counts.Packets + 1, Off: off}
			return last, err
		}
		c.counts.Packets++
		last = stream.Seen{Time: info, Pos: stream.Pos{Source: c.o.Source, Packet: c.counts.Packets, Off: off}}
		t := p.parse(link, data)
		if t == nil || !c.wanted(uint16(t.SrcPort), uint16(t.DstPort)) {
			continue
		}
		c.counts.TCP++
		a.add(p.flow, t, last)
	}
	return last, nil
}

func (c *Capture) wanted(src, dst uint16) bool {
	return len(c.o.Ports) == 0 || slices.Contains(c.o.Ports, src) || slices.Contains(c.o.Ports, dst)
}

func damageReason(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the capture is cut off within a packet"
	}
	return fmt.Sprintf("the capture is damaged here: %v", err)
}

// The times of a capture after which it is looked at what waits.
const (
	ackGrace   = 50 * time.Millisecond // for packets that were captured in another order than they came
	holeGrace  = 5 * time.Second       // for packets that are sent again: members give up a connection after that time
	idleGrace  = time.Minute           // then a connection is forgotten
	sweepEvery = time.Second
)
