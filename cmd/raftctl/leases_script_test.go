package main

import (
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/raftpb"
)

// scriptLeases makes a log in which nodes of Kubernetes renew their leases every ten seconds for five minutes
// from 2026-11-28 21:00:00 on, each by a clock that is off: leases DIR NODE=OFF…
func scriptLeases(ts *testscript.TestScript, _ bool, args []string) {
	w := createLog(ts, args[0])
	var entries []raftpb.Entry
	for now := time.Date(2026, 11, 28, 21, 0, 0, 0, time.UTC); len(entries) < 30*len(args[1:]); now = now.Add(10 * time.Second) {
		for _, arg := range args[1:] {
			node, offset, _ := strings.Cut(arg, "=")
			off, err := time.ParseDuration(offset)
			ts.Check(err)
			data, err := proto.Marshal(&pb.InternalRaftRequest{Put: &pb.PutRequest{
				Key: []byte("/registry/leases/kube-node-lease/" + node), Value: lease(node, now.Add(off)),
			}})
			ts.Check(err)
			entries = append(entries, raftpb.Entry{Term: 1, Index: uint64(len(entries)) + 1, Data: data})
		}
	}
	ts.Check(w.Append(raftpb.HardState{Term: 1, Commit: uint64(len(entries))}, entries))
	ts.Check(w.Close())
}

// lease returns the lease of a node that is renewed at a time, as Kubernetes stores it.
func lease(node string, renewed time.Time) []byte {
	field := func(num protowire.Number, data []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), data)
	}
	number := func(num protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), n)
	}
	const seconds = 40
	at := append(number(1, uint64(renewed.Unix())), number(2, uint64(renewed.Nanosecond()))...)
	object := append(field(1, append(field(1, []byte(node)), field(3, []byte("kube-node-lease"))...)),
		field(2, append(append(field(1, []byte(node)), number(2, seconds)...), field(4, at)...))...)
	kind := append(field(1, []byte("coordination.k8s.io/v1")), field(2, []byte("Lease"))...)
	return append([]byte("k8s\x00"), append(field(1, kind), field(2, object)...)...)
}
