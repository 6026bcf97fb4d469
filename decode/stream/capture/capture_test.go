package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// stream60 is a connection over which M1 sends M3 entries 18 to 77, with its packets.
func stream60(tb testing.TB, from, to string) *capturetest.Wire {
	tb.Helper()
	w := &capturetest.Wire{TB: tb, Segment: 100}
	c := w.Dial(from, to)
	c.Request(capturetest.StreamRequest(wire.ChannelAppend, capturetest.M3, capturetest.M1))
	c.Respond([]byte(capturetest.StreamResponse))
	frames, err := capturetest.Frames(wire.ChannelAppend, raftpb.FlavorGogo, wire.Link{From: capturetest.M1, To: capturetest.M3},
		capturetest.Appends(60, 18, "value"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range frames {
		c.Respond(capturetest.Chunk(f))
	}
	c.Close()
	return w
}

const client, server = "10.0.0.3:40000", "10.0.0.1:2380"

// told is what the events of a capture come to.
type told struct {
	entries []uint64 // their indexes
	others  int
	gaps    []string
	err     error
}

func tell(tb testing.TB, data []byte, o capture.Options) (r told) {
	tb.Helper()
	c, err := capture.Open(bytes.NewReader(data), o)
	if err != nil {
		tb.Fatal(err)
	}
	for e, err := range c.Events() {
		if err != nil {
			r.err = err
			break
		}
		switch e.Kind {
		case stream.KindGap:
			r.gaps = append(r.gaps, e.Gap.Reason)
		case stream.KindMessage:
			for _, entry := range e.Message.Entries {
				r.entries = append(r.entries, entry.Index)
			}
		default:
			r.others++
		}
	}
	if err := c.Close(); err != nil {
		tb.Error(err)
	}
	return r
}

func indexes(first, last uint64) (list []uint64) {
	for i := first; i <= last; i++ {
		list = append(list, i)
	}
	return list
}

// wantWhole checks that all of stream60 is told.
func wantWhole(t *testing.T, what string, r told) {
	t.Helper()
	if diff := cmp.Diff(indexes(18, 77), r.entries); diff != "" || len(r.gaps) > 0 || r.others != 2 || r.err != nil {
		t.Errorf("%s: %d others, gaps %q, %v\n%s", what, r.others, r.gaps, r.err, diff)
	}
}

// framing says how the packets of a link begin.
type framing struct {
	link   layers.LinkType
	before func(v4 bool) []byte
}

var framings = map[string]framing{
	"raw":      {layers.LinkTypeRaw, func(bool) []byte { return nil }},
	"raw BSD":  {12, func(bool) []byte { return nil }},
	"ethernet": {layers.LinkTypeEthernet, func(v4 bool) []byte { return append(make([]byte, 12), etherType(v4)...) }},
	"VLAN": {layers.LinkTypeEthernet, func(v4 bool) []byte {
		return append(append(make([]byte, 12), 0x81, 0, 0, 7), etherType(v4)...)
	}},
	"VLAN in VLAN": {layers.LinkTypeEthernet, func(v4 bool) []byte {
		return append(append(make([]byte, 12), 0x88, 0xa8, 0, 9, 0x81, 0, 0, 7), etherType(v4)...)
	}},
	"cooked": {layers.LinkTypeLinuxSLL, func(v4 bool) []byte {
		return append([]byte{0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0}, etherType(v4)...)
	}},
	"cooked 2": {layers.LinkTypeLinuxSLL2, func(v4 bool) []byte {
		return append(etherType(v4), 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0)
	}},
	"loopback of BSD": {layers.LinkTypeNull, func(v4 bool) []byte {
		if v4 {
			return []byte{2, 0, 0, 0}
		}
		return []byte{30, 0, 0, 0}
	}},
	"loopback of OpenBSD": {layers.LinkTypeLoop, func(v4 bool) []byte {
		if v4 {
			return []byte{0, 0, 0, 2}
		}
		return []byte{0, 0, 0, 24}
	}},
}

func etherType(v4 bool) []byte {
	if v4 {
		return []byte{0x08, 0x00}
	}
	return []byte{0x86, 0xdd}
}

// linked returns the capture in a format, with packets as a link has them.
func linked(t *testing.T, w *capturetest.Wire, f framing, ng bool) []byte {
	t.Helper()
	var out bytes.Buffer
	var write func(gopacket.CaptureInfo, []byte) error
	finish := func() error { return nil }
	if ng {
		p, err := pcapgo.NewNgWriter(&out, f.link)
		if err != nil {
			t.Fatal(err)
		}
		write, finish = p.WritePacket, p.Flush
	} else {
		p := pcapgo.NewWriter(&out)
		if err := p.WriteFileHeader(1<<16, f.link); err != nil {
			t.Fatal(err)
		}
		write = p.WritePacket
	}
	for _, packet := range w.Packets {
		b := append(f.before(packet.Data[0]>>4 == 4), packet.Data...)
		if err := write(gopacket.CaptureInfo{Timestamp: packet.At, CaptureLength: len(b), Length: len(b)}, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every link and both formats give the same.
func TestLinks(t *testing.T) {
	for name, f := range framings {
		for _, ng := range []bool{false, true} {
			for _, ends := range [][2]string{{client, server}, {"[2001:db8::3]:40000", "[2001:db8::1]:2380"}} {
				data := linked(t, stream60(t, ends[0], ends[1]), f, ng)
				wantWhole(t, fmt.Sprint(name, ", pcapng ", ng, ", ", ends[0]), tell(t, data, capture.Options{}))
			}
		}
	}
}

func TestCompressed(t *testing.T) {
	plain := stream60(t, client, server).PCAP()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(plain)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, "gzip", tell(t, zipped.Bytes(), capture.Options{}))
	wantWhole(t, "zstd", tell(t, enc.EncodeAll(plain, nil), capture.Options{}))
	cut := enc.EncodeAll(busy(t, 1000), nil)
	if r := tell(t, cut[:len(cut)/2], capture.Options{}); len(r.entries) == 0 || len(r.gaps) == 0 || r.err != nil {
		t.Errorf("cut off: %+v", r)
	}
}

func TestPorts(t *testing.T) {
	data := stream60(t, client, server).PCAP()
	wantWhole(t, "2380", tell(t, data, capture.Options{Ports: []uint16{1, 2380}}))
	if r := tell(t, data, capture.Options{Ports: []uint16{1}}); len(r.entries)+r.others > 0 {
		t.Errorf("of another port: %+v", r)
	}
}

// Packets in another order, twice, and overlapping give the same.
func TestDisorder(t *testing.T) {
	for name, change := range map[string]func(p []capturetest.Packet) []capturetest.Packet{
		"swapped": func(p []capturetest.Packet) []capturetest.Packet {
			for i := 20; i+3 < len(p)-4; i += 7 {
				p[i].Data, p[i+2].Data = p[i+2].Data, p[i].Data
			}
			return p
		},
		"twice": func(p []capturetest.Packet) (out []capturetest.Packet) {
			for _, packet := range p {
				out = append(out, packet, packet)
			}
			return out
		},
		"late": func(p []capturetest.Packet) []capturetest.Packet { // as one that was lost and sent again
			late := p[30]
			return slices.Concat(p[:30], p[31:40], []capturetest.Packet{late}, p[40:])
		},
	} {
		w := stream60(t, client, server)
		w.Packets = change(w.Packets)
		for i := range w.Packets { // within the time that packets are waited for
			w.Packets[i].At = capturetest.Start.Add(time.Duration(i) * 100 * time.Microsecond)
		}
		wantWhole(t, name, tell(t, w.PCAP(), capture.Options{}))
	}
}

// Any packet may be missing: what follows is told soon, and what is told is right.
func TestMissingPackets(t *testing.T) {
	whole := stream60(t, client, server)
	for i := range len(whole.Packets) - 8 {
		w := *whole
		w.Packets = slices.Delete(slices.Clone(whole.Packets), i, i+1)
		r := tell(t, w.PCAP(), capture.Options{})
		if !slices.IsSorted(r.entries) || len(r.entries) < 55 || r.entries[len(r.entries)-1] != 77 {
			t.Errorf("packet %d missing: %v, gaps %q", i, r.entries, r.gaps)
		}
		if len(r.entries) < 60 && len(r.gaps) == 0 {
			t.Errorf("packet %d missing: no gap, but %v", i, r.entries)
		}
	}
}

// What waited for a packet that is missing keeps its own time.
func TestTimesBehindHoles(t *testing.T) {
	w := stream60(t, client, server)
	want := times(t, w.PCAP())
	missing := len(w.Packets) / 2
	for len(w.Packets[missing].Data) < 100 { // an acknowledgement
		missing++
	}
	w.Packets = slices.Delete(w.Packets, missing, missing+1)
	got := times(t, w.PCAP())
	if len(got) < 55 {
		t.Errorf("%d entries", len(got))
	}
	for index, at := range got {
		if !at.Equal(want[index]) {
			t.Errorf("entry %d at %v, want %v", index, at, want[index])
		}
	}
}

// times returns when each entry of a capture was seen.
func times(t *testing.T, data []byte) map[uint64]time.Time {
	t.Helper()
	c, err := capture.Open(bytes.NewReader(data), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	list := map[uint64]time.Time{}
	for e, err := range c.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == stream.KindMessage {
			for _, entry := range e.Message.Entries {
				list[entry.Index] = e.Time
			}
		}
	}
	return list
}

// What the acknowledgements show to be missing isn't waited for.
func TestAcknowledgedIsNotWaitedFor(t *testing.T) {
	w := stream60(t, client, server)
	missing := 40
	for len(w.Packets[missing].Data) < 100 { // an acknowledgement
		missing++
	}
	w.Packets = slices.Delete(w.Packets, missing, missing+1)
	c, err := capture.Open(bytes.NewReader(w.PCAP()), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range c.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != stream.KindGap {
			continue
		}
		if got := c.Counts().Packets; got > int64(missing)+100 {
			t.Errorf("told at packet %d, of packet %d", got, missing)
		}
		return
	}
	t.Error("no gap")
}

// A capture may begin at any packet.
func TestBeginsAnywhere(t *testing.T) {
	whole := stream60(t, client, server)
	for i := range len(whole.Packets) - 40 {
		w := *whole
		w.Packets = whole.Packets[i:]
		r := tell(t, w.PCAP(), capture.Options{})
		if len(r.entries) < 5 || !slices.Equal(r.entries, indexes(r.entries[0], 77)) {
			t.Errorf("from packet %d: %v, %q", i, r.entries, r.gaps)
		}
	}
}

// Every prefix, and every flipped byte of the head and of the first packets: no panic, no hang, no error but a gap.
func TestDamagedCaptures(t *testing.T) {
	w := stream60(t, client, server)
	w.Packets = w.Packets[:9]
	for _, data := range [][]byte{w.PCAP(), linked(t, w, framings["cooked"], true)} {
		for i := 24; i < len(data); i++ {
			b := slices.Clone(data)
			b[i] ^= 0xff
			for _, x := range [][]byte{data[:i], b} {
				c, err := capture.Open(bytes.NewReader(x), capture.Options{})
				if err != nil {
					continue
				}
				for _, err := range c.Events() {
					if err != nil {
						t.Errorf("byte %d: %v", i, err)
					}
				}
			}
		}
	}
}

// What is no capture is an error that says so, and so is a reader that fails.
func TestNoCapture(t *testing.T) {
	for _, b := range []string{"", "abc", "hello, this is none", "\x1f\x8b\x08\x00"} {
		if _, err := capture.Open(strings.NewReader(b), capture.Options{}); err == nil {
			t.Errorf("%q: no error", b)
		}
	}
	broken := errors.New("broken")
	data := stream60(t, client, server).PCAP()
	c, err := capture.Open(io.MultiReader(bytes.NewReader(data[:3000]), iotest.ErrReader(broken)), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range c.Events() {
		last = err
	}
	if !errors.Is(last, broken) {
		t.Errorf("got %v, want %v", last, broken)
	}
}

// Very many connections don't take very much memory.
func TestManyConnections(t *testing.T) {
	w := stream60(t, client, server)
	first, b := w.Packets[0], binary.BigEndian
	for i := range 3 * capture.MaxConns {
		p := slices.Clone(first.Data)
		b.PutUint16(p[20:], uint16(i))
		p[15] = byte(i >> 16)
		w.Packets = append(w.Packets, capturetest.Packet{At: first.At, Data: p})
	}
	c, err := capture.Open(bytes.NewReader(w.PCAP()), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range c.Events() {
		if err != nil || e.Kind == stream.KindGap {
			t.Fatal(e, err)
		}
		n++
	}
	if got := c.Counts(); n != 62 || got.Conns < 3*capture.MaxConns {
		t.Errorf("%d events of %+v", n, got)
	}
}

// FuzzCapture reads anything.
func FuzzCapture(f *testing.F) {
	w := stream60(f, client, server)
	w.Packets = w.Packets[:30]
	f.Add(w.PCAP())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := capture.Open(bytes.NewReader(data), capture.Options{})
		if err != nil {
			return
		}
		n := 0
		for _, err := range c.Events() {
			if n++; err != nil || n > 4*len(data)+10 {
				return
			}
		}
	})
}

// Of packets that were captured in part, as by tcpdump -s, what is there is told.
func TestTruncatedPackets(t *testing.T) {
	for _, f := range []string{"raw", "ethernet", "cooked 2"} {
		w := stream60(t, client, server)
		data := linked(t, w, framings[f], false)
		snap := 120 + len(framings[f].before(true))
		r, err := pcapgo.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		short := pcapgo.NewWriter(&out)
		if err := short.WriteFileHeader(uint32(snap), framings[f].link); err != nil {
			t.Fatal(err)
		}
		for {
			b, ci, err := r.ReadPacketData()
			if errors.Is(err, io.EOF) {
				break
			}
			ci.CaptureLength = min(len(b), snap)
			if err := errors.Join(err, short.WritePacket(ci, b[:ci.CaptureLength])); err != nil {
				t.Fatal(err)
			}
		}
		got := tell(t, out.Bytes(), capture.Options{})
		if !slices.IsSorted(got.entries) || len(got.gaps) == 0 || got.err != nil || slices.ContainsFunc(got.entries, func(i uint64) bool { return i < 18 || i > 77 }) {
			t.Errorf("%s: %+v", f, got)
		}
	}
}
