package raftpb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	ref "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// addSeeds adds encodings of every type, by the index that the type has in kinds.
func addSeeds(f *testing.F) {
	for i, k := range kinds {
		g := generator(k.name)
		for range 10 {
			x := k.random(g)
			f.Add(uint8(i), x.Marshal(FlavorGogo))
			f.Add(uint8(i), x.Marshal(FlavorPbgo))
		}
	}
	f.Add(uint8(0), []byte{0x22, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01})
	f.Add(uint8(5), bytes.Repeat([]byte{0x72, 0x00}, 100))
	f.Add(uint8(5), []byte{0x08, 0x03, 0x4a, 0x0a, 0x12, 0x08, 0x0a, 0x02, 0x28, 0x00, 0x10, 0x00})
}

// FuzzDecode holds that any bytes mean to us what they mean to the reference, aliasing or not, and
// that what is allocated for them is in proportion to them.
func FuzzDecode(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		k := kinds[int(i)%len(kinds)]
		if err := agree(k, b); err != nil {
			t.Fatal(err)
		}
		own, alias := k.ours(), k.ours()
		input := bytes.Clone(b)
		errOwn, errAlias := own.Unmarshal(input), alias.UnmarshalAlias(b)
		clear(input) // own must not see it
		if fmt.Sprint(errOwn) != fmt.Sprint(errAlias) {
			t.Fatalf("error %v, aliasing %v", errOwn, errAlias)
		}
		if diff := diff(own, alias); diff != "" {
			t.Fatalf("-own +alias:\n%s", diff)
		}
		if got, limit := footprint(own), 256*len(b); got > limit {
			t.Fatalf("%d bytes decode into %d, want at most %d", len(b), got, limit)
		}
	})
}

// footprint returns about how many bytes the lists of x occupy, used or not.
func footprint(x codec) int {
	switch x := x.(type) {
	case *ConfState:
		return 8 * (cap(x.Voters) + cap(x.Learners) + cap(x.VotersOutgoing) + cap(x.LearnersNext))
	case *ConfChangeV2:
		return cap(x.Changes) * int(unsafe.Sizeof(ConfChangeSingle{}))
	case *Message:
		n := cap(x.Entries) * int(unsafe.Sizeof(Entry{}))
		if x.Snapshot != nil {
			n += footprint(&x.Snapshot.Metadata.ConfState)
		}
		for i := range x.Responses {
			n += footprint(&x.Responses[i])
		}
		return n + cap(x.Responses)*int(unsafe.Sizeof(Message{}))
	}
	return 0
}

// FuzzRecode holds that encoding what was decoded gives, in either flavour, the bytes that the
// reference gives, and that these decode to the same again.
func FuzzRecode(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		k := kinds[int(i)%len(kinds)]
		x := k.ours()
		if x.UnmarshalAlias(b) != nil {
			return
		}
		for _, flavor := range []Flavor{FlavorGogo, FlavorPbgo} {
			checkEncoding(t, x, flavor)
			again := k.ours()
			if err := again.Unmarshal(x.Marshal(flavor)); err != nil {
				t.Fatal(err)
			}
			if diff := diff(x, again); diff != "" {
				t.Fatalf("%v: -want +got:\n%s", flavor, diff)
			}
		}
	})
}

// FuzzValues holds the same of random values, which any two numbers stand for.
func FuzzValues(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, hi, lo uint64) {
		g := rand.New(rand.NewPCG(hi, lo))
		for _, k := range kinds {
			want := k.random(g)
			for _, flavor := range []Flavor{FlavorGogo, FlavorPbgo} {
				checkEncoding(t, want, flavor)
				got := k.random(g)
				if err := got.Unmarshal(want.Marshal(flavor)); err != nil {
					t.Fatal(err)
				}
				if diff := diff(want, got); diff != "" {
					t.Fatalf("%v: -want +got:\n%s", flavor, diff)
				}
			}
		}
	})
}

// FuzzReuse holds that decoding into a message that holds another leaves nothing of the other.
func FuzzReuse(f *testing.F) {
	g := generator("reuse")
	for range 10 {
		a, b := randomMessage(g, 1), randomMessage(g, 1)
		f.Add(a.Marshal(FlavorGogo), b.Marshal(FlavorPbgo))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var reused, fresh Message
		if reused.UnmarshalReuse(a) != nil {
			return
		}
		err, wantErr := reused.UnmarshalReuse(b), fresh.UnmarshalAlias(b)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if len(fresh.Entries) == 0 {
			reused.Entries = slices.Clip(fresh.Entries) // an empty list is as good as none
		}
		if diff := diff(fresh, reused); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}

// FuzzDescribe holds that any message that decodes can be described.
func FuzzDescribe(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, _ uint8, b []byte) {
		var m Message
		if m.UnmarshalAlias(b) != nil {
			return
		}
		if DescribeMessage(m, nil) == "" {
			t.Fatal("no description")
		}
	})
}

// FuzzConfChanges holds that the text form of changes is read as the reference reads it, and is
// written back as it was but for blanks and leading zeros.
func FuzzConfChanges(f *testing.F) {
	f.Add("v1 l2 r3 u4")
	f.Add(" v007 ")
	f.Add("x")
	f.Fuzz(func(t *testing.T, s string) {
		changes, err := ConfChangesFromString(s)
		if err != nil {
			return
		}
		text := ConfChangesToString(changes)
		again, err := ConfChangesFromString(text)
		if err != nil {
			t.Fatalf("%q, from %q: %v", text, s, err)
		}
		if diff := diff(changes, again); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		theirs, err := ref.ConfChangesFromString(text)
		if err != nil {
			t.Fatalf("reference: %q: %v", text, err)
		}
		want := refConfChangeV2(&ConfChangeV2{Changes: changes}, FlavorGogo).Changes
		same := func(a, b *ref.ConfChangeSingle) bool { return proto.Equal(a, b) }
		if !slices.EqualFunc(want, theirs, same) {
			t.Fatalf("reference reads %v from %q, want %v", theirs, text, want)
		}
	})
}
