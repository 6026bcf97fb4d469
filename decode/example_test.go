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

func ExampleAppendValue() {
	style := &decode.Style{}
	for _, kv := range [][2]string{
		{"/app/config", `{"host": "db", "password": "hunter2"}`},
		{"/app/token", "0123456789abcdef"},
		{"/registry/x/default/web", `{"apiVersion":"example.com/v1","kind":"Site","metadata":{"name":"web"}}`},
	} {
		fmt.Printf("%s\n", decode.AppendValue(nil, []byte(kv[0]), []byte(kv[1]), style))
	}
	// Output:
	// 37 B {"host":"db","password":"[redacted]"}
	// 16 B [redacted]
	// 71 B example.com/v1/Site web
}

func ExampleDiffValues() {
	before := []byte(`{"spec":{"replicas":3,"image":"web:1"},"password":"hunter2"}`)
	after := []byte(`{"spec":{"replicas":5,"image":"web:1"},"password":"hunter3"}`)
	style := &decode.Style{}
	diff := decode.DiffValues([]byte("/app/config"), before, after, style)
	fmt.Printf("%s", diff.AppendLines(nil, "  ", style))
	// Output:
	//   .spec.replicas 3 → 5
	//   .password "[redacted]", a secret in it changed
}
