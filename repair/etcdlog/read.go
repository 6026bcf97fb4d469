package etcdlog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
)

// Bounds of what is read.
const (
	maxLine   = 64 << 10 // bytes of a line that count
	maxText   = 2 << 10  // bytes of a line that are kept
	pollEvery = 1 << 10  // lines between two looks at the context
)

// Hit is a cause that was found in a log.
type Hit struct {
	Cause *Cause
	First Line
	Last  Line
	N     int // how many lines have it

	// Over says that the server came up after the last of these lines.
	Over bool
}

// Report is what a log says.
type Report struct {
	Hits  []Hit // by the first line of each
	Lines int   // that were read
	Etcd  int   // of them those that have the form of etcd's

	// What the server says of itself when it starts; empty where it doesn't.
	Version, DataDir, WalDir string
}

// Read reads a log to its end. The error is that of the context, or of reading.
func Read(ctx context.Context, r io.Reader) (*Report, error) {
	rep := &reading{at: map[*Cause]int{}}
	in := bufio.NewReaderSize(r, maxLine)
	for {
		text, err := readLine(in)
		if text != "" || err == nil {
			rep.Lines++
			rep.line(parseLine(rep.Lines, text))
		}
		if errors.Is(err, io.EOF) {
			return rep.end(), nil
		}
		if err == nil && rep.Lines%pollEvery == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
}

// readLine returns the next line, or as much of it as counts. The error is that of reading, behind the last
// line io.EOF.
func readLine(in *bufio.Reader) (string, error) {
	b, err := in.ReadSlice('\n')
	text := string(b)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	return text, err
}

// reading is the report on a log while it is read.
type reading struct {
	Report
	at map[*Cause]int // where in Hits a cause is
	up int            // the last line that says that the server serves clients
}

// end returns the report.
func (r *reading) end() *Report {
	for i := range r.Hits {
		r.Hits[i].Over = r.Hits[i].Last.N < r.up
	}
	return &r.Report
}

// serves is what a server says when it has come up.
const serves = "ready to serve client requests"

func (r *reading) line(l Line) {
	if l.etcd {
		r.Etcd++
		r.self(&l)
		if strings.HasSuffix(l.Text, serves) {
			r.up = l.N
		}
	}
	c := causeOf(&l)
	if c == nil {
		return
	}
	l.Text, l.match, l.fields = l.Text[:min(len(l.Text), maxText)], "", nil
	i, ok := r.at[c]
	if !ok {
		i = len(r.Hits)
		r.at[c] = i
		r.Hits = append(r.Hits, Hit{Cause: c, First: l})
	}
	h := &r.Hits[i]
	h.Last, h.N = l, h.N+1
}

// self takes in what the server says of itself.
func (r *reading) self(l *Line) {
	for name, to := range map[string]*string{
		"etcd-version": &r.Version, "data-dir": &r.DataDir, "wal-dir-dedicated": &r.WalDir,
	} {
		if s, ok := l.fields[name].(string); ok && s != "" {
			*to = s
		}
	}
	for prefix, to := range map[string]*string{
		"etcdmain: etcd Version: ": &r.Version, "embed: data dir = ": &r.DataDir,
		"embed: dedicated WAL dir = ": &r.WalDir,
	} {
		if s, ok := strings.CutPrefix(l.Text, prefix); ok {
			*to = s
		}
	}
}
