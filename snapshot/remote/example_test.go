package remote_test

import (
	"context"
	"fmt"
	"os"

	"github.com/raftctl/raftctl/snapshot/remote"
)

// Save what a member holds to a file that etcdutl restores.
func Example() {
	ctx := context.Background()
	c, err := remote.Dial(ctx, remote.Config{
		Endpoint: "https://10.0.0.1:2379",
		CACert:   "/etc/kubernetes/pki/etcd/ca.crt",
		Cert:     "/etc/kubernetes/pki/etcd/server.crt",
		Key:      "/etc/kubernetes/pki/etcd/server.key",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }() // nothing was written to it
	f, err := os.Create("backup.db.part")
	if err != nil {
		fmt.Println(err)
		return
	}
	snap, err := c.Snapshot(ctx, f, nil)
	if err := f.Close(); err != nil {
		fmt.Println(err)
	}
	if err == nil {
		fmt.Printf("%d bytes, sha256 %x\n", snap.Size, snap.SHA256)
	}
}
