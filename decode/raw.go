package decode

import (
	"encoding/base64"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
)

// rawDecoder shows payloads as text with escapes, whatever they are, and in JSON always as base64,
// so that a program need not look at two members to get at the bytes.
type rawDecoder struct{ showSecrets bool }

func newRaw(_ string, env Env) (payloadDecoder, error) { return rawDecoder{env.ShowSecrets}, nil }

func (d rawDecoder) payload(r *Request, e *raftpb.Entry) error {
	r.openBytes(e.Data, d.showSecrets)
	r.Op, r.body = OpRaw, rawBody{}
	return nil
}

type rawBody struct{}

func (rawBody) appendSummary(dst []byte, r *Request, s *Style) []byte {
	dst = appendSize(append(dst, "raw "...), len(r.data))
	switch s.Values {
	case ValuesNone:
		return dst
	case ValuesFull:
		return appendWord(append(dst, ' '), r.data, -1)
	}
	return appendWord(append(dst, ' '), r.data, summaryValue)
}

func (rawBody) appendJSON(dst []byte, r *Request, s *Style) []byte {
	dst = appendSizeOf(dst, "raw", r.data)
	switch {
	case s.Values == ValuesNone:
		return dst
	case s.Values == ValuesShort && len(r.data) > jsonValue:
		dst = append(jsontext.AppendName(dst, "raw_prefix_base64"), '"')
		return append(base64.StdEncoding.AppendEncode(dst, r.data[:jsonPrefix]), '"')
	}
	dst = append(jsontext.AppendName(dst, "raw_base64"), '"')
	return append(base64.StdEncoding.AppendEncode(dst, r.data), '"')
}
