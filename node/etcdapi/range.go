package etcdapi

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/etcdserver/txn"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// Range implements etcdserverpb.KVServer.
func (s *kvServer) Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	if err := checkRange(r); err != nil {
		return nil, err
	}
	var response *pb.RangeResponse
	begun := time.Now()
	err := s.readRange(ctx, r, func() (err error) {
		response, _, err = txn.Range(ctx, zap.NewNop(), s.node.Store().KV(), r, true)
		return err
	})
	s.node.CountRequest("Range", begun, err)
	return answer(&s.service, response, err)
}

// readRange runs what reads a range, when the state of this member is new enough for the request, and if its
// user may read the range.
func (s *kvServer) readRange(ctx context.Context, r *pb.RangeRequest, read func() error) error {
	if !r.Serializable {
		if err := s.node.Read(ctx); err != nil {
			return err
		}
	}
	allowed := func(user *auth.AuthInfo) error {
		return s.node.Store().Auth().IsRangePermitted(user, r.Key, r.RangeEnd)
	}
	return s.permitted(ctx, allowed, read)
}

// RangeStream implements etcdserverpb.KVServer: a range in pieces, all of one revision. Only the last has a
// header and the count, so that all of them merged are what Range answers.
func (s *kvServer) RangeStream(r *pb.RangeRequest, stream pb.KV_RangeStreamServer) error {
	if err := checkRangeStream(r); err != nil {
		return err
	}
	err := s.readRange(stream.Context(), r, func() error { return s.sendRange(r, stream) })
	if err != nil {
		return statusOf(err)
	}
	return nil
}

// firstPiece is how many keys are in the first piece; those after it are made to fit what is in them.
const firstPiece = 10

func (s *kvServer) sendRange(r *pb.RangeRequest, stream pb.KV_RangeStreamServer) error {
	if r.CountOnly {
		all, err := s.piece(stream.Context(), r)
		if err != nil {
			return err
		}
		return s.sendLast(stream, &pb.RangeResponse{Count: all.Count}, all.Header.Revision)
	}
	left := int64(math.MaxInt64)
	if r.Limit != 0 {
		left = r.Limit
	}
	next := proto.CloneOf(r)
	next.Limit = min(firstPiece, left)
	for count, revision := int64(0), int64(0); ; {
		p, err := s.piece(stream.Context(), next)
		if err != nil {
			return err
		}
		if revision == 0 {
			revision = p.Header.Revision
			next.Revision = cmp.Or(next.Revision, revision) // later writes are not seen by the pieces to come
		}
		count += int64(len(p.Kvs))
		left -= int64(len(p.Kvs))
		out := &pb.RangeResponse{Kvs: p.Kvs}
		if p.More {
			next.Key = append(bytes.Clone(p.Kvs[len(p.Kvs)-1].Key), 0)
		}
		if !p.More || left == 0 {
			out.More = p.More
			if out.Count, err = s.total(stream.Context(), count, p.More, next); err != nil {
				return err
			}
			return s.sendLast(stream, out, revision)
		}
		if err := stream.Send(&pb.RangeStreamResponse{RangeResponse: out}); err != nil {
			return err
		}
		next.Limit = min(s.fit(next.Limit, proto.Size(p)), left)
	}
}

// piece reads what a request asks for, and counts only what it reads.
func (s *kvServer) piece(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	p, _, err := txn.Range(ctx, zap.NewNop(), s.node.Store().KV(), r, false)
	return p, err
}

// total is the number of keys in the range: those that were sent, and those that the limit leaves out.
func (s *kvServer) total(ctx context.Context, sent int64, more bool, rest *pb.RangeRequest) (int64, error) {
	if !more {
		return sent, nil
	}
	n, err := txn.Count(ctx, zap.NewNop(), s.node.Store().KV(), rest.Key, rest.RangeEnd, rest.Revision)
	return sent + n, err
}

// sendLast sends the piece with the header. Its revision is that of the range, and not the current one.
func (s *kvServer) sendLast(stream pb.KV_RangeStreamServer, last *pb.RangeResponse, revision int64) error {
	last.Header = s.header()
	last.Header.Revision = revision
	return stream.Send(&pb.RangeStreamResponse{RangeResponse: last})
}

// fit returns how many keys the next piece is to have, after one of some size: pieces are to be about as large
// as the largest request. It is never 0, which would mean all.
func (s *kvServer) fit(limit int64, size int) int64 {
	switch want := int(s.node.Config().MaxRequestBytes); {
	case size < want/2:
		return limit * 2
	case size > want*2:
		return max(limit/2, 1)
	}
	return limit
}
