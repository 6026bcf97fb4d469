package peer

import (
	"errors"
	"net/http"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// receiveMessage takes a message that comes by POST. As many as have to wait for a leader don't keep
// the others from being taken.
func (t *Etcd) receiveMessage(w http.ResponseWriter, r *http.Request) {
	t.learnRemote(r.Header)
	gate := t.limits.posts
	if gate.wait(r.Context()) != nil {
		return // nobody listens any more
	}
	defer func() { gate.leave() }()
	var m raftpb.Message
	body := newIncoming(w, r, t.cfg.times.idle)
	defer body.release()
	if err := stream.ReadPipeline(body, &m); err != nil {
		t.log.Warn("could not read a message", "peer-id", r.Header.Get(headerFrom), "error", err)
		http.Error(w, unreadable(err), http.StatusBadRequest)
		return
	}
	t.receivedMessage(&m)
	tap := t.tapPost(m.From, channelPipeline, false)
	tap.passed(&m, body.size)
	if m.Type == raftpb.MsgProp {
		if !t.limits.proposals.try() {
			http.Error(w, "too many proposals wait", http.StatusServiceUnavailable)
			return
		}
		gate.leave()
		gate = t.limits.proposals
	}
	if err := t.process(r.Context(), &m); err != nil {
		t.log.Warn("could not process a message", "type", m.Type, "error", err)
		http.Error(w, "error processing raft message", http.StatusInternalServerError)
		_ = http.NewResponseController(w).Flush() // or nobody listens
		panic(http.ErrAbortHandler)               // ends the connection, as etcd does
	}
	w.WriteHeader(http.StatusNoContent)
}

// unreadable is what etcd answers to a body that it can't take.
func unreadable(err error) string {
	if errors.As(err, new(*stream.CorruptError)) {
		return "error unmarshalling raft message"
	}
	return "error reading raft message"
}
