package restore_test

import (
	"fmt"

	"github.com/raftctl/raftctl/repair/restore"
)

// The IDs of a cluster are made of its URLs and its token. Names are not in them.
func ExampleParseCluster() {
	c, err := restore.ParseCluster("m1=http://10.0.0.1:2380,m2=http://10.0.0.2:2380", "etcd-cluster")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("cluster %x\n", c.ID)
	for _, m := range c.ByName() {
		fmt.Printf("%s %x %v\n", m.Name, m.ID, m.PeerURLs)
	}
	// Output:
	// cluster 8ba396abbfd67d09
	// m1 3ebc01aec68d6d70 [http://10.0.0.1:2380]
	// m2 ee274cacce804b21 [http://10.0.0.2:2380]
}
