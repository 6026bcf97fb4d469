package decode

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// sniffPlain chooses how to show a payload that is not etcd's.
func (r *Request) sniffPlain(data []byte) {
	r.data = data
	switch {
	case mayHoldSecret(data):
		r.Op, r.body = OpUnknown, opaque{}
	case isJSON(data) && utf8.Valid(data) && json.Valid(data):
		r.Op, r.body = OpJSON, jsonBody{}
	case isText(data):
		r.Op, r.body = OpText, textBody{}
	default:
		r.Op, r.body = OpUnknown, opaque{}
	}
}

// opaque shows bytes that nothing is known about, as hex, unless they may be a damaged request
// that holds a secret.
type opaque struct{}

func (opaque) appendSummary(dst []byte, r *Request, s *Style) []byte {
	if withheld(r.data, s) {
		dst = appendSize(append(append(dst, r.Op...), ' '), len(r.data))
		return append(append(dst, ' '), redacted...)
	}
	return appendHexOf(dst, r, s)
}

// appendHexOf appends the operation, the size and, if the style wants values, the bytes.
func appendHexOf(dst []byte, r *Request, s *Style) []byte {
	dst = appendSize(append(append(dst, r.Op...), ' '), len(r.data))
	switch s.Values {
	case ValuesNone:
		return dst
	case ValuesFull:
		return appendHex(append(dst, ' '), r.data, -1)
	}
	return appendHex(append(dst, ' '), r.data, summaryValue)
}

func (opaque) appendJSON(dst []byte, r *Request, s *Style) []byte {
	if withheld(r.data, s) {
		return jsontext.AppendString(jsontext.AppendName(appendSizeOf(dst, "data", r.data), "data"), redacted)
	}
	return appendValueJSON(dst, "data", stored{value: r.data}, s)
}

// appendSizeOf appends the member NAME_size.
func appendSizeOf(dst []byte, name string, data []byte) []byte {
	dst = append(append(append(jsontext.AppendComma(dst), '"'), name...), `_size":`...)
	return strconv.AppendInt(dst, int64(len(data)), 10)
}

// open makes data the payload that is shown. Unless secrets are wanted, those of an etcd request
// are masked in a copy: decoders that don't know etcd's requests can't leave them out.
func (r *Request) open(data []byte, showSecrets bool) []byte {
	if m := requestOf(data); m != nil && !showSecrets {
		return r.openMasked(m, data)
	}
	r.data = data
	return data
}

// openBytes is open for decoders that show bytes as they are: secrets are masked in any payload.
func (r *Request) openBytes(data []byte, showSecrets bool) {
	if r.data = data; !showSecrets {
		r.openMasked(requestOf(data), data)
	}
}

func (r *Request) openMasked(m *message, data []byte) []byte {
	if r.data = data; holdsSecret(m, data) {
		r.scratch = appendMasked(r.scratch[:0], m, data)
		r.data = r.scratch
	}
	return r.data
}
