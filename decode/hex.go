package decode

import (
	"encoding/hex"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
)

// hexDecoder shows payloads as hex, whatever they are.
type hexDecoder struct{ showSecrets bool }

func newHex(_ string, env Env) (payloadDecoder, error) { return hexDecoder{env.ShowSecrets}, nil }

func (d hexDecoder) payload(r *Request, e *raftpb.Entry) error {
	r.openBytes(e.Data, d.showSecrets)
	r.Op, r.body = OpHex, hexBody{}
	return nil
}

type hexBody struct{}

func (hexBody) appendSummary(dst []byte, r *Request, s *Style) []byte {
	return appendHexOf(dst, r, s)
}

func (hexBody) appendJSON(dst []byte, r *Request, s *Style) []byte {
	dst = appendSizeOf(dst, "hex", r.data)
	switch {
	case s.Values == ValuesNone:
		return dst
	case s.Values == ValuesShort && len(r.data) > jsonValue:
		dst = append(jsontext.AppendName(dst, "hex_prefix"), '"')
		return append(hex.AppendEncode(dst, r.data[:jsonPrefix]), '"')
	}
	return append(hex.AppendEncode(append(jsontext.AppendName(dst, "hex"), '"'), r.data), '"')
}
