package relay_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/relay"
)

func Example() {
	member := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"etcdserver":"3.6.14","etcdcluster":"3.6.0"}`)
	}))
	defer member.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}

	r := relay.New("example", func(e *stream.Event) bool {
		if e.Kind == stream.KindExchange && e.Exchange.Status != 0 {
			fmt.Println(e.Exchange.Method, e.Exchange.Path, e.Exchange.Status)
		}
		return true
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- r.Run(ctx, []relay.Route{{Listener: l, To: strings.TrimPrefix(member.URL, "http://")}})
	}()

	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.Addr().String() + "/version")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	cancel()
	fmt.Println(<-done)
	// Output:
	// GET /version 200
	// <nil>
}
