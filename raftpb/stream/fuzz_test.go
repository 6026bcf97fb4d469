package stream

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// FuzzAppend holds that what is read from any bytes is read again after it was written, in either
// flavour, and that errors are of the three kinds and lie within the bytes.
func FuzzAppend(f *testing.F) {
	f.Add(docBytes(f))
	f.Add(wholeStreams(f)["append"].bytes)
	f.Add(unhex(f, "010000000000000001000000000000000b0800100318082203666f6f0000000000000007"))
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := readAll(t, openAppend(bytes.NewReader(b)))
		checkDamage(t, err, 0, int64(len(b)))
		for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			got, err := readAll(t, openAppend(bytes.NewReader(appendBytes(t, flavor, want))))
			if diff := cmp.Diff(want, got); err != io.EOF || diff != "" {
				t.Fatalf("%v: %v\n%s", flavor, err, diff)
			}
		}
	})
}

// FuzzMessage holds the same of message streams.
func FuzzMessage(f *testing.F) {
	f.Add(wholeStreams(f)["message"].bytes)
	for _, g := range golden {
		f.Add(unhex(f, g.frame))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := readAll(t, openMessage(bytes.NewReader(b)))
		checkDamage(t, err, 0, int64(len(b)))
		for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			got, err := readAll(t, openMessage(bytes.NewReader(messageBytes(t, flavor, want))))
			if diff := cmp.Diff(want, got); err != io.EOF || diff != "" {
				t.Fatalf("%v: %v\n%s", flavor, err, diff)
			}
		}
	})
}
