package etcdapi_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/etcdapi"
)

// Runs a member of one in this process, and speaks with it as with any etcd.
func Example() {
	dir, err := os.MkdirTemp("", "node")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	n, err := node.Start(ctx, node.Config{DataDir: dir, ListenPeerURLs: []string{"http://127.0.0.1:0"}})
	if err != nil {
		log.Fatal(err)
	}
	<-n.Ready()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := etcdapi.NewServer(n, etcdapi.Options{})
	go func() { log.Print(server.Serve(l)) }() // until GracefulStop

	client, err := clientv3.New(clientv3.Config{Endpoints: []string{l.Addr().String()}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Put(ctx, "name", "value"); err != nil {
		log.Fatal(err)
	}
	r, err := client.Get(ctx, "name")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s = %s, revision %d\n", r.Kvs[0].Key, r.Kvs[0].Value, r.Header.Revision)

	client.Close()
	server.GracefulStop()
	if err := n.Stop(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: name = value, revision 2
}
