package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
)

// jsonDecoder reads payloads that are JSON.
type jsonDecoder struct{ showSecrets bool }

func newJSON(_ string, env Env) (payloadDecoder, error) { return jsonDecoder{env.ShowSecrets}, nil }

var errNotUTF8 = errors.New("not UTF-8")

func (d jsonDecoder) payload(r *Request, e *raftpb.Entry) error {
	data := r.open(e.Data, d.showSecrets)
	if err := checkJSON(data); err != nil {
		r.body = opaque{}
		return &PayloadError{Entry: e.ID(), Reason: "not JSON", Err: err}
	}
	r.Op, r.body = OpJSON, jsonBody{}
	return nil
}

func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errNotUTF8
	}
	if json.Valid(data) {
		return nil
	}
	return json.Unmarshal(data, new(any)) // for its message
}

// jsonBody shows JSON. It is valid, and UTF-8.
type jsonBody struct{}

func (jsonBody) appendSummary(dst []byte, r *Request, s *Style) []byte {
	return appendCompactOf(appendSize(append(dst, "json "...), len(r.data)), r.data, s)
}

func (jsonBody) appendJSON(dst []byte, r *Request, s *Style) []byte {
	if s.Values == ValuesNone || s.Values == ValuesShort && len(r.data) > jsonWhole {
		return appendValueJSON(dst, "json", stored{value: r.data}, s)
	}
	return appendJSONOf(dst, "json", r.data, s)
}

// appendJSONOf appends a member that is valid JSON, without the secrets in it, and one that says so.
func appendJSONOf(dst []byte, name string, text []byte, s *Style) []byte {
	text, hidden := exposeJSON(text, s)
	dst = appendEmbedded(jsontext.AppendName(dst, name), text)
	if hidden {
		dst = appendRedacted(dst, name)
	}
	return dst
}

// appendEmbedded appends valid JSON, compact, with the escapes of package jsontext.
func appendEmbedded(dst, text []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return append(dst, "null"...) // can't be: the caller has checked it
	}
	return jsontext.AppendHarmless(dst, b.Bytes())
}
