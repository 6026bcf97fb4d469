package stream

import "fmt"

// half is a direction of a connection, as a machine that takes bytes as they come: HTTP heads, bodies with a
// length, and chunked ones. The bodies go on into a sink.
type half struct {
	conn  *Conn
	dir   Direction
	role  role
	state state
	at    Seen
	first bool // the bytes at hand are the first of a call of Conn.Data

	line   []byte // what there is of a head or of a line, as long as it isn't whole
	head   head   // the last one
	left   int64  // bytes that follow of a body or of a chunk
	sink   sink   // nil: the body is of no interest
	passed int64  // bytes passed over since the last that was told
	held   int    // bytes of memory, as the decoder counts them
}

// role says who sends in a direction.
type role uint8

const (
	roleUnknown role = iota
	roleClient       // who dialled: requests
	roleServer       // who was dialled: responses
)

// state says what comes next.
type state uint8

const (
	inSearch   state = iota // anything: a head or a chunk is looked for
	inHead                  // the head of a request or of a response
	inBody                  // left bytes of a body
	inSize                  // the line with the size of a chunk
	inChunk                 // left bytes of a chunk
	inChunkEnd              // the line break behind it
	inTrailer               // lines behind the last chunk, up to an empty one
	inRest                  // a body that ends with the connection
	inTLS                   // hidden
	inForeign               // nothing that is known, unless a call of Conn.Data begins with a head
)

// sink takes the body of a request or response.
type sink interface {
	// data takes bytes; border tells that they begin, and ends that they end, where a chunk or the body does.
	data(h *half, b []byte, begins, ends bool)
	// lost takes in that n bytes are missing.
	lost(h *half, n int64)
	// held returns how much memory it holds, in bytes.
	held() int
	// end is called behind the last byte of the body, or where the connection ends before it.
	end(h *half, whole bool)
}

const (
	maxHead = 64 << 10 // bytes of a head; Go's servers take up to a megabyte, members need 500 bytes
	maxLine = 4 << 10  // of the line of a chunk's size, or of a trailer
)

// step takes some of b and returns the rest. Invariant: it takes some, or changes the state.
func (h *half) step(b []byte) []byte {
	switch h.state {
	case inHead:
		return h.takeHead(b)
	case inBody:
		return h.takeBody(b)
	case inSize, inChunkEnd, inTrailer:
		return h.takeLine(b)
	case inChunk:
		return h.takeChunk(b)
	case inRest:
		if h.sink != nil {
			h.sink.data(h, b, false, false)
		}
	case inTLS:
		h.takeTLS(b)
	case inForeign:
		if h.first && beginsHead(b) {
			h.state = inHead
			return b
		}
	default:
		return h.search(b)
	}
	return nil
}

// takeBody passes a body of known length on.
func (h *half) takeBody(b []byte) []byte {
	n := min(int64(len(b)), h.left)
	begins := h.left == h.head.length
	h.left -= n
	if h.sink != nil {
		h.sink.data(h, b[:n], begins, h.left == 0)
	}
	if h.left == 0 {
		h.finishBody(true)
	}
	return b[n:]
}

// takeChunk passes a chunk on.
func (h *half) takeChunk(b []byte) []byte {
	n := min(int64(len(b)), h.left)
	begins := h.left == h.head.chunk
	h.left -= n
	if h.sink != nil {
		h.sink.data(h, b[:n], begins, h.left == 0)
	}
	if h.left == 0 {
		h.state = inChunkEnd
	}
	return b[n:]
}

// takeLine takes a line of what is around chunks.
func (h *half) takeLine(b []byte) []byte {
	line, rest, ok := h.cutLine(b)
	if !ok {
		if len(h.line) > maxLine {
			h.lose(fmt.Sprintf("a line of more than %d bytes between chunks", maxLine))
		}
		return rest
	}
	switch h.state {
	case inSize:
		h.takeSize(line)
	case inChunkEnd:
		h.state = inSize
		if len(line) > 0 {
			h.lose(fmt.Sprintf("%q behind a chunk, want a line break", short(line)))
		}
	case inTrailer:
		if len(line) == 0 {
			h.finishBody(true)
		}
	}
	h.line = h.line[:0]
	return rest
}

func (h *half) takeSize(line []byte) {
	n, ok := parseSize(line)
	f, stream := h.sink.(*frames)
	switch {
	case stream && f.skipped > maxSearch && !h.conn.known: // not a member's
		h.end(false)
	case !ok:
		h.lose(fmt.Sprintf("%q, want the size of a chunk", short(line)))
	case n == 0:
		h.state = inTrailer
	default:
		h.state, h.left, h.head.chunk = inChunk, n, n
	}
}

// cutLine returns the line that b completes, without its break, and what follows; ok is false if it completes
// none.
func (h *half) cutLine(b []byte) (line, rest []byte, ok bool) {
	for i, c := range b {
		if c != '\n' {
			continue
		}
		line = b[:i]
		if len(h.line) > 0 {
			h.line = append(h.line, line...)
			line = h.line
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		return line, b[i+1:], true
	}
	h.line = append(h.line, b...)
	return nil, nil, false
}

// finishBody ends a body.
func (h *half) finishBody(whole bool) {
	h.state = inHead
	if s := h.sink; s != nil {
		h.sink = nil
		s.end(h, whole)
	}
}

// lose gives up what the bytes at hand were taken for.
func (h *half) lose(reason string) {
	h.gap(-1, reason)
	h.enterSearch()
}

// enterSearch looks for the next head or chunk, in the streams that the direction may have.
func (h *half) enterSearch() {
	h.line = h.line[:0]
	if h.role == roleClient { // what is answered next isn't known
		h.conn.asked = request{channel: h.conn.asked.channel, from: h.conn.asked.from, to: h.conn.asked.to}
	}
	if f, ok := h.sink.(*frames); ok {
		f.leaveStep()
	} else if h.sink != nil {
		s := h.sink
		h.sink = nil
		s.end(h, false)
	}
	h.state = inSearch
}

// lost takes in that bytes are missing.
func (h *half) lost(n int64) {
	switch h.state {
	case inTLS:
		h.conn.tls.lost(h)
		return
	case inForeign:
		return
	}
	if n >= 0 {
		h.gap(n, fmt.Sprintf("%d bytes were not captured", n))
	} else {
		h.gap(n, "bytes were not captured")
	}
	within := n >= 0 && (h.state == inBody || h.state == inChunk) && n <= h.left
	if !within {
		h.enterSearch()
		return
	}
	h.left -= n
	if h.sink != nil {
		h.sink.lost(h, n)
	}
	switch {
	case h.left > 0:
	case h.state == inChunk:
		h.state = inChunkEnd
	default:
		h.finishBody(false)
	}
}

// end says that nothing follows.
func (h *half) end(whole bool) {
	if s := h.sink; s != nil {
		h.sink = nil
		s.end(h, whole && h.state == inRest)
	}
	if h.state == inTLS {
		h.conn.tls.end(h, whole)
	}
	h.state = inForeign
}

// short returns what an error shows of bytes.
func short(b []byte) []byte { return b[:min(len(b), 32)] }

// parseSize reads the line of a chunk's size.
func parseSize(line []byte) (n int64, ok bool) {
	for i, c := range line {
		digit := unhex(c)
		if digit < 0 {
			return n, i > 0 && (c == ';' || c == ' ' || c == '\t')
		}
		if n = n<<4 | int64(digit); n > maxChunk {
			return 0, false
		}
	}
	return n, len(line) > 0
}

// maxChunk bounds the size of a chunk. Members write chunks of some kilobytes, and at most a whole frame.
const maxChunk = 1 << 40

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
