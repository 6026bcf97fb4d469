package decode

import (
	"unicode/utf8"

	"github.com/raftctl/raftctl/raftpb"
)

// textDecoder reads payloads that are text.
type textDecoder struct{ showSecrets bool }

func newText(_ string, env Env) (payloadDecoder, error) { return textDecoder{env.ShowSecrets}, nil }

func (d textDecoder) payload(r *Request, e *raftpb.Entry) error {
	data := r.open(e.Data, d.showSecrets)
	if !utf8.Valid(data) {
		r.body = opaque{}
		return &PayloadError{Entry: e.ID(), Reason: "not text", Err: errNotUTF8}
	}
	r.Op, r.body = OpText, textBody{}
	return nil
}

// textBody shows UTF-8.
type textBody struct{}

func (textBody) appendSummary(dst []byte, r *Request, s *Style) []byte {
	return appendValue(append(dst, "text "...), stored{value: r.data}, s)
}

func (textBody) appendJSON(dst []byte, r *Request, s *Style) []byte {
	return appendValueJSON(dst, "text", stored{value: r.data}, s)
}
