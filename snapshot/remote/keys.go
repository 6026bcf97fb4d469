package remote

import (
	"context"
	"fmt"
	"iter"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/raftctl/raftctl/snapshot/database"
)

// Query says which keys are wanted.
type Query struct {
	Prefix   string // of the keys; empty: all keys
	Revision int64  // as of which; 0: the current one of the member
}

// Keys yields keys in their order, all as of one revision: with none given, that of the first answer.
// They come in pages of a few MiB, and nothing of a page is used again, so that they may be kept.
//
// An error, an *Error, ends it. It is ErrCompacted if the revision was compacted, which may happen
// in the middle.
func (c *Client) Keys(ctx context.Context, q Query) iter.Seq2[*database.KeyValue, error] {
	return func(yield func(*database.KeyValue, error) bool) {
		req := &pb.RangeRequest{
			Key: []byte(q.Prefix), RangeEnd: []byte(clientv3.GetPrefixRangeEnd(q.Prefix)),
			Revision: q.Revision, Limit: firstPage,
			Serializable: true, // what this member holds is wanted
		}
		if q.Prefix == "" {
			req.Key, req.RangeEnd = []byte{0}, []byte{0}
		}
		for {
			page, err := c.page(ctx, req)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, kv := range page.Kvs {
				if !yield(&database.KeyValue{
					Key: kv.Key, Value: kv.Value, CreateRevision: kv.CreateRevision, ModRevision: kv.ModRevision,
					Version: kv.Version, Lease: kv.Lease,
				}, nil) {
					return
				}
			}
			if !page.More || len(page.Kvs) == 0 {
				return
			}
			last := page.Kvs[len(page.Kvs)-1].Key
			req.Key = append(last[:len(last):len(last)], 0)
			req.Limit = nextLimit(req.Limit, page)
		}
	}
}

// page asks for the keys of one request, and makes those that follow ask for the same revision.
func (c *Client) page(ctx context.Context, req *pb.RangeRequest) (*pb.RangeResponse, error) {
	ctx, cancel := withTimeout(ctx, c.config.StallTimeout)
	defer cancel()
	var r *pb.RangeResponse
	err := c.authenticated(ctx, func() (err error) {
		r, err = pb.NewKVClient(c.conn).Range(ctx, req, anySize)
		return err
	})
	if err != nil {
		if req.Revision != 0 {
			err = fmt.Errorf("keys as of revision %d: %w", req.Revision, reason(ctx, err))
		}
		return nil, c.fail(ctx, err)
	}
	if req.Revision == 0 {
		req.Revision = r.GetHeader().GetRevision()
	}
	return r, nil
}

// The sizes of pages. A member counts all keys that follow for each page, so that few large pages cost
// it less; but it holds each one in memory, as does the reader.
const (
	pageBytes = 4 << 20
	firstPage = 16    // keys: how large their values are isn't known yet
	maxPage   = 50000 // keys
	growth    = 8     // from one page to the next, at most: values may become larger
)

// nextLimit returns how many keys make a page of some pageBytes, if they are like those of the last
// one.
func nextLimit(limit int64, page *pb.RangeResponse) int64 {
	size := int64(0)
	for _, kv := range page.Kvs {
		size += int64(len(kv.Key)+len(kv.Value)) + 32 // revisions and lengths
	}
	fits := pageBytes * int64(len(page.Kvs)) / max(size, 1)
	return max(min(fits, limit*growth, maxPage), 1)
}
