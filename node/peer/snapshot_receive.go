package peer

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// receiveSnapshot takes a snapshot: its message, then its database, which is stored before the message
// is processed.
func (t *Etcd) receiveSnapshot(w http.ResponseWriter, r *http.Request) {
	t.learnRemote(r.Header)
	if !t.limits.snapshots.try() {
		reject(w, "too many snapshots at a time", http.StatusServiceUnavailable)
		return
	}
	defer t.limits.snapshots.leave()
	body := newIncoming(w, r, t.cfg.times.stall)
	defer body.release()
	log := t.log.With("peer-id", r.Header.Get(headerFrom))
	var m raftpb.Message
	if err := stream.ReadSnapshotHead(body, &m); err != nil {
		log.Warn("could not read a snapshot", "error", err)
		http.Error(w, badSnapshot(err), http.StatusBadRequest)
		return
	}
	tap := t.tapPost(m.From, channelSnapshot, false)
	tap.passed(&m, body.size)
	log.Info("receiving a snapshot", "index", index(&m))
	from, ok := t.label(m.From), false
	end := t.metrics.snapshotsReceived.begin(from)
	defer func() {
		end(ok)
		t.metrics.received.WithLabelValues(from).Add(float64(body.size))
	}()
	if err := t.cfg.Handler.SaveDatabase(&m, body); err != nil {
		log.Warn("could not store a database", "index", index(&m), "error", err)
		http.Error(w, fmt.Sprintf("failed to save KV snapshot (%v)", err), http.StatusInternalServerError)
		return
	}
	log.Info("received a snapshot", "index", index(&m))
	if err := t.process(r.Context(), &m); err != nil {
		log.Warn("could not process a snapshot", "index", index(&m), "error", err)
		http.Error(w, fmt.Sprintf("failed to process raft message (%v)", err), http.StatusInternalServerError)
		return
	}
	ok = true
	w.WriteHeader(http.StatusNoContent)
}

// badSnapshot is what etcd answers to a message before a database that it can't take.
func badSnapshot(err error) string {
	if errors.Is(err, stream.ErrType) {
		return "wrong raft message type"
	}
	return fmt.Sprintf("failed to decode raft message (%v)", err)
}
