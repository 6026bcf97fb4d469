package stream

import "bytes"

const (
	// maxSearch is how much is looked at of a connection that isn't known to be one between members before it is
	// taken for another.
	maxSearch = 1 << 20

	// maxSearchChunk is the largest chunk at which a search ends.
	maxSearchChunk = 1 << 24
)

// search looks for where bytes can be told again: at a head, which begins a packet, or at a chunk.
func (h *half) search(b []byte) []byte {
	if h.first {
		switch {
		case beginsHead(b):
			h.tellPassed()
			h.state = inHead
			return b
		case !h.conn.known && beginsTLS(b):
			h.enterTLS()
			return b
		}
	}
	if at := findChunk(b, h.first); at >= 0 {
		h.passed += int64(at)
		return h.enterChunks(b[at:])
	}
	h.passed += int64(len(b))
	if !h.conn.known && h.passed > maxSearch {
		h.end(false)
	}
	return nil
}

// findChunk returns where a chunk begins in b, or -1: behind a line break, or at the beginning of a packet. One
// that can be seen to its end is preferred to one that can't, as digits before a line break are common.
func findChunk(b []byte, first bool) int {
	likely := -1
	for at := 0; at < len(b); {
		if at > 0 || first {
			switch looksLikeChunk(b[at:]) {
			case yes:
				return at
			case maybe:
				if likely < 0 {
					likely = at
				}
			}
		}
		i := bytes.Index(b[at:], []byte("\r\n"))
		if i < 0 {
			break
		}
		at += i + 2
	}
	return likely
}

// looksLikeChunk judges whether b begins with a chunk. Maybe is one whose end can't be seen.
func looksLikeChunk(b []byte) verdict {
	i := bytes.IndexByte(b[:min(len(b), 10)], '\r')
	if i < 1 || len(b) < i+2 || b[i+1] != '\n' {
		return no
	}
	n, ok := parseSize(b[:i])
	if !ok || n == 0 || n > maxSearchChunk {
		return no
	}
	if end := i + 2 + int(n); len(b) >= end+2 {
		return yesIf(b[end] == '\r' && b[end+1] == '\n')
	}
	return maybe
}

// enterChunks goes on at a chunk, of the body that was lost or of one that began before anything was seen.
func (h *half) enterChunks(b []byte) []byte {
	h.state = inSize
	if h.role == roleClient { // a snapshot, of which there is nothing to tell
		h.tellPassed()
		return b
	}
	f, ok := h.sink.(*frames)
	if !ok {
		f = newFrames("", Link{})
		f.leaveStep()
		h.sink = f
	}
	f.skipped += h.passed
	h.passed = 0
	return b
}

// tellPassed tells what was passed over.
func (h *half) tellPassed() {
	if h.passed > 0 {
		h.gap(h.passed, passedReason)
	}
	h.passed = 0
}

const passedReason = "no message begins there"
