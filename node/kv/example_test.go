package kv_test

import (
	"fmt"
	"log"
	"os"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// Applies the entries of a log, each as it was committed, and compares with another member by the hash.
func Example() {
	dir, err := os.MkdirTemp("", "kv")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := kv.Open(dir, kv.Options{Member: 0x8e9e05c52164694d, Cluster: 0xcdf818194e3a8c32})
	if err != nil {
		log.Fatal(err)
	}
	request, err := proto.Marshal(&etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: 7587900000000000001},
		Put:    &etcdserverpb.PutRequest{Key: []byte("name"), Value: []byte("value")},
	})
	if err != nil {
		log.Fatal(err)
	}
	applied, err := s.Apply([]raftpb.Entry{{Term: 2, Index: 1}, {Term: 2, Index: 2, Data: request}})
	if err != nil {
		log.Fatal(err)
	}
	hash, revision, err := s.HashKV(0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("applied %v, revision %d, hash %08x\n", applied, revision, hash.Hash)
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: applied 2 (term 2), revision 2, hash dbc89d4b
}
