package peer

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

const (
	pathStreams = stream.PathPipeline + "/stream/"
	pathProbing = stream.PathPipeline + "/probing"
)

// HTTP implements Transport.
func (t *Etcd) HTTP() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(stream.PathPipeline, t.checked(http.MethodPost, t.receiveMessage))
	mux.HandleFunc(stream.PathSnapshot, t.checked(http.MethodPost, t.receiveSnapshot))
	mux.HandleFunc(pathStreams, t.checked(http.MethodGet, t.serveStream))
	mux.HandleFunc(pathProbing, answerProbe)
	return mux
}

// checked lets a request through that has the method, and comes from a member that this one can talk
// to. Stop waits until it is answered; its context ends with Stop.
func (t *Etcd) checked(method string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		leave, ok := t.enter()
		if !ok {
			reject(w, errStopped.Error(), http.StatusServiceUnavailable)
			return
		}
		defer leave()
		if r.Method != method {
			w.Header().Set("Allow", method)
			reject(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		if method == http.MethodGet { // a stream, whose reader wants to know before anything else
			w.Header().Set(headerServerVersion, t.version())
		}
		w.Header().Set(headerClusterID, hex(t.cfg.ClusterID))
		if err := t.checkHeaders(r.Header); err != nil {
			t.refused(r, err)
			reject(w, err.Error(), http.StatusPreconditionFailed)
			return
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		defer context.AfterFunc(t.ctx, func() { cancel(errStopped) })()
		handle(w, r.WithContext(ctx))
	}
}

// reject answers a request whose body isn't read.
func reject(w http.ResponseWriter, text string, status int) {
	unread(http.NewResponseController(w))
	http.Error(w, text, status)
}

func (t *Etcd) refused(r *http.Request, err error) {
	t.warn("refused a request", "path", r.URL.Path, "peer-id", r.Header.Get(headerFrom),
		"version", r.Header.Get(headerServerVersion), "cluster-id", r.Header.Get(headerClusterID), "error", err)
}

// learnRemote makes the sender's URLs known.
func (t *Etcd) learnRemote(h http.Header) {
	id, err := parseID(h.Get(headerFrom))
	if urls := toldURLs(h); err == nil && urls != nil {
		t.AddRemote(id, urls)
	}
}

// process hands a message that came by POST over.
func (t *Etcd) process(ctx context.Context, m *raftpb.Message) error {
	if raftpb.IsLocalMsg(m.Type) {
		return nil // as etcd: dropped
	}
	return t.cfg.Handler.Process(ctx, *m)
}

// answerProbe tells that this member lives, and its time.
func answerProbe(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(health{OK: true, Now: time.Now()}) // or nobody listens
}

// health is the answer to a probe.
type health struct {
	OK  bool
	Now time.Time
}
