package etcdapi

import (
	"crypto/sha256"
	"fmt"
	"hash"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node/kv"
)

// snapshotPiece is how many bytes of a database are sent at a time, as etcd does.
const snapshotPiece = 32 << 10

// Snapshot implements etcdserverpb.MaintenanceServer: the database, and the sha256 of it.
func (s *maintenanceServer) Snapshot(_ *pb.SnapshotRequest, stream pb.Maintenance_SnapshotServer) error {
	if err := s.requireUpkeep(stream.Context()); err != nil {
		return err
	}
	version := ""
	if v := s.node.Store().StorageVersion(); v != nil {
		version = v.String()
	}
	snap, err := s.node.Snapshot(stream.Context())
	if err != nil {
		return statusOf(err)
	}
	err = sendSnapshot(snap, &snapshotSender{stream: stream, version: version, left: snap.Size, sum: sha256.New()})
	if closeErr := snap.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return statusOf(err)
	}
	return nil
}

func sendSnapshot(snap *kv.Snapshot, to *snapshotSender) error {
	if _, err := snap.WriteTo(to); err != nil {
		return err
	}
	if err := to.flush(); err != nil {
		return err
	}
	if to.left != 0 {
		return fmt.Errorf("snapshot: %d bytes are missing, of %d", to.left, snap.Size)
	}
	return to.send(to.sum.Sum(nil))
}

// snapshotSender sends what is written to it in pieces.
type snapshotSender struct {
	stream  pb.Maintenance_SnapshotServer
	version string // of the database
	left    int64  // bytes that are still to be sent
	sum     hash.Hash
	piece   []byte
}

// Write implements io.Writer.
func (s *snapshotSender) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if s.piece == nil {
			s.piece = make([]byte, 0, snapshotPiece) // gRPC may still hold the last one
		}
		k := min(len(b)-n, cap(s.piece)-len(s.piece))
		s.piece = append(s.piece, b[n:n+k]...)
		n += k
		if len(s.piece) < cap(s.piece) {
			continue
		}
		if err := s.flush(); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (s *snapshotSender) flush() error {
	piece := s.piece
	s.piece = nil
	if len(piece) == 0 {
		return nil
	}
	s.sum.Write(piece)
	s.left -= int64(len(piece))
	return s.send(piece)
}

func (s *snapshotSender) send(blob []byte) error {
	return s.stream.Send(&pb.SnapshotResponse{
		RemainingBytes: uint64(max(s.left, 0)), Blob: blob, Version: s.version,
	})
}
