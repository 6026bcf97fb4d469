package raftpb_test

import (
	"fmt"
	"log"

	"github.com/raftctl/raftctl/raftpb"
)

// An entry in both of etcd's encodings.
func Example() {
	entry := raftpb.Entry{Term: 3, Index: 7, Data: []byte("foo")}
	for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		b := entry.Marshal(f)
		var decoded raftpb.Entry
		if err := decoded.UnmarshalAlias(b); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v %x %s\n", f, b, raftpb.DescribeEntry(decoded, nil))
	}
	// Output:
	// gogo 0800100318072203666f6f 3/7 EntryNormal "foo"
	// pbgo 100318072203666f6f 3/7 EntryNormal "foo"
}

// An error says in which field decoding stopped, and where it begins.
func ExampleDecodeError() {
	var m raftpb.Message
	err := m.Unmarshal([]byte{0x08, 0x03, 0x3a, 0x04, 0x10, 0x03, 0x22, 0x05})
	fmt.Println(err)
	// Output: Entry.Data: offset 6: length 5, but 0 bytes remain: unexpected EOF
}
