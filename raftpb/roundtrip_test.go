package raftpb

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
)

// generator returns a source of random values that is the same in every run of the test.
func generator(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

func TestEncodesAsReference(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		g := generator(k.name)
		for range 2000 {
			x := k.random(g)
			checkEncoding(t, x, FlavorGogo)
			checkEncoding(t, x, FlavorPbgo)
			if t.Failed() {
				t.Fatalf("value %+v", x)
			}
		}
	})
}

// checkEncoding compares all ways to encode x with the reference's.
func checkEncoding(t *testing.T, x codec, f Flavor) {
	t.Helper()
	want, err := proto.Marshal(toRef(x, f))
	if err != nil {
		t.Fatal(err)
	}
	if got := x.Marshal(f); !bytes.Equal(got, want) {
		t.Errorf("%v: encoded\n%x, want\n%x", f, got, want)
	}
	if got := x.Size(f); got != len(want) {
		t.Errorf("%v: size %d, want %d", f, got, len(want))
	}
	if got := x.AppendTo([]byte("before"), f); !bytes.Equal(got, append([]byte("before"), want...)) {
		t.Errorf("%v: appended %x, want %x", f, got, want)
	}
}

func TestDecodesWhatItEncodes(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		g := generator(k.name)
		for range 2000 {
			want := k.random(g)
			for _, f := range []Flavor{FlavorGogo, FlavorPbgo} {
				b := want.Marshal(f)
				got, alias := k.random(g), k.random(g) // what they hold before must not matter
				if err := got.Unmarshal(b); err != nil {
					t.Fatalf("%x: %v", b, err)
				}
				if err := alias.UnmarshalAlias(b); err != nil {
					t.Fatalf("%x: %v", b, err)
				}
				if diff := diff(want, alias); diff != "" {
					t.Fatalf("alias, -want +got:\n%s", diff)
				}
				clear(b)
				if diff := diff(want, got); diff != "" {
					t.Fatalf("-want +got after the input was overwritten:\n%s", diff)
				}
			}
		}
	})
}

func TestDecodesShuffledFields(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		g := generator(k.name)
		for range 500 {
			b := shuffleFields(g, k.random(g).Marshal(FlavorGogo))
			if err := agree(k, b); err != nil {
				t.Fatalf("%x: %v", b, err)
			}
		}
	})
}
