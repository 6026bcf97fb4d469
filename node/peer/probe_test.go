package peer

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lines is what a logger wrote.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) have(parts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

// The log tells once that a member is not well, that its clock is wrong, and that it is well again.
func TestProbes(t *testing.T) {
	var sick atomic.Bool
	var ahead atomic.Int64
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != pathProbing {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(health{OK: !sick.Load(), Now: time.Now().Add(time.Duration(ahead.Load()))})
	})
	log := new(lines)
	n := newNode(t, 1, inHaste, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	if err := n.AddPeer(2, []string{f.URL}); err != nil {
		t.Fatal(err)
	}
	both := func(parts ...string) func() bool {
		return func() bool {
			return log.have(append(parts, "connections=streams")...) && log.have(append(parts, "connections=others")...)
		}
	}
	sick.Store(true)
	eventually(t, "not well", both("msg=probe", "healthy=false"))
	sick.Store(false)
	eventually(t, "well again", both("msg=probe", "healthy=true"))
	ahead.Store(int64(time.Hour))
	eventually(t, "its clock is wrong", both("msg=clocks", "differ=true"))
	ahead.Store(0)
	eventually(t, "its clock is right", both("msg=clocks", "differ=false"))
}

// A probe of ours is answered as etcd answers it, but for the time.
func TestAnswersProbes(t *testing.T) {
	n := newNode(t, 1)
	got := ask(t, n.server.URL, asked{method: "GET", path: pathProbing})
	var h map[string]any
	if err := json.Unmarshal([]byte(strings.TrimSuffix(got.Body, "<nil>")), &h); err != nil || len(h) != 2 {
		t.Fatalf("%q: %v", got.Body, err)
	}
	if _, err := time.Parse(time.RFC3339Nano, h["Now"].(string)); err != nil || h["OK"] != true || got.Status != 200 {
		t.Errorf("%+v: %v", got, err)
	}
}
