package decode_test

import (
	"fmt"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
)

// Who deleted /a/b? An entry as etcd 3.6 wrote it answers, though it names another key.
func Example() {
	entry := &raftpb.Entry{Term: 3, Index: 698, Data: []byte(
		"\x2a\x08\x0a\x02/a\x12\x02/b" + // delete_range
			"\xa2\x06\x12\x08\x81\xca\xdb\xeb\xb7\xbf\xa8\xbd\xb3\x01\x12\x05alice")} // header

	var request decode.Request
	if err := decode.Payload(&request, entry); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(request.TouchesPrefix([]byte("/a/b")))
	fmt.Printf("%s\n", request.AppendSummary(nil, decode.Style{}))
	fmt.Printf("%s\n", request.AppendJSON(nil, decode.Style{}))
	// Output:
	// true
	// delete_range prefix /a by user alice
	// {"delete_range":{"key":"/a","range_end":"/b"},"header":{"id":"b37aa1fb7d76e501","member_suffix":"b37a","server_started":"2026-11-21T00:24:26.085Z","username":"alice"}}
}

func ExampleNew() {
	decoder, err := decode.New("resp", decode.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var request decode.Request
	entry := &raftpb.Entry{Data: []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n")}
	if err := decoder.Decode(&request, entry); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %s\n", request.Op, request.AppendSummary(nil, decode.Style{}))
	// Output:
	// set: set k hello
}
