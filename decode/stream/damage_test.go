package stream_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// side is what a test sends over a stream, a chunk a frame, and what is said of it.
type side struct {
	channel wire.Channel
	head    []byte
	frames  [][]byte // each as a chunk
	want    []string
}

func sides(t testing.TB, f raftpb.Flavor) []side {
	t.Helper()
	var all []side
	for _, c := range []wire.Channel{wire.ChannelAppend, wire.ChannelMessage} {
		make := appendStream
		if c == wire.ChannelMessage {
			make = messageStream
		}
		frames, want := make(t, f)
		s := side{channel: c, head: []byte(capturetest.StreamResponse)}
		for range 2 { // the second time after what may get lost
			s.want = append(s.want, want...)
			for _, frame := range frames {
				s.frames = append(s.frames, capturetest.Chunk(frame))
			}
		}
		all = append(all, s)
	}
	return all
}

// isPart reports whether a line is one of those wanted, or what is known of it without the frames before.
func isPart(line string, want []string) bool {
	if slices.Contains(want, line) {
		return true
	}
	for _, w := range want { // a commit index, of a stream whose state isn't known
		if at := strings.Index(w, " MsgApp "); at > 0 && strings.Count(w, ":") == 0 {
			if i := strings.LastIndex(w, " c"); line == w[:at]+" MsgApp 0/0"+w[i:] {
				return true
			}
		}
	}
	return false
}

// Bytes may be missing anywhere: what is told of the others is right, and in the end all is told again.
func TestLost(t *testing.T) {
	for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		for _, s := range sides(t, f) {
			body := slices.Concat(s.frames...)
			half := len(body) / 2
			for lo := 0; lo < half; lo += 3 {
				for _, n := range []int{1, 20, 60, 150} {
					testLost(t, &s, body, lo, min(lo+n, half))
				}
			}
		}
	}
}

func testLost(t *testing.T, s *side, body []byte, lo, hi int) {
	t.Helper()
	for _, told := range []int64{int64(hi - lo), -1} {
		r := newRig()
		c := r.open()
		ask, _, begin := opening(s.channel)
		feed(c, 0, ask, 1<<20)
		feed(c, 1, slices.Concat(s.head, body[:lo]), 1<<20)
		c.Lost(1, told, stream.Seen{})
		feed(c, 1, body[hi:], 1<<20)
		gaps := 0
		for _, line := range r.lines[len(begin):] {
			if strings.Contains(line, " gap ") {
				gaps++
			} else if !isPart(line, s.want) {
				t.Errorf("%d to %d lost: %s", lo, hi, line)
			}
		}
		last := s.want[len(s.want)-3:]
		if got := r.lines[max(len(r.lines)-3, 0):]; !slices.Equal(got, last) || gaps == 0 {
			t.Errorf("%s, %d to %d lost (%d): the end is\n%s\nwant\n%s\nwith %d gaps", s.channel, lo, hi, told,
				strings.Join(got, "\n"), strings.Join(last, "\n"), gaps)
		}
	}
}

// A stream can be joined at any byte, also in the midst of a chunk, without its request.
func TestJoin(t *testing.T) {
	for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		for _, s := range sides(t, f) {
			body := slices.Concat(s.frames...)
			for at := range len(body) / 2 {
				r := newRig()
				feed(r.join(), 1, body[at:], 1<<20)
				for _, line := range r.lines {
					if !strings.Contains(line, " gap ") && !strings.Contains(line, "0>") && !isPart(line, s.want) {
						t.Errorf("%s from %d: %s", s.channel, at, line)
					}
				}
				last := s.want[len(s.want)-1]
				if n := len(r.lines); n == 0 || !strings.HasSuffix(r.lines[n-1], last[strings.Index(last, " "):]) {
					t.Errorf("%s from %d: the end is %q, want %q", s.channel, at, r.lines[max(n-1, 0):], last)
				}
			}
		}
	}
}

// A member that was joined in the midst is known by what it says, and by where it listens.
func TestJoinLearnsMembers(t *testing.T) {
	frames, _ := messageStream(t, raftpb.FlavorGogo)
	appends, _ := appendStream(t, raftpb.FlavorGogo)
	r := newRig()
	feed(r.join(), 1, capturetest.Chunk(slices.Concat(frames...)), 1<<20)
	feed(r.join(), 1, capturetest.Chunk(appends[1]), 1<<20)
	last := r.lines[len(r.lines)-1]
	if want := "8e9e05c52164694d>0 msgapp 56 MsgApp 4/18 c17 19 (term 4):23"; last != want {
		t.Errorf("got %s, want %s", last, want)
	}
}

// No byte that is wrong, and no end, makes more of a stream than it was.
func TestFlippedBytesAndPrefixes(t *testing.T) {
	for _, s := range sides(t, raftpb.FlavorGogo) {
		whole := slices.Concat(s.head, slices.Concat(s.frames...))
		ask, _, _ := opening(s.channel)
		for at := range whole {
			for _, flip := range []byte{0x01, 0x80} {
				b := slices.Clone(whole)
				b[at] ^= flip
				for _, c := range [][]byte{b, whole[:at]} {
					r := newRig()
					conn := r.open()
					feed(conn, 0, ask, 1<<20)
					feed(conn, 1, c, 97)
					conn.End(1, true, stream.Seen{})
					if len(r.lines) > 2*len(s.want)+10 {
						t.Fatalf("byte %d: %d events", at, len(r.lines))
					}
				}
			}
		}
		for at := range ask {
			b := slices.Clone(ask)
			b[at] ^= 0x20
			r := newRig()
			conn := r.open()
			feed(conn, 0, b, 1<<20)
			feed(conn, 1, whole, 1<<20)
		}
	}
}

// A frame that claims to be long takes no memory, and the stream goes on behind it.
func TestHostileLengths(t *testing.T) {
	frames, want := messageStream(t, raftpb.FlavorGogo)
	for name, b := range map[string][]byte{
		"frame":   {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"message": {0, 0, 0, 0, 0, 0, 0, 4, 0x3a, 0xff, 0xff, 0x7f},
	} {
		r := newRig()
		c := r.open()
		ask, say, begin := opening(wire.ChannelMessage)
		feed(c, 0, ask, 1<<20)
		feed(c, 1, slices.Concat(say, capturetest.Chunk(b), capturetest.Chunk(slices.Concat(frames...))), 1<<20)
		if got := r.lines[max(len(r.lines)-len(want), 0):]; !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, r.lines[len(begin):])
		}
	}
	r := newRig()
	c := r.open()
	feed(c, 0, fmt.Appendf(nil, "POST /raft HTTP/1.1\r\nX-Server-From: a3\r\nContent-Length: %d\r\n\r\nabc", uint64(1)<<61), 1<<20)
	feed(c, 0, make([]byte, 1<<20), 1<<20)
	c.End(0, true, stream.Seen{})
	r.want(t, "pipeline", "a3>0 pipeline 1048579 gap 1048579 the rest of the message was not seen")
}

// FuzzDecoder feeds a connection with what a fuzzer makes of one, in pieces, with parts missing.
func FuzzDecoder(f *testing.F) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		for _, s := range sides(f, flavor) {
			ask, say, _ := opening(s.channel)
			f.Add(ask, slices.Concat(say, slices.Concat(s.frames...)), uint16(50), uint16(300))
			f.Add([]byte(nil), slices.Concat(s.frames...), uint16(1000), uint16(3))
		}
	}
	f.Add(post("/raft", []byte{8, 4}, ""), []byte("HTTP/1.1 204 No Content\r\n\r\n"), uint16(1), uint16(1))
	f.Fuzz(func(t *testing.T, ask, say []byte, piece, lost uint16) {
		for _, begins := range []bool{true, false} {
			events := 0
			d := stream.NewDecoder(func(e *stream.Event) bool {
				if e.Kind == stream.KindMessage && e.Message == nil || e.Kind == stream.KindExchange && e.Exchange == nil || e.Kind == stream.KindGap && e.Gap == nil {
					t.Fatalf("event without what it is about: %+v", e)
				}
				events++
				return events < 1<<16
			})
			c := d.Open(1, from)
			if begins {
				c.Begins(0)
				c.Begins(1)
			}
			feed(c, 0, ask, int(piece)+1)
			cut := min(len(say), int(lost))
			feed(c, 1, say[:cut], int(piece)+1)
			c.Lost(1, int64(piece%7)-1, stream.Seen{})
			feed(c, 1, say[cut:], int(piece)+1)
			c.End(0, true, stream.Seen{})
			c.End(1, true, stream.Seen{})
			d.Finish(stream.Seen{})
			if most := 2*(len(ask)+len(say)) + 10; events > most {
				t.Errorf("%d events of %d bytes", events, len(ask)+len(say))
			}
		}
	})
}

// Many long messages that never end take no more memory than there may be, and the others are told all the same.
func TestHeldIsBounded(t *testing.T) {
	r := newRig()
	ask, say, begin := opening(wire.ChannelMessage)
	long := append([]byte{0, 0, 0, 0, 2, 0, 0, 0}, make([]byte, 8<<20)...) // of 32 MiB
	for range 40 {
		c := r.open()
		feed(c, 0, ask, 1<<20)
		feed(c, 1, slices.Concat(say, capturetest.Chunk(long)), 1<<20)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 2*stream.MaxHeld {
		t.Errorf("%d MiB in use", m.HeapAlloc>>20)
	}
	frames, want := messageStream(t, raftpb.FlavorGogo)
	r.lines = nil
	c := r.open()
	feed(c, 0, ask, 1<<20)
	feed(c, 1, slices.Concat(say, capturetest.Chunk(slices.Concat(frames...))), 1<<20)
	r.want(t, "another one", append(begin, want...)...)
}
