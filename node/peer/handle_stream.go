package peer

import (
	"context"
	"net/http"
	"path"

	"github.com/raftctl/raftctl/raftpb/stream"
)

// serveStream keeps the request open, and has what is sent to the member written into the response.
func (t *Etcd) serveStream(w http.ResponseWriter, r *http.Request) {
	channel, dialer, ok := stream.ParsePath(r.URL.Path)
	if !ok {
		http.Error(w, badPath(r.URL.Path), http.StatusNotFound)
		return
	}
	if t.cfg.Handler.IsRemoved(dialer) {
		t.refused(r, ErrRemoved)
		http.Error(w, "removed member", http.StatusGone)
		return
	}
	peer := t.member(dialer)
	if peer == nil {
		// Perhaps this member is behind, and doesn't know yet of one that has joined.
		if urls := toldURLs(r.Header); urls != nil {
			t.AddRemote(dialer, urls)
		}
		http.Error(w, "error sender not found", http.StatusNotFound)
		return
	}
	if r.Header.Get(headerTo) != hex(t.cfg.ID) {
		http.Error(w, "to field mismatch", http.StatusPreconditionFailed)
		return
	}
	w.WriteHeader(http.StatusOK)
	peer.serve(r.Context(), channel, w)
}

// serve ends with ctx, with the member, or when the connection fails.
func (m *member) serve(ctx context.Context, c stream.Channel, w http.ResponseWriter) {
	o := newOutgoing(ctx, w, m.t.cfg.times.idle)
	defer context.AfterFunc(m.ctx, func() { o.cancel(errStopped) })()
	defer o.interruptible()()
	if o.Flush() != nil {
		return
	}
	if c == stream.ChannelAppend {
		m.appends.serve(o)
		return
	}
	m.general.serve(o)
}

// badPath says what is wrong with a path that is no stream's.
func badPath(p string) string {
	for _, c := range []stream.Channel{stream.ChannelMessage, stream.ChannelAppend} {
		if path.Dir(p) == path.Dir(c.Path(0)) {
			return "invalid from"
		}
	}
	return "invalid path"
}
