package sim

import (
	"bytes"
	"io"
	"net/http"
)

// answer is an answer to a request that no connection carries.
type answer struct {
	request *http.Request
	header  http.Header
	status  int
	body    bytes.Buffer
}

func newAnswer(r *http.Request) *answer {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	return &answer{request: r, header: http.Header{}, status: http.StatusOK}
}

// Header implements [http.ResponseWriter].
func (a *answer) Header() http.Header { return a.header }

// Write implements [http.ResponseWriter].
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) response() *http.Response {
	return &http.Response{
		StatusCode: a.status, Header: a.header, Request: a.request, ContentLength: int64(a.body.Len()),
		Body: io.NopCloser(&a.body), ProtoMajor: 1, ProtoMinor: 1,
	}
}
