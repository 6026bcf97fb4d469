package stream

import (
	"bytes"
	"fmt"
	"strconv"
)

// head is the head of a request or of a response, as far as it matters here.
type head struct {
	response     bool
	method, path string
	status       int
	length       int64 // of the body; -1: not told
	chunked      bool
	size         int64 // bytes of the head
	chunk        int64 // size of the chunk at hand

	from, to, cluster uint64
	server            string
	urls              string
}

// request is what a response answers.
type request struct {
	is           bool // there is one
	method, path string
	channel      Channel
	sent         string // what is to be told of the request with its response
	from, to     uint64
}

// methods are what requests begin with.
var methods = []string{"GET /", "POST /", "PUT /", "HEAD /", "DELETE /", "OPTIONS /"}

const protocol = "HTTP/1."

// beginsHead reports whether b begins as a head does.
func beginsHead(b []byte) bool {
	if bytes.HasPrefix(b, []byte(protocol)) {
		return true
	}
	for _, m := range methods {
		if bytes.HasPrefix(b, []byte(m)) {
			return true
		}
	}
	return false
}

// mayBeginHead is beginsHead for bytes that may be too few to tell.
func mayBeginHead(b []byte) bool {
	if bytes.HasPrefix([]byte(protocol), b) {
		return true
	}
	for _, m := range methods {
		if bytes.HasPrefix([]byte(m), b) {
			return true
		}
	}
	return beginsHead(b)
}

// takeHead takes a head, which may come in parts.
func (h *half) takeHead(b []byte) []byte {
	have := len(h.line)
	h.line = append(h.line, b[:min(len(b), maxHead-have)]...)
	if !mayBeginHead(h.line) {
		h.passed += int64(have)
		h.enterSearch()
		return b
	}
	i := bytes.Index(h.line[max(have-3, 0):], []byte("\r\n\r\n"))
	if i < 0 {
		rest := b[len(h.line)-have:]
		if len(h.line) == maxHead {
			h.lose(fmt.Sprintf("a head of more than %d bytes", maxHead))
		}
		return rest
	}
	end := max(have-3, 0) + i + 4
	ok := parseHead(h.line[:end], &h.head)
	h.line = h.line[:0]
	switch {
	case !ok:
		h.lose("a malformed head of HTTP")
	case h.head.response:
		h.setRole(roleServer)
		h.takeResponse()
	default:
		h.setRole(roleClient)
		h.takeRequest()
	}
	return b[end-have:]
}

// parseHead reads a head that ends with an empty line.
func parseHead(b []byte, h *head) bool {
	*h = head{length: -1, size: int64(len(b))}
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	if !h.parseFirst(line) {
		return false
	}
	for len(rest) > 2 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return false
		}
		h.parseField(name, bytes.TrimSpace(value))
	}
	return true
}

// parseFirst reads the first line.
func (h *head) parseFirst(line []byte) bool {
	first, rest, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return false
	}
	second, _, _ := bytes.Cut(rest, []byte(" "))
	if bytes.HasPrefix(first, []byte(protocol)) {
		status, err := strconv.Atoi(string(second))
		h.response, h.status = true, status
		return err == nil && status >= 100 && status < 1000
	}
	h.method = string(first)
	path, _, _ := bytes.Cut(second, []byte("?"))
	h.path = string(path)
	return bytes.Contains(rest, []byte(protocol))
}

// fields are the ones that matter, by their names in lower case.
var fields = map[string]func(h *head, value []byte){
	"content-length":    func(h *head, v []byte) { h.length = parseLength(v) },
	"transfer-encoding": func(h *head, v []byte) { h.chunked = bytes.EqualFold(v, []byte("chunked")) },
	"x-server-from":     func(h *head, v []byte) { h.from = parseID(v) },
	"x-raft-to":         func(h *head, v []byte) { h.to = parseID(v) },
	"x-etcd-cluster-id": func(h *head, v []byte) { h.cluster = parseID(v) },
	"x-server-version":  func(h *head, v []byte) { h.server = string(v[:min(len(v), 64)]) },
	"x-peerurls":        func(h *head, v []byte) { h.urls = string(v[:min(len(v), 1024)]) },
}

func (h *head) parseField(name, value []byte) {
	var lower [24]byte
	if len(name) > len(lower) {
		return
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	if set := fields[string(lower[:len(name)])]; set != nil {
		set(h, value)
	}
}

func parseID(b []byte) uint64 {
	id, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil {
		return 0
	}
	return id
}

func parseLength(b []byte) int64 {
	n, err := strconv.ParseUint(string(b), 10, 62)
	if err != nil {
		return -1
	}
	return int64(n)
}
