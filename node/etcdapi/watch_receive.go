package etcdapi

import (
	"errors"
	"io"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// receive reads the client's requests until the stream ends; nil: the client will send no more.
func (ws *watchStream) receive() error {
	for {
		request, err := ws.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ws.metrics.streamFailed(ws.stream.Context(), "receive", "watch", err)
		}
		more := true
		switch {
		case request.GetCreateRequest() != nil:
			more = ws.create(request.GetCreateRequest())
		case request.GetCancelRequest() != nil:
			more = ws.cancel(mvcc.WatchID(request.GetCancelRequest().GetWatchId()))
		case request.GetProgressRequest() != nil:
			ws.events.RequestProgressAll()
		}
		if !more {
			return nil
		}
	}
}

// create begins a watch, or tells why not.
func (ws *watchStream) create(r *pb.WatchCreateRequest) bool {
	key, end := watchedRange(r)
	reason := ""
	if r.StartRevision < 0 {
		reason = rpctypes.ErrCompacted.Error()
	} else if err := ws.watchPermitted(key, r.RangeEnd); err != nil {
		reason = err.Error()
	}
	if reason != "" {
		return ws.answer(&pb.WatchResponse{WatchId: noWatch, Created: true, Canceled: true, CancelReason: reason})
	}
	ws.mu.Lock()
	id, err := ws.events.Watch(ws.stream.Context(), mvcc.WatchID(r.WatchId), key, end, r.StartRevision, filters(r)...)
	if err == nil {
		ws.watches[id] = &watch{prevKV: r.PrevKv, fragment: r.Fragment, progress: r.ProgressNotify, quiet: true}
	}
	ws.mu.Unlock()
	answer := &pb.WatchResponse{WatchId: int64(id), Created: true}
	if err != nil {
		answer.WatchId, answer.Canceled, answer.CancelReason = noWatch, true, err.Error()
	}
	return ws.answer(answer)
}

// watchedRange returns the keys of a request in the store's form: end is nil for one key, and empty for all
// keys from there on.
func watchedRange(r *pb.WatchCreateRequest) (key, end []byte) {
	key = r.Key
	if len(key) == 0 {
		key = []byte{0} // the smallest key
	}
	switch {
	case len(r.RangeEnd) == 0:
		return key, nil
	case len(r.RangeEnd) == 1 && r.RangeEnd[0] == 0:
		return key, []byte{}
	}
	return key, r.RangeEnd
}

// watchPermitted returns nil if the client may read the keys, else the reason in the form in which etcd gives
// it: that of a status, within the text of an answer.
func (ws *watchStream) watchPermitted(key, end []byte) error {
	user, err := ws.node.Caller(ws.stream.Context())
	if err == nil {
		if user == nil {
			user = &auth.AuthInfo{} // nobody, to the check
		}
		err = ws.node.Store().Auth().IsRangePermitted(user, key, end)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, auth.ErrInvalidAuthToken):
		return rpctypes.ErrGRPCInvalidAuthToken
	case errors.Is(err, auth.ErrAuthOldRevision):
		return rpctypes.ErrGRPCAuthOldRevision
	case errors.Is(err, auth.ErrUserEmpty):
		return rpctypes.ErrGRPCUserEmpty
	}
	return rpctypes.ErrGRPCPermissionDenied
}

// filters returns what keeps back the events that a request doesn't want.
func filters(r *pb.WatchCreateRequest) []mvcc.FilterFunc {
	var all []mvcc.FilterFunc
	for _, f := range r.Filters {
		switch f {
		case pb.WatchCreateRequest_NOPUT:
			all = append(all, func(e *mvccpb.Event) bool { return e.Type == mvccpb.Event_PUT })
		case pb.WatchCreateRequest_NODELETE:
			all = append(all, func(e *mvccpb.Event) bool { return e.Type == mvccpb.Event_DELETE })
		}
	}
	return all
}

// cancel ends a watch. Nothing is answered where there is none.
func (ws *watchStream) cancel(id mvcc.WatchID) bool {
	ws.mu.Lock()
	err := ws.events.Cancel(id)
	if err == nil {
		delete(ws.watches, id)
	}
	ws.mu.Unlock()
	if err != nil {
		return true
	}
	return ws.answer(&pb.WatchResponse{WatchId: int64(id), Canceled: true})
}
