package raftpb

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// agree decodes b with us and the reference and returns how they differ, if they do. It allows the
// two differences that doc.go names: a known field of the wrong wire type is an error for us, and
// the reference takes it for an unknown field; and responses may nest more deeply there.
func agree(k kind, b []byte) error {
	ours, theirs := k.ours(), k.ref()
	err, refErr := ours.Unmarshal(b), proto.Unmarshal(b, theirs)
	var decodeErr *DecodeError
	switch {
	case err == nil && refErr == nil:
		if diff := diff(fromRef(theirs), ours); diff != "" {
			return fmt.Errorf("decoded, -reference +ours:\n%s", diff)
		}
		return nil
	case err == nil:
		return fmt.Errorf("decoded %+v, reference says %w", ours, refErr)
	case !errors.As(err, &decodeErr):
		return fmt.Errorf("error %T %w, want a *DecodeError", err, err)
	case decodeErr.Off < 0 || decodeErr.Off >= len(b):
		return fmt.Errorf("offset %d is not in [0, %d): %w", decodeErr.Off, len(b), err)
	case refErr == nil && !stricter(decodeErr):
		return fmt.Errorf("reference decoded %v, we say %w", theirs, err)
	}
	return nil
}

func stricter(err *DecodeError) bool {
	var wire wireTypeError
	var depth depthError
	return errors.As(err, &wire) || errors.As(err, &depth)
}

// diff is cmp.Diff, called only where something differs: it is a hundred times slower than
// finding that out.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

// shuffleFields reorders the fields of an encoded message.
func shuffleFields(g *rand.Rand, b []byte) []byte {
	var fields [][]byte
	for len(b) > 0 {
		_, _, n := protowire.ConsumeField(b)
		fields = append(fields, b[:n])
		b = b[n:]
	}
	g.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	var out []byte
	for _, f := range fields {
		out = append(out, f...)
	}
	return out
}
