package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Snapshot is what was streamed.
type Snapshot struct {
	Size           int64             // bytes that were written: the database and the hash behind it
	SHA256         [sha256.Size]byte // of the database
	StorageVersion string            // of the database; empty before etcd 3.6
}

// Snapshot writes the member's database to w, and its SHA-256 behind it: the file that `etcdctl
// snapshot save` makes. It returns nil as the error only if all that the server announced came, and
// the hash is that of what came.
//
// Progress, if it isn't nil, is told of the bytes that were written and of all there will be. An
// error of w is returned as it is; others are an *Error.
func (c *Client) Snapshot(
	ctx context.Context, w io.Writer, progress func(done, total int64),
) (*Snapshot, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := stream{c: c, w: w, sum: sha256.New(), progress: progress, end: unknownEnd}
	s.stalled = time.AfterFunc(c.config.StallTimeout, func() { cancel(timeoutError{c.config.StallTimeout}) })
	defer s.stalled.Stop()
	err := c.authenticated(ctx, func() error { return s.receive(ctx) })
	if s.failed != nil {
		return nil, s.failed
	}
	if err != nil {
		return nil, c.fail(ctx, err)
	}
	return &s.got, nil
}

// unknownEnd is the size of a database of which nothing came yet.
const unknownEnd = -1

// stream takes in what a server sends.
type stream struct {
	c        *Client
	w        io.Writer
	progress func(done, total int64)
	stalled  *time.Timer

	end     int64 // size of the database
	done    int64 // bytes that came
	sum     hash.Hash
	trailer []byte
	got     Snapshot
	failed  error // of w
}

func (s *stream) receive(ctx context.Context) error {
	r, err := pb.NewMaintenanceClient(s.c.conn).Snapshot(ctx, &pb.SnapshotRequest{}, anySize)
	if err != nil {
		return err
	}
	for {
		m, err := r.Recv()
		if errors.Is(err, io.EOF) {
			return s.finish()
		}
		if err != nil {
			return s.broken(ctx, err)
		}
		// A server whose own reading failed sends empty messages for ever: the clock goes on.
		if len(m.GetBlob()) == 0 && s.end != unknownEnd {
			continue
		}
		s.stalled.Stop() // it is not the server that is slow now
		if err := s.take(m); err != nil {
			return err
		}
		s.stalled.Reset(s.c.config.StallTimeout)
	}
}

// broken says how far the stream came that ends with an error.
func (s *stream) broken(ctx context.Context, err error) error {
	if s.end == unknownEnd || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("after %d of %d bytes: %w", s.done, s.end+sha256.Size, reason(ctx, err))
}

// take writes one message.
func (s *stream) take(m *pb.SnapshotResponse) error {
	blob := m.GetBlob()
	if s.end == unknownEnd {
		rest := m.GetRemainingBytes()
		if rest > math.MaxInt64-uint64(len(blob))-sha256.Size {
			return fmt.Errorf("a snapshot of %d bytes is announced", rest)
		}
		s.end = int64(rest) + int64(len(blob))
		s.got.StorageVersion = m.GetVersion()
	}
	data := blob[:min(int64(len(blob)), max(s.end-s.done, 0))]
	_, _ = s.sum.Write(data) // a hash never fails
	s.trailer = append(s.trailer, blob[len(data):]...)
	if len(s.trailer) > sha256.Size {
		return fmt.Errorf("more than the %d bytes that were announced, and a hash of %d", s.end, sha256.Size)
	}
	s.done += int64(len(blob))
	if _, err := s.w.Write(blob); err != nil {
		s.failed = err
		return err
	}
	if s.progress != nil {
		s.progress(s.done, s.end+sha256.Size)
	}
	return nil
}

// finish checks what came up to the end of the stream.
func (s *stream) finish() error {
	if want := s.end + sha256.Size; s.end == unknownEnd || s.done != want {
		return fmt.Errorf("%w: the stream ends after %d of %d bytes", ErrBroken, s.done, max(want, 0))
	}
	s.got.Size = s.done
	s.sum.Sum(s.got.SHA256[:0])
	if !bytes.Equal(s.trailer, s.got.SHA256[:]) {
		return fmt.Errorf("sha256 %x of what came, want %x", s.got.SHA256, s.trailer)
	}
	return nil
}
