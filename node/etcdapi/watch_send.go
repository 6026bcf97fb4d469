package etcdapi

import (
	"context"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// send writes to the client until the stream ends or can't be written.
func (ws *watchStream) send(stop <-chan struct{}) {
	ticker := time.NewTicker(ws.progressInterval())
	defer ticker.Stop()
	for {
		ok := true
		select {
		case batch, open := <-ws.events.Chan():
			ok = open && ws.sendBatch(&batch, stop)
		case r := <-ws.control:
			ok = ws.sendControl(r)
		case <-ticker.C:
			ws.requestProgress()
		case <-stop:
			return
		}
		if !ok {
			return
		}
	}
}

// drain takes what the store still hands out until it ends, so that its counters are right.
func (ws *watchStream) drain() {
	for batch := range ws.events.Chan() {
		mvcc.ReportEventReceived(len(batch.Events))
	}
}

// sendControl sends an answer to a request.
func (ws *watchStream) sendControl(r *pb.WatchResponse) bool {
	defer since(time.Now(), ws.sending.control)
	if ws.write(r) != nil {
		return false
	}
	if r.Created && !r.Canceled {
		ws.mu.Lock()
		if w := ws.watches[mvcc.WatchID(r.WatchId)]; w != nil {
			w.announced = true
		}
		ws.mu.Unlock()
	}
	return true
}

// sendBatch sends events of a watch, or the notice that it had none.
func (ws *watchStream) sendBatch(batch *mvcc.WatchResponse, stop <-chan struct{}) bool {
	defer ws.sending.sentBatch(time.Now(), len(batch.Events))
	mvcc.ReportEventReceived(len(batch.Events))
	w, ok := ws.announcedWatch(batch, stop)
	if !ok {
		return false
	}
	if w == nil {
		return true // it was cancelled meanwhile
	}
	r := &pb.WatchResponse{
		Header: ws.header(), WatchId: int64(batch.WatchID), Events: batch.Events,
		CompactRevision: batch.CompactRevision, Canceled: batch.CompactRevision != 0,
	}
	r.Header.Revision = batch.Revision
	if w.prevKV {
		r.Events = ws.withPrevious(batch.Events)
	}
	if !w.fragment {
		return ws.write(r) == nil
	}
	return sendFragments(r, ws.fragmentBytes(), ws.write) == nil
}

// write sends a response to the client.
func (ws *watchStream) write(r *pb.WatchResponse) error {
	err := ws.stream.Send(r)
	if err != nil {
		err = ws.metrics.streamFailed(ws.stream.Context(), "send", "watch", err)
	}
	return err
}

// announcedWatch returns what a client asked of a watch, when it was told of its ID; nil if there is no such
// watch any more. It sends the answers that wait before that, which are bound to come.
func (ws *watchStream) announcedWatch(batch *mvcc.WatchResponse, stop <-chan struct{}) (found *watch, ok bool) {
	if batch.WatchID == noWatch {
		return &watch{}, true // progress of all watches
	}
	for {
		if w, settled := ws.look(batch); settled {
			return w, true
		}
		select {
		case r := <-ws.control:
			if !ws.sendControl(r) {
				return nil, false
			}
		case <-stop:
			return nil, false
		}
	}
}

// look returns the watch that a batch is for, and whether it is settled which one that is.
func (ws *watchStream) look(batch *mvcc.WatchResponse) (found *watch, settled bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.watches[batch.WatchID]
	switch {
	case w == nil:
		return nil, true
	case !w.announced:
		return nil, false
	}
	if len(batch.Events) > 0 {
		w.quiet = false
	}
	return &watch{prevKV: w.prevKV, fragment: w.fragment}, true
}

// withPrevious returns events with what the keys held before. The events themselves are those of all watches.
func (ws *watchStream) withPrevious(events []*mvccpb.Event) []*mvccpb.Event {
	all := make([]*mvccpb.Event, len(events))
	for i, e := range events {
		all[i] = e
		if e.Type == mvccpb.Event_PUT && e.Kv.CreateRevision == e.Kv.ModRevision {
			continue // there was none
		}
		r, err := ws.node.Store().KV().Range(context.Background(), e.Kv.Key, nil, mvcc.RangeOptions{Rev: e.Kv.ModRevision - 1})
		if err == nil && len(r.KVs) > 0 {
			all[i] = &mvccpb.Event{Type: e.Type, Kv: e.Kv, PrevKv: r.KVs[0]}
		}
	}
	return all
}

// requestProgress has those watches told of the revision that had nothing to tell since the last time.
func (ws *watchStream) requestProgress() {
	defer since(time.Now(), ws.sending.progress)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for id, w := range ws.watches {
		if w.progress && w.quiet {
			ws.events.RequestProgress(id)
		}
		w.quiet = true
	}
}

// fragmentBytes is the size that a response is divided at: that of the largest request, and some more.
func (ws *watchStream) fragmentBytes() int {
	return int(ws.node.Config().MaxRequestBytes) + requestOverhead
}

// sendFragments sends a response in parts of up to limit bytes, and of one event at least.
func sendFragments(r *pb.WatchResponse, limit int, send func(*pb.WatchResponse) error) error {
	if proto.Size(r) < limit || len(r.Events) < 2 {
		return send(r)
	}
	for rest := r.Events; len(rest) > 0; {
		part := &pb.WatchResponse{
			Header: r.Header, WatchId: r.WatchId, Created: r.Created, Canceled: r.Canceled,
			CompactRevision: r.CompactRevision, CancelReason: r.CancelReason, Fragment: true,
		}
		size := proto.Size(part)
		n := 0
		for n < len(rest) {
			size += sizeOfEvent(rest[n])
			if n > 0 && size >= limit {
				break
			}
			n++
		}
		part.Events, rest = rest[:n:n], rest[n:]
		part.Fragment = len(rest) > 0
		if err := send(part); err != nil {
			return err
		}
	}
	return nil
}

// sizeOfEvent returns the bytes of an event within a response: with its tag of one byte, and its length.
func sizeOfEvent(e *mvccpb.Event) int {
	n := proto.Size(e)
	return 1 + protowire.SizeBytes(n)
}
