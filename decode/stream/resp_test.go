package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
)

// respLines runs a conversation, of which each line is a part of a direction, and returns the events.
func respLines(parts []string, size int) (lines []string) {
	d := stream.NewDecoder(func(e *stream.Event) bool {
		switch e.Kind {
		case stream.KindExchange:
			x := e.Exchange
			lines = append(lines, fmt.Sprintf("%s %q %d %s", x.Method, x.Path, x.Status, x.Note))
		case stream.KindGap:
			lines = append(lines, fmt.Sprintf("gap of %d: %s", e.Gap.Bytes, e.Gap.Reason))
		}
		if e.Channel != stream.ChannelClient || e.Conn != 7 || e.Time.IsZero() {
			lines = append(lines, fmt.Sprint("odd event ", e))
		}
		return true
	})
	c, at := d.OpenResp(7), stream.Seen{Time: time.Unix(1, 0)}
	for _, p := range parts {
		dir := stream.Direction(strings.Index("><", p[:1]))
		for p = p[1:]; len(p) > 0; p = p[min(size, len(p)):] {
			c.Data(dir, []byte(p[:min(size, len(p))]), at)
		}
	}
	c.End(0, at)
	c.End(1, at)
	return lines
}

// Commands and answers are told, however their bytes come, and no value.
func TestResp(t *testing.T) {
	parts := []string{
		">*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$6\r\nsecret\r\n", "<+OK\r\n",
		">*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n", "<$6\r\nsecret\r\n-WRONGPASS invalid\r\n",
		">PING\r\n", "<:12\r\n", ">*1\r\n$4\r\nSCAN\r\n", "<*2\r\n$1\r\n0\r\n*1\r\n$6\r\nsecret\r\n",
		"<>2\r\n+pushed\r\n+x\r\n",
	}
	want := []string{
		`SET "key" 0 2 arguments`, `SET "key" 200 OK`,
		`GET "key" 0 1 argument`, `AUTH "" 0 1 argument`,
		`GET "key" 200 string of 6 bytes`, `AUTH "" 500 WRONGPASS invalid`,
		`PING "" 0 0 arguments`, `PING "" 200 number 12`, `SCAN "" 0 0 arguments`, `SCAN "" 200 2 elements`,
		` "" 200 2 elements`,
	}
	for _, size := range []int{1, 2, 7, 1000} {
		if diff := cmp.Diff(want, respLines(parts, size)); diff != "" {
			t.Errorf("in parts of %d: -want +got:\n%s", size, diff)
		}
	}
}

// What is no RESP, and what is cut off, is a gap, once.
func TestRespGaps(t *testing.T) {
	for _, tc := range []struct {
		parts []string
		want  []string
	}{
		{[]string{"<HTTP/1.1 200 OK\r\n", "<more\r\n"}, []string{"gap of 17: offset 0: 'H', want a value"}},
		{[]string{">*2\r\n$3\r\nGET\r\n"}, []string{"gap of 13: the connection ends within a value"}},
		{[]string{">*1\r\n:1\r\n"}, []string{"gap of 8: no length in the form of RESP"}},
	} {
		if diff := cmp.Diff(tc.want, respLines(tc.parts, 1000)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tc.parts, diff)
		}
	}
	var gaps []int64
	d := stream.NewDecoder(func(e *stream.Event) bool {
		gaps = append(gaps, e.Gap.Bytes)
		return true
	})
	c := d.OpenResp(1)
	c.Lost(0, 5, stream.Seen{})
	c.Lost(0, 6, stream.Seen{})
	c.Data(0, []byte("*1\r\n$4\r\nPING\r\n"), stream.Seen{})
	c.Data(1, []byte("$200000000\r\n"+strings.Repeat("x", 17<<20)), stream.Seen{})
	if diff := cmp.Diff([]int64{5, 17<<20 + 12}, gaps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
