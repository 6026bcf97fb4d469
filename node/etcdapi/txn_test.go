package etcdapi

import (
	"fmt"
	"math/rand/v2"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node"
)

// TestRandomTxns makes transactions up, nested ones and many that change a key twice.
func TestRandomTxns(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	r := rand.New(rand.NewPCG(1, 2))
	var table []row
	for i := range 600 {
		table = append(table, row{name: fmt.Sprint("number ", i), r: randomTxn(r, 3)})
	}
	compare(t, ours, etcds, append(table, row{name: "what is left", r: get("", all)}))
	good := 0
	for _, row := range table {
		if checkTxn(row.r.(*pb.TxnRequest), 128) == nil {
			good++
		}
	}
	if good < 100 || good > 500 {
		t.Errorf("%d of 600 transactions are good: that tells little", good)
	}
}

func randomTxn(r *rand.Rand, depth int) *pb.TxnRequest {
	txn := &pb.TxnRequest{Success: randomOps(r, depth), Failure: randomOps(r, depth)}
	for range r.IntN(2) {
		txn.Compare = append(txn.Compare, versionIs(randomKey(r), r.Int64N(3)))
	}
	return txn
}

func randomOps(r *rand.Rand, depth int) (list []*pb.RequestOp) {
	for range r.IntN(4) {
		switch key, end := randomKey(r), []string{"", "", randomKey(r), "\x00"}[r.IntN(4)]; r.IntN(5) {
		case 0:
			list = append(list, op(get(key)))
		case 1:
			list = append(list, op(put(key, fmt.Sprint(r.IntN(10)))))
		case 2:
			list = append(list, op(del(key, end)))
		default:
			if depth > 0 {
				list = append(list, op(randomTxn(r, depth-1)))
			}
		}
	}
	return list
}

func randomKey(r *rand.Rand) string { return string(rune('a' + r.IntN(12))) }
